"""The one place that picks concrete classes and puts them together.

What is put together is imported where that is done: a subcommand that lists orders needs no HTTP client.
"""
