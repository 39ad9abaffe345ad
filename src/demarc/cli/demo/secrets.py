"""The demo's own secrets and ports, made once and kept beside its data."""

import os
import socket
from pathlib import Path

import msgspec

from demarc.platform.secrets import generate_password

ADMIN_EMAIL = "admin@metro.example"


class DemoSecrets(msgspec.Struct, frozen=True):
    """What the demo makes up the first time and uses from then on."""

    nas_secret: str
    workbench_secret: str
    community: str
    admin_password: str
    coa_port_1: int
    coa_port_2: int
    olt_port: int
    aex_token: str | None = None
    other_isp_token: str | None = None
    fno_token: str | None = None
    cpe_word: str = ""
    other_cpe_word: str = ""


def load(path: Path) -> DemoSecrets:
    """Read the secrets, or make them up.

    Raises:
        msgspec.DecodeError: the file is not what the demo wrote.
    """
    if path.exists():
        kept = msgspec.json.decode(path.read_bytes(), type=DemoSecrets)
        if kept.cpe_word:
            return kept
        # made before there were CPEs in the demo
        kept = msgspec.structs.replace(kept, **_words())
        save(path, kept)
        return kept
    ports = _free_ports(3)
    made = DemoSecrets(
        nas_secret=generate_password(24),
        workbench_secret=generate_password(16),
        community=generate_password(12),
        admin_password=generate_password(14),
        coa_port_1=ports[0],
        coa_port_2=ports[1],
        olt_port=ports[2],
        **_words(),
    )
    save(path, made)
    return made


def _words() -> dict[str, str]:
    """Make up what each ISP's CPEs know from the factory."""
    return {"cpe_word": generate_password(16), "other_cpe_word": generate_password(16)}


def save(path: Path, secrets: DemoSecrets) -> None:
    """Keep the secrets, for their owner alone."""
    write_private(path, msgspec.json.format(msgspec.json.encode(secrets)))


def write_private(path: Path, content: bytes) -> None:
    """Replace a file as a whole; nobody else may read it."""
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)


def _free_ports(count: int) -> list[int]:
    """Find UDP ports nobody uses now; all are held until the last is found."""
    held = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    try:
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()
