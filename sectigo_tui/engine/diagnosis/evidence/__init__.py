"""What is known about an order, and how it is asked for."""
