"""This account's own figures, and whether an order is within them."""
