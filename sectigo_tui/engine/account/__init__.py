"""The account's remote orders."""
