"""The API described as OpenAPI 3.1."""

from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from typing import Any

from demarc.northbound.flashman.record import HIDDEN
from demarc.northbound.flashman.routes import HANDLERS
from demarc.northbound.flashman.validation import RULES

INTRODUCTION = """
Subscribers' devices as Flashman's API shows them: found by PPPoE user name, MAC address, serial
number or reference, asked for their state, and set up.

Every request carries the e-mail and password of a person (HTTP Basic). What they may do is what
their role permits; devices of other organisations do not exist for them. Passwords of Wi-Fi and
log-ins are null without the right to see secrets.

A command is answered 200 at once: `success` says that it was accepted, not that the device has
answered. It has when `last_contact` is later than the command. `Link`, and `command` in the body,
lead to how it went and what the device said. Paths are taken with and without a slash at their
end, MAC addresses in any case, with `:` or `-`.
""".strip()

_BODIES = {"flashman.device.update"}
_WHOLE = {"type": "object", "additionalProperties": True}
_MEANING = {
    "401": "No credential, or no good one.",
    "403": "The role does not permit it.",
    "404": "There is no such thing for the caller.",
    "429": "Too often; Retry-After says when again.",
    "500": "A value cannot be taken (errors says which), or something went wrong here.",
}


@cache
def document() -> dict[str, Any]:
    """Give the OpenAPI document."""
    paths: dict[str, dict[str, Any]] = {}
    for handler in HANDLERS:
        [path] = handler.paths
        shown = path.replace(":str}", "}").replace(":uuid}", "}")
        [method] = [each.lower() for each in handler.http_methods if each != "HEAD"]
        paths.setdefault(shown, {})[method] = _operation(handler, path)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Demarc: Flashman API",
            "version": version("demarc"),
            "description": INTRODUCTION,
        },
        "paths": paths,
        "components": {
            "securitySchemes": {"person": {"type": "http", "scheme": "basic"}},
            "schemas": {
                "Refusal": {
                    "type": "object",
                    "properties": {
                        "success": {"const": False},
                        "message": {"type": "string"},
                        "errors": {"type": "array", "items": _WHOLE},
                        "device": {"type": "object"},
                    },
                    "required": ["message"],
                },
                "Record": _WHOLE | {"description": "A device's record."},
                "Found": {
                    "type": "object",
                    "properties": {
                        "success": {"const": True},
                        "message": {"const": "OK"},
                        "device": _WHOLE
                        | {"description": f"The record, without {', '.join(sorted(HIDDEN))}."},
                    },
                    "required": ["success", "message", "device"],
                },
                "Accepted": {
                    "type": "object",
                    "properties": {
                        "success": {"type": "boolean"},
                        "message": {"type": "string"},
                        "command": {},
                    },
                    "required": ["success"],
                },
                "Change": {
                    "type": "object",
                    "properties": {
                        "content": {"type": "object", "properties": {name: {} for name in RULES}}
                    },
                },
            },
        },
        "security": [{"person": []}],
    }


def operations(made: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give (path, method, operation) for all of a document's."""
    for path, item in made["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _schema(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _operation(handler: Any, path: str) -> dict[str, Any]:
    parameters = [
        {
            "name": part[1:-1].partition(":")[0],
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
        }
        for part in path.split("/")
        if part.startswith("{")
    ]
    v3 = path.startswith("/api/v3")
    if v3:
        parameters.append(
            {
                "name": "fields",
                "in": "query",
                "required": False,
                "description": "Members to give, parted by `;`, with `.` for those within.",
                "schema": {"type": "string"},
            }
        )
    kind = "Found" if v3 else "Accepted" if "/command/" in path else "Record"
    responses = {"200": {"description": "Done", "content": _schema(kind)}}
    statuses = _MEANING if "/command/" not in path or "{msg" not in path else ("401", "403", "429")
    for status in statuses:
        responses[status] = {"description": _MEANING[status], "content": _schema("Refusal")}
    operation: dict[str, Any] = {
        "operationId": handler.operation_id,
        "summary": handler.summary,
        "description": " ".join((handler.fn.__doc__ or "").split()),
        "parameters": parameters,
        "responses": responses,
    }
    if handler.operation_id in _BODIES:
        operation["requestBody"] = {"required": False, "content": _schema("Change")}
    return operation
