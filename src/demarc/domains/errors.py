"""The few ways a use case says no. Each API maps them to its own form."""

from typing import Any


class DomainError(Exception):
    """A use case cannot do what was asked; nothing was changed."""


class NotFound(DomainError):
    """There is no such thing for this tenant; another tenant's does not exist either."""

    def __init__(self, kind: str, key: Any) -> None:
        super().__init__(f"there is no {kind} {key}")
        self.kind = kind
        self.key = str(key)


class Invalid(DomainError):
    """A value cannot be taken."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason


class Conflict(DomainError):
    """The state of things does not allow it now."""


class Forbidden(DomainError):
    """The caller may not do this."""


class Limited(DomainError):
    """The caller asks too often.

    Attributes:
        retry_after: seconds until it may ask again.
    """

    def __init__(self, reason: str, retry_after: int) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """A device or a part of the platform does not answer now; asking again later may help."""
