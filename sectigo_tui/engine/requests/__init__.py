"""The limit that all requests share, and how the API answers."""
