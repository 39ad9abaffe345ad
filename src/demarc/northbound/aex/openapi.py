"""The API described as OpenAPI 3.1, with the schemas msgspec itself decodes and encodes by."""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from typing import Any, Literal

import msgspec
from litestar import Litestar
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.routes import HTTPRoute

from demarc.northbound.aex import routes, wire
from demarc.northbound.aex.errors import MEDIA_TYPE
from demarc.northbound.aex.request import AexRequest

INTRODUCTION = """
What an ISP integrates to sell services on somebody's fibre, in the form of AEx's provider API;
below `/fno` the owner of the network finds the same services.

Every request carries the bearer token of an API client, or a person's e-mail and password (Basic;
who works for several organisations names one in `X-Demarc-Tenant`, else it is the one on the side
called where they have had a role for longest). What a credential may do is what its role permits.
Errors are problem details (RFC 9457). Lists are `{items, page, count, total}`. A request that
creates may carry an `Idempotency-Key`: sent again with it, it is carried out once and answered
the same. Unknown query parameters are ignored, unknown keys of a body refused.
""".strip()

_HAS_BODY = ("post", "put", "patch")

# Which refusals every operation may meet, and which only some.
_ALWAYS = (401, 403, 429, 500, 503)
_MEANING = {
    400: "The request is malformed; the fields are named.",
    401: "No credential, or no good one.",
    403: "The credential is not for this.",
    404: "There is no such thing for the caller.",
    409: "The state of things does not allow it now.",
    413: "The body is larger than 1 MB.",
    415: "The body is not JSON.",
    422: "Well-formed, but it names something that is not there or does not fit.",
    429: "Too often; Retry-After says when again.",
    500: "Something went wrong here.",
    503: "Busy; Retry-After says when again.",
    504: "The device does not answer.",
}


@cache
def document() -> dict[str, Any]:
    """Give the OpenAPI document."""
    described = Litestar(
        route_handlers=routes.HANDLERS,
        request_class=AexRequest,
        dependencies={"api": Provide(lambda: None, sync_to_thread=False)},
        openapi_config=OpenAPIConfig(
            title="Demarc: AEx provider API",
            version=version("demarc"),
            description=INTRODUCTION,
            use_handler_docstrings=True,
        ),
        logging_config=None,
    )
    made: dict[str, Any] = described.openapi_schema.to_schema()
    handlers = {handler.operation_id: handler for handler in _handlers(described)}
    schemas = _Schemas(handlers.values())
    made["components"] = {
        "schemas": schemas.components,
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer"},
            "person": {"type": "http", "scheme": "basic"},
        },
    }
    made["security"] = [{"token": []}, {"person": []}]
    for path, method, operation in operations(made):
        _parameters(operation)
        _exchange(operation, handlers[operation["operationId"]], schemas)
        _refusals(path, method, operation, schemas.problem)
    return made


def _handlers(app: Litestar) -> Iterator[HTTPRouteHandler]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler, _ in route.route_handler_map.values():
                if handler.operation_id:
                    yield handler


class _Schemas:
    """The schemas of what is sent and answered, as msgspec, which does both, describes them."""

    def __init__(self, handlers: Iterable[HTTPRouteHandler]) -> None:
        types = [wire.Problem]
        self._place: dict[tuple[Any, str], int] = {}
        for handler in handlers:
            for what, kind in (("body", _body(handler)), ("answer", _answer(handler))):
                if kind is not None:
                    self._place[handler.operation_id, what] = len(types)
                    types.append(kind)
        self._schemas, self.components = msgspec.json.schema_components(
            types, ref_template="#/components/schemas/{name}"
        )
        self.problem = self._schemas[0]

    def of(self, handler: HTTPRouteHandler, what: Literal["body", "answer"]) -> Any:
        """Give the schema of a handler's body or answer; None where it has none."""
        place = self._place.get((handler.operation_id, what))
        return None if place is None else self._schemas[place]


def _body(handler: HTTPRouteHandler) -> Any:
    return None if handler.parsed_data_field is None else handler.parsed_data_field.annotation


def _answer(handler: HTTPRouteHandler) -> Any:
    for given in (handler.responses or {}).values():
        return given.data_container
    return handler.parsed_return_field.annotation


def _parameters(operation: dict[str, Any]) -> None:
    """Leave null out of what parameters may be: a URL has no null, only their absence."""
    for parameter in operation.get("parameters", []):
        schema = parameter["schema"]
        choices = [one for one in schema.pop("oneOf", []) if one != {"type": "null"}]
        if len(choices) == 1:
            schema.update(choices[0])
        elif choices:
            schema["oneOf"] = choices


def _exchange(operation: dict[str, Any], handler: HTTPRouteHandler, schemas: _Schemas) -> None:
    """Say what an operation takes and gives."""
    body = schemas.of(handler, "body")
    if body is not None and handler.parsed_data_field is not None:
        operation["requestBody"] = {
            "required": not handler.parsed_data_field.is_optional,
            "content": {"application/json": {"schema": body}},
        }
    status = str(handler.status_code)
    operation["responses"] = {
        status: {
            "description": "Created" if status == "201" else "Done",
            "content": {"application/json": {"schema": schemas.of(handler, "answer")}},
        }
    }


def operations(made: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give (path, method, operation) for all of a document's."""
    for path, item in made["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and "operationId" in operation:
                yield path, method, operation


def _refusals(path: str, method: str, operation: dict[str, Any], problem: dict[str, Any]) -> None:
    """Say how an operation is refused, and what a creating one may carry."""
    responses = operation["responses"]
    refusals = {*_ALWAYS}
    if operation.get("parameters"):
        refusals.add(400)
    if "{" in path:
        refusals.add(404)
    if path.endswith("/details"):
        refusals.add(404)
    if path.endswith("/live"):
        refusals.add(504)
    if method in _HAS_BODY:
        refusals |= {400, 409, 413, 415, 422}
    for status in sorted(refusals):
        answer: dict[str, Any] = {
            "description": _MEANING[status],
            "content": {MEDIA_TYPE: {"schema": problem}},
        }
        if status in (429, 503):
            answer["headers"] = {
                "Retry-After": {"description": "seconds", "schema": {"type": "integer"}}
            }
        if status == 401:  # noqa: PLR2004 - the statuses above
            answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
        responses[str(status)] = answer
    if "201" in responses:
        responses["201"]["headers"] = {
            "Location": {
                "description": "The URL of what was created.",
                "schema": {"type": "string", "format": "uri"},
            }
        }
        operation.setdefault("parameters", []).append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "A key of the client's making, for requests that are sent again.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 200},
            }
        )
