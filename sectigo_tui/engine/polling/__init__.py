"""When orders are polled, and what a poll does."""
