"""The local store: an append-only journal, and the TinyDB snapshot written behind from it."""
