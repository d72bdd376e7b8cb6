"""Styled text of the panes and screens."""
