"""The rules that turn evidence into causes. Pure."""
