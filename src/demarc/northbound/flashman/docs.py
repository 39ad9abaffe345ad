"""``/docs/flashman``: the API described, as OpenAPI and as a page. Nothing comes from elsewhere."""

from functools import cache
from html import escape

import msgspec
from litestar import Response, get

from demarc.northbound.flashman.openapi import INTRODUCTION, document, operations
from demarc.northbound.flashman.validation import RULES


@get("/docs/flashman/openapi.json", include_in_schema=False, sync_to_thread=False)
def openapi_json() -> Response[bytes]:
    """Give the OpenAPI document."""
    return Response(msgspec.json.encode(document()), media_type="application/json")


@get("/docs/flashman", include_in_schema=False, sync_to_thread=False)
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
    parts.append('<p><a href="/docs/flashman/openapi.json">openapi.json</a></p>')
    for path, method, operation in operations(made):
        parts += [
            f'<details id="{escape(operation["operationId"])}">',
            f"<summary><b>{method.upper()}</b> <code>{escape(path)}</code>",
            f"{escape(operation['summary'])}</summary>",
            f"<p>{_marked(operation['description'])}</p>",
        ]
        if "requestBody" in operation:
            fields = ", ".join(f"<code>{escape(name)}</code>" for name in RULES)
            parts.append(f"<p><code>content</code>: {fields}</p>")
        answers = operation["responses"].items()
        parts += [f"<p>{status}: {escape(each['description'])}</p>" for status, each in answers]
        parts.append("</details>")
    return "\n".join(parts)


def _marked(text: str) -> str:
    """Give text with its words in backquotes marked as code."""
    pieces = escape(text.replace("``", "`")).split("`")
    return "".join(f"<code>{one}</code>" if at % 2 else one for at, one in enumerate(pieces))


_HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Demarc: Flashman API</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #1d2733; background: #fff }
details { border: 1px solid #d5dce4; border-radius: 4px; margin: .4rem 0; padding: .4rem .8rem }
summary { cursor: pointer } summary b { display: inline-block; min-width: 3.5rem; color: #0b6 }
code { font-size: .92em }
@media (prefers-color-scheme: dark) { body { color: #dde4ea; background: #161b21 }
  details { border-color: #3a444f } a { color: #7bf } }
</style>"""

HANDLERS = [openapi_json, openapi_page]
