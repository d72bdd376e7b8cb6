"""A terminal dashboard for certificate orders at Sectigo Certificate Manager."""

__version__ = "0.1.0"
