"""``/docs/aex``: the API described, as OpenAPI and as a page. Nothing is loaded from elsewhere."""

import json
from functools import cache
from html import escape
from typing import Any

import msgspec
from litestar import Response, get

from demarc.northbound.aex.openapi import INTRODUCTION, document, operations


@get("/docs/aex/openapi.json", include_in_schema=False, sync_to_thread=False)
def openapi_json() -> Response[bytes]:
    """Give the OpenAPI document."""
    return Response(msgspec.json.encode(document()), media_type="application/json")


@get("/docs/aex", include_in_schema=False, sync_to_thread=False)
def openapi_page() -> Response[bytes]:
    """Give a page to read, which needs nothing but itself."""
    return Response(
        _page().encode(),
        media_type="text/html",
        headers={
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
            "X-Content-Type-Options": "nosniff",
        },
    )


@cache
def _page() -> str:
    made = document()
    parts = [_HEAD, f"<h1>{escape(made['info']['title'])}</h1>"]
    parts += [f"<p>{_marked(text)}</p>" for text in INTRODUCTION.split("\n\n")]
    parts.append('<p><a href="/docs/aex/openapi.json">openapi.json</a></p>')
    parts += [
        _operation(made, path, method, operation) for path, method, operation in operations(made)
    ]
    return "\n".join(parts)


def _operation(made: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> str:
    parts = [
        f'<details id="{escape(operation["operationId"])}">',
        f"<summary><b>{method.upper()}</b> <code>{escape(path)}</code>",
        f"{escape(operation.get('summary', ''))}</summary>",
        f"<p>{_marked(operation.get('description', ''))}</p>",
    ]
    if parameters := operation.get("parameters"):
        parts.append("<table><tr><th>parameter<th>in<th>type<th></tr>")
        parts += [
            f"<tr><td><code>{escape(one['name'])}</code><td>{one['in']}"
            f"<td>{escape(_kind(made, one.get('schema', {})))}"
            f"<td>{escape(one.get('description') or '')}</tr>"
            for one in parameters
        ]
        parts.append("</table>")
    if body := operation.get("requestBody"):
        schema = next(iter(body["content"].values()))["schema"]
        parts.append(f"<h4>request</h4><pre>{escape(_shape(made, schema))}</pre>")
    for status, answer in operation["responses"].items():
        content = answer.get("content") or {}
        schema = next(iter(content.values()))["schema"] if content else None
        parts.append(f"<h4>{status} {escape(answer.get('description', ''))}</h4>")
        if schema is not None and int(status) < 300:  # noqa: PLR2004 - successes
            parts.append(f"<pre>{escape(_shape(made, schema))}</pre>")
    parts.append("</details>")
    return "\n".join(parts)


def _marked(text: str) -> str:
    """Give text with its words in backquotes marked as code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{one}</code>" if at % 2 else one for at, one in enumerate(pieces))


def _resolve(made: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: dict[str, Any] = made["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def _shape(made: dict[str, Any], schema: dict[str, Any]) -> str:
    """Give a schema as JSON with the types in place of values."""
    return json.dumps(_example(made, schema), indent=2, ensure_ascii=False)


def _example(made: dict[str, Any], schema: dict[str, Any]) -> Any:
    schema = _resolve(made, schema)
    if properties := schema.get("properties"):
        return {name: _example(made, one) for name, one in properties.items()}
    if items := schema.get("items"):
        return [_example(made, items)]
    for one in schema.get("oneOf") or schema.get("anyOf") or []:
        if "$ref" in one:
            return _example(made, one)
    return _kind(made, schema)


def _kind(made: dict[str, Any], schema: dict[str, Any]) -> str:
    schema = _resolve(made, schema)
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if choices := schema.get("oneOf") or schema.get("anyOf"):
        return " | ".join(_kind(made, one) for one in choices)
    kind = schema.get("type", "")
    shown = " | ".join(kind) if isinstance(kind, list) else str(kind)
    return f"{shown} ({schema['format']})" if "format" in schema else shown


_HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Demarc: AEx provider API</title>
<style>
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #1d2733; background: #fff }
details { border: 1px solid #d5dce4; border-radius: 4px; margin: .4rem 0; padding: .4rem .8rem }
summary { cursor: pointer } summary b { display: inline-block; min-width: 3.5rem; color: #0b6 }
pre { background: #f4f6f8; padding: .6rem; overflow: auto } code { font-size: .92em }
table { border-collapse: collapse } td, th { text-align: left; padding: .15rem .8rem .15rem 0 }
h4 { margin: .8rem 0 .2rem }
@media (prefers-color-scheme: dark) { body { color: #dde4ea; background: #161b21 }
  details { border-color: #3a444f } pre { background: #1f262e } a { color: #7bf } }
</style>"""

HANDLERS = [openapi_json, openapi_page]
