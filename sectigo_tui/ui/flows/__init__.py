"""One module per thing an operator does: which questions are asked, and which use case gets the answers."""
