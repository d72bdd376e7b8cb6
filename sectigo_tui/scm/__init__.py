"""The HTTP client of Sectigo Certificate Manager: the one place that knows a JSON field's name."""
