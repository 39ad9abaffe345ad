"""hostapd as a wired switch and wpa_supplicant as a station, each at an end of a cable.

The station's end lies in a network namespace of its own, so that nothing but the cable joins them.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

MISSING = not (shutil.which("hostapd", path=f"{os.environ['PATH']}:/usr/sbin") and os.geteuid() == 0
               and shutil.which("wpa_supplicant", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
               and shutil.which("ip", path=f"{os.environ['PATH']}:/usr/sbin:/sbin"))  # fmt: skip
WHY = "needs root, iproute2, hostapd and wpa_supplicant"


async def _ip(*arguments: str) -> bool:
    process = await asyncio.create_subprocess_exec(
        "ip", *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    return await process.wait() == 0


class Cable(msgspec.Struct, frozen=True):
    """A cable: the switch's end here, the station's in a namespace."""

    switch: str
    station: str
    namespace: str


@contextlib.asynccontextmanager
async def cable() -> AsyncIterator[Cable | None]:
    """Lay a cable; None where this machine does not let anybody."""
    mark = secrets.token_hex(3)
    laid = Cable(f"dms{mark}", f"dmu{mark}", f"dm-{mark}")
    try:
        steps = (
            ("netns", "add", laid.namespace),
            ("link", "add", laid.switch, "type", "veth", "peer", "name", laid.station),
            ("link", "set", laid.station, "netns", laid.namespace),
            ("link", "set", laid.switch, "up"),
            ("-n", laid.namespace, "link", "set", laid.station, "up"),
        )
        for step in steps:
            if not await _ip(*step):
                yield None
                return
        yield laid
    finally:
        await _ip("link", "del", laid.switch)
        await _ip("netns", "del", laid.namespace)


class Program:
    """A program that runs until it is told to end, and what it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.printed = ""
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        stream = self._process.stdout
        while stream is not None and (line := await stream.readline()):
            self.printed += line.decode(errors="replace")

    async def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        await self._process.wait()
        await self._reading


@contextlib.asynccontextmanager
async def program(*command: str) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
    )
    running = Program(process)
    try:
        yield running
    finally:
        await running.end()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def switch(
    laid: Cable, folder: Path, *, auth: int, acct: int, das: int, secret: str
) -> AsyncIterator[Program]:
    """Run hostapd on the cable; the ports are those of RADIUS, and its own for Disconnect."""
    configuration = folder / "hostapd.conf"
    configuration.write_text(
        f"""
        interface={laid.switch}
        driver=wired
        logger_stdout=-1
        logger_stdout_level=0
        ieee8021x=1
        use_pae_group_addr=1
        eap_reauth_period=0
        own_ip_addr=127.0.0.1
        nas_identifier=switch-1
        auth_server_addr=127.0.0.1
        auth_server_port={auth}
        auth_server_shared_secret={secret}
        acct_server_addr=127.0.0.1
        acct_server_port={acct}
        acct_server_shared_secret={secret}
        radius_acct_interim_interval=60
        radius_das_port={das}
        radius_das_client=127.0.0.1 {secret}
        radius_das_require_event_timestamp=1
        radius_das_require_message_authenticator=1
        """.replace("        ", "")
    )
    async with program("hostapd", "-d", str(configuration)) as running:
        yield running


@contextlib.asynccontextmanager
async def station(laid: Cable, folder: Path, *network: str) -> AsyncIterator[Program]:
    """Run wpa_supplicant at the other end, with the lines of a network block."""
    configuration = folder / "supplicant.conf"
    lines = "\n".join(network)
    configuration.write_text(
        f"ap_scan=0\nnetwork={{\nkey_mgmt=IEEE8021X\neapol_flags=0\n{lines}\n}}\n"
    )
    command = ("wpa_supplicant", "-D", "wired", "-i", laid.station, "-c", str(configuration))
    async with program("ip", "netns", "exec", laid.namespace, *command) as running:
        yield running
