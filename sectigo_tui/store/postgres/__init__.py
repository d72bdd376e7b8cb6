"""The team store: one PostgreSQL database that processes on several hosts share."""
