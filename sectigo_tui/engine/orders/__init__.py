"""The services that place, change and collect orders."""
