"""One modal screen per question."""
