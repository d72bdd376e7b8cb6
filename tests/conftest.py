"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# The same examples in every run: a failure is found again by running the test again.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")
