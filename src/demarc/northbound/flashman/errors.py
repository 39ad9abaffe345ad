"""How this API says no: the forms and the words of Flashman's v2 and v3."""

from typing import Any

import msgspec
import psycopg
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from psycopg_pool import PoolTimeout, TooManyRequests

from demarc.domains.errors import DomainError, Forbidden, Limited, NotFound
from demarc.domains.identity.model import Unauthenticated

CHALLENGE = 'Basic realm="Users", charset="UTF-8"'
COMMANDS = "/api/v2/device/command/"

_RETRY_AFTER = 2
_SERVER_ERROR = 500
_log = structlog.get_logger(__name__)

_WORDS = {
    400: "Requisição inválida",
    404: "Caminho não encontrado",
    405: "Método não permitido",
    413: "Corpo da requisição muito grande",
    415: "O corpo da requisição deve ser JSON",
}


class Refused(Exception):
    """A request is refused in this API's own words.

    Attributes:
        status: of HTTP.
        message: for people.
        more: further members of the answer.
    """

    def __init__(self, status: int, message: str, more: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.more = more or {}


def refusal(
    path: str,
    status: int,
    message: str,
    more: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[bytes]:
    """Give an answer that says why not, in the form of the version that the path is of.

    Args:
        path: of the request.
        status: of HTTP.
        message: for people.
        more: further members.
        headers: further headers.
    """
    body: dict[str, Any] = {"success": False, "message": message, **(more or {})}
    if path == "/api/v3" or path.startswith("/api/v3/"):
        body.setdefault("device", {})
    return Response(
        content=msgspec.json.encode(body),
        status_code=status,
        media_type="application/json",
        headers=headers or {},
    )


def of_refused(request: Request[Any, Any, Any], error: Refused) -> Response[bytes]:
    """Answer what a handler refused."""
    return refusal(request.scope["path"], error.status, error.message, error.more)


def of_caller(request: Request[Any, Any, Any], _error: Unauthenticated) -> Response[bytes]:
    """Answer somebody unknown."""
    return refusal(
        request.scope["path"], 401, "Unauthorized", headers={"WWW-Authenticate": CHALLENGE}
    )


def of_domain(request: Request[Any, Any, Any], error: DomainError) -> Response[bytes]:
    """Answer what a use case refused."""
    path = request.scope["path"]
    match error:
        case Forbidden():
            body = {"message": "Permissão negada", "type": "danger"}
            return Response(
                content=msgspec.json.encode(body), status_code=403, media_type="application/json"
            )
        case Limited(retry_after=seconds):
            return refusal(path, 429, "Muitas tentativas", headers={"Retry-After": str(seconds)})
        case NotFound():
            return refusal(path, 404, not_found(path))
        case _:
            return of_anything(request, error)


def not_found(path: str) -> str:
    """Give the words for a device that is not there."""
    if path.startswith("/api/v3"):
        return "Nenhum dispositivo encontrado"
    return "CPE não encontrada"


def of_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer what the framework refused: no such path, another method, too large ..."""
    kept = {
        name: value
        for name, value in (error.headers or {}).items()
        if name.lower() in ("allow", "retry-after")
    }
    words = _WORDS.get(error.status_code, "Erro interno")
    return refusal(request.scope["path"], error.status_code, words, headers=kept)


def of_database(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer while the database cannot: too many waiting, away, or a value it does not take."""
    path = request.scope["path"]
    if isinstance(error, psycopg.DataError):
        return refusal(path, 400, "Requisição inválida")
    if isinstance(error, psycopg.OperationalError | PoolTimeout | TooManyRequests):
        _log.warning("database unavailable", error=type(error).__name__, path=path)
        return refusal(
            path,
            _status(path, 503),
            "Serviço temporariamente indisponível",
            headers={"Retry-After": str(_RETRY_AFTER)},
        )
    return of_anything(request, error)


def of_anything(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer what should not have happened; its cause goes to the log alone."""
    path = request.scope["path"]
    _log.error(
        "request failed",
        method=request.method,
        path=path,
        error=type(error).__name__,
        exc_info=error,
    )
    return refusal(path, _status(path, 500), "Erro interno")


def _status(path: str, status: int) -> int:
    """Give the status of a failure of ours: commands are answered 200 whatever happens."""
    return 200 if path.startswith(COMMANDS) and status >= _SERVER_ERROR else status


HANDLERS: dict[Any, Any] = {
    Refused: of_refused,
    Unauthenticated: of_caller,
    DomainError: of_domain,
    HTTPException: of_http,
    psycopg.Error: of_database,
    PoolTimeout: of_database,
    TooManyRequests: of_database,
    Exception: of_anything,
}
