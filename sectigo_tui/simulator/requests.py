"""The JSON bodies of requests, and the errors that answer what they lack or get wrong."""

import json
from collections.abc import Mapping


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
    """Return the rejection of a request that lacks a field."""
    return ApiError(-7, f"{field} is required but missing.")


def invalid(field: str) -> ApiError:
    """Return the rejection of a field whose value is not acceptable."""
    return ApiError(-1601, f"Field '{field}' has invalid value.")


def wrong_id(ssl_id: object, *, status: int = 400) -> ApiError:
    """Return the rejection of an sslId that the account does not have.

    Args:
        ssl_id: The id as it was sent.
        status: 404 where the vendor's OpenAPI documents one (details and DCV), else 400.
    """
    return ApiError(-124, f"Wrong SSL certificate id {ssl_id}.", status)


class Body:
    """The fields of a request.

    Args:
        fields: The JSON object.
    """

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields

    @classmethod
    def read(cls, content: bytes, content_type: str) -> "Body":
        """Read the body of a request; nothing at all is an object without fields.

        Args:
            content: The body.
            content_type: The header.

        Raises:
            ApiError: 415 for another media type; -1002 for what is no JSON object.

        Source: observed in production clients (-1002 for a JSON string); the rest is assumed.
        """
        if not content.strip():
            return cls({})
        if not content_type.lower().startswith("application/json"):
            raise ApiError(-1, f"Content type '{content_type}' not supported", 415)
        try:
            document = json.loads(content)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise ApiError(-1002, "Request body is missing or invalid.")
        return cls(document)

    def text(self, name: str, *, required: bool = False, longest: int = 32_767) -> str:
        """Return a string; an absent, null or empty one is blank, or rejected where it is required."""
        value = self._fields.get(name)
        if value is None or value == "":
            if required:
                raise missing(name)
            return ""
        if not isinstance(value, str) or len(value) > longest:
            raise invalid(name)
        return value

    def number(self, name: str) -> int | None:
        """Return an integer, or None where it is absent or null."""
        value = self._fields.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid(name)
        return value

    def required_number(self, name: str) -> int:
        """Return an integer that must be there."""
        value = self.number(name)
        if value is None:
            raise missing(name)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings, empty where it is absent or null."""
        return tuple(self._text(name, one) for one in self._list(name))

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return a list of integers, empty where it is absent or null."""
        found = self._list(name)
        if any(isinstance(one, bool) or not isinstance(one, int) for one in found):
            raise invalid(name)
        return tuple(one for one in found if isinstance(one, int))

    def pairs(self, name: str) -> tuple[tuple[str, str], ...]:
        """Return a list of objects with `name` and `value`, empty where it is absent or null."""
        made = []
        for one in self._list(name):
            if not isinstance(one, dict):
                raise invalid(name)
            made.append((self._text(name, one.get("name")), self._text(name, one.get("value"))))
        return tuple(made)

    def _list(self, name: str) -> list[object]:
        value = self._fields.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise invalid(name)
        return value

    @staticmethod
    def _text(name: str, value: object) -> str:
        if not isinstance(value, str):
            raise invalid(name)
        return value
