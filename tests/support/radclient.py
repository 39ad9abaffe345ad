"""radclient, FreeRADIUS's own client, as a peer."""

import asyncio
import re
import shutil

import msgspec

MISSING = shutil.which("radclient") is None
WHY = "radclient is not installed (Debian: freeradius-utils)"


class Answer(msgspec.Struct, frozen=True):
    """What radclient printed of the answer, as attribute and value."""

    code: str
    attributes: dict[str, str]


async def ask(
    host: str, port: int, kind: str, secret: str, attributes: dict[str, str | int]
) -> Answer | None:
    """Send one request ("auth", "acct", "disconnect", "status"); None if nobody answered."""
    process = await asyncio.create_subprocess_exec(
        "radclient", "-x", "-r", "2", "-t", "3", f"{host}:{port}", kind, secret,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    lines = "\n".join(f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}"
                      for name, value in attributes.items())  # fmt: skip
    output, _ = await process.communicate(lines.encode())
    return _read(output.decode())


def _read(output: str) -> Answer | None:
    received = re.search(r"Received ([\w-]+) Id", output)
    if received is None:
        return None
    attributes = {}
    for line in output[received.end() :].splitlines():
        found = re.fullmatch(r"\s+([\w-]+) = (.*)", line)
        if found:
            attributes[found[1]] = found[2].strip('"')
    return Answer(received[1], attributes)
