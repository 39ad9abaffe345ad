"""How this API says no: problem details (RFC 9457) for everything, the framework's errors too."""

import re
from http import HTTPStatus
from typing import Any

import msgspec
import psycopg
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from psycopg_pool import PoolTimeout, TooManyRequests

from demarc.domains.access.live import DeviceSilent
from demarc.domains.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    Limited,
    NotFound,
    Unavailable,
)
from demarc.domains.identity.model import Unauthenticated
from demarc.northbound.aex.wire import FieldError, Problem

MEDIA_TYPE = "application/problem+json"
CHALLENGE = 'Bearer realm="aex", Basic realm="aex", charset="UTF-8"'

_RETRY_AFTER = 2
_log = structlog.get_logger(__name__)

# A field that names something: one that is not there is well-formed, but cannot be done.
_REFERENCES = frozenset({"customer_id", "product_id", "premise_id", "area_id"})

# msgspec's messages end with the path of the value, and name keys in backquotes.
_PATH = re.compile(r"^(?P<message>.*?) - at `(?:key in )?\$(?P<path>.*?)`$", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `(.*?)`")
_MISSING_PARAMETER = re.compile(r"Missing required \w+ parameter '(.*?)'")
_MISSING = re.compile(r"missing required field `(.*?)`")


class Unprocessable(Exception):
    """A request is well-formed but cannot be carried out as it is."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason


class NotJson(Exception):
    """The body of a request is not said to be JSON."""


Headers = dict[str, str]


def problem(
    status: int,
    detail: str = "",
    errors: list[FieldError] | None = None,
    headers: Headers | None = None,
) -> Response[bytes]:
    """Give an answer that says why not.

    Args:
        status: the HTTP status, whose phrase is the title.
        detail: what was wrong with this request.
        errors: what was wrong with which field.
        headers: further headers.
    """
    body = Problem(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=errors or [],
    )
    return Response(
        content=msgspec.json.encode(body),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=headers or {},
    )


def of_domain(request: Request[Any, Any, Any], error: DomainError) -> Response[bytes]:
    """Answer what a use case refused."""
    match error:
        case NotFound():
            return problem(404, str(error))
        case Invalid(field=field, reason=reason):
            status = 422 if field in _REFERENCES else 400
            return problem(status, str(error), [FieldError(field, reason)])
        case Conflict():
            return problem(409, str(error))
        case Forbidden():
            return problem(403, str(error))
        case Limited(retry_after=seconds):
            return problem(429, str(error), headers={"Retry-After": str(seconds)})
        case DeviceSilent(tells_where=True) if request.user.side != "fno":
            return problem(504, "the OLT did not answer in time")
        case DeviceSilent():
            return problem(504, str(error))
        case Unavailable():
            return problem(503, str(error), headers={"Retry-After": str(_RETRY_AFTER)})
        case _:
            raise error


def of_unprocessable(_request: Request[Any, Any, Any], error: Unprocessable) -> Response[bytes]:
    """Answer a request that cannot be carried out as it is."""
    return problem(422, str(error), [FieldError(error.field, error.reason)])


def of_caller(_request: Request[Any, Any, Any], error: Unauthenticated) -> Response[bytes]:
    """Answer somebody unknown."""
    return problem(401, str(error), headers={"WWW-Authenticate": CHALLENGE})


def of_media_type(_request: Request[Any, Any, Any], _error: NotJson) -> Response[bytes]:
    """Answer a body of another media type."""
    return problem(
        415, "the body must be JSON (application/json)", headers={"Accept": "application/json"}
    )


def of_body(_request: Request[Any, Any, Any], error: msgspec.DecodeError) -> Response[bytes]:
    """Answer a body that is no JSON, or not of the form asked for; the field is named."""
    if not isinstance(error, msgspec.ValidationError):
        return problem(400, f"the body is not JSON: {error}")
    found = field_error(str(error))
    return problem(400, f"{found.field}: {found.message}", [found])


def field_error(message: str) -> FieldError:
    """Give what msgspec says of a value as the field and what is wrong with it."""
    path = ""
    if located := _PATH.match(message):
        message, path = located["message"], located["path"]
    parts = [part for part in re.split(r"[.\[\]]+", path) if part]
    if unknown := _UNKNOWN.search(message):
        return FieldError(".".join([*parts, unknown[1]]), "is not a field that can be given here")
    if missing := _MISSING.search(message):
        return FieldError(".".join([*parts, missing[1]]), "is required")
    return FieldError(".".join(parts) or "body", message[:1].lower() + message[1:])


def of_parameters(_request: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    """Answer parameters that could not be taken; all of them are named."""
    found = [
        FieldError(_parameter(str(entry.get("key") or "body")), _reason(str(entry["message"])))
        for entry in error.extra or []
        if isinstance(entry, dict) and "message" in entry
    ]
    if missing := _MISSING_PARAMETER.match(error.detail):
        found.append(FieldError(missing[1], "is required"))
    detail = "; ".join(f"{one.field}: {one.message}" for one in found)
    return problem(400, detail or "the request cannot be read", found)


def _parameter(key: str) -> str:
    return "body" if key == "data" else key.removesuffix("_")


def _reason(message: str) -> str:
    # a body that is not there at all has nothing but its argument's name for a message
    if message.startswith("Missing required") or message == "'data'":
        return "is required"
    return message[:1].lower() + message[1:]


def of_http(_request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer what the framework refused: no such path, another method, too large ..."""
    kept = {
        name: value
        for name, value in (error.headers or {}).items()
        if name.lower() in ("allow", "retry-after")
    }
    detail = {
        404: "there is nothing at this path",
        405: "the path does not take this method",
        413: "the body is larger than 1 MB",
    }.get(error.status_code, error.detail if error.status_code < 500 else "")  # noqa: PLR2004
    return problem(error.status_code, detail, headers=kept)


def of_database(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer while the database cannot: too many waiting, away, or another got there first."""
    if isinstance(error, psycopg.DataError):
        return problem(400, "a value cannot be stored (a zero octet, or out of range)")
    if isinstance(error, psycopg.OperationalError | PoolTimeout | TooManyRequests):
        _log.warning("database unavailable", error=type(error).__name__, path=request.url.path)
        return problem(503, "busy; try again shortly", headers={"Retry-After": str(_RETRY_AFTER)})
    return of_anything(request, error)


def of_anything(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer what should not have happened; its cause goes to the log alone."""
    _log.error(
        "request failed",
        method=request.method,
        path=request.url.path,
        error=type(error).__name__,
        exc_info=error,
    )
    return problem(500, "something went wrong here; it has been logged")


HANDLERS: dict[Any, Any] = {
    DomainError: of_domain,
    Unprocessable: of_unprocessable,
    Unauthenticated: of_caller,
    NotJson: of_media_type,
    msgspec.DecodeError: of_body,
    ValidationException: of_parameters,
    HTTPException: of_http,
    psycopg.Error: of_database,
    PoolTimeout: of_database,
    TooManyRequests: of_database,
    Exception: of_anything,
}
