"""Settings: their model, where each value came from, and the program's own credentials file."""
