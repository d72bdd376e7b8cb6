"""The HTTP client of certctl-server's issuers API."""
