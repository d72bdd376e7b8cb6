"""Credentials: test, switch, change and watch."""
