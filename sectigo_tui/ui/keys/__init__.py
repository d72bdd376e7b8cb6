"""Which keys work where, their names, and the palette."""
