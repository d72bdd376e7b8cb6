"""Orders and their timelines on disk: nothing outside this package knows a file of theirs."""
