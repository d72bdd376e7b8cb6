"""Widgets that know no order and no service."""
