"""The refusals of the API: an HTTP status, a code and a description."""


class ApiError(Exception):
    """An answer of the API that is not a success.

    Args:
        code: SCM's error code.
        description: SCM's text for it.
        status: The HTTP status.

    Source: SCM manual 25.5, "Errors".
    """

    def __init__(self, code: int, description: str, status: int = 400) -> None:
        super().__init__(code, description, status)
        self.code = code
        self.description = description
        self.status = status


def missing(field: str) -> ApiError:
    """Return the refusal of a request that lacks a field."""
    return ApiError(-7, f"{field} is required but missing.")


def invalid(field: str) -> ApiError:
    """Return the refusal of a field whose value is not acceptable."""
    return ApiError(-1601, f"Field '{field}' has invalid value.")


def wrong_id(ssl_id: object, *, status: int = 400) -> ApiError:
    """Return the refusal of an sslId that the account does not have.

    Args:
        ssl_id: The id as it was sent.
        status: 404 where the vendor's OpenAPI documents one (details and DCV), else 400.
    """
    return ApiError(-124, f"Wrong SSL certificate id {ssl_id}.", status)
