"""``[[realm.home_server]]``: the servers of an ISP's own AAA, within its realm's table."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from demarc.apply.values import Address, Hidden
from demarc.domains.aaa.certificates import certificate_name
from demarc.domains.aaa.proxying import HomeServer, NewServer

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
_RADSEC_PORT = 2083
_PORTS = {"udp": (1812, 1813), "radsec": (_RADSEC_PORT, _RADSEC_PORT)}


class HomeServerTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A home server; ``auth_port`` and ``acct_port`` are left out where they are the usual ones."""

    name: str
    address: Address
    transport: Literal["udp", "radsec"] = "udp"
    serves: Literal["both", "auth", "acct"] = "both"
    auth_port: Port | None = None
    acct_port: Port | None = None
    secret: Hidden | None = None
    secret_env: str | None = None
    certificate: str | None = None
    priority: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 10
    timeout: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 3
    status_server: bool = True
    require_message_authenticator: Literal["yes", "no", "auto"] = "auto"

    def faults(self) -> Iterator[str]:
        """Say what is wrong beyond the types of single keys."""
        given = (self.secret is not None) + (self.secret_env is not None)
        if self.transport == "udp" and given != 1:
            yield f"{self.name} needs either secret or secret_env"
        if self.transport == "radsec" and given:
            yield f"{self.name} takes no secret: over RadSec its certificate counts"
        if self.transport == "udp" and self.certificate is not None:
            yield f'{self.name} takes a certificate with transport = "radsec" alone'
        ports = {self.auth_port, self.acct_port} - {None}
        if self.transport == "radsec" and len(ports) > 1:
            yield f"{self.name} has one port over RadSec"

    def server(self) -> NewServer:
        """Give it as it is to be."""
        auth, acct = _PORTS[self.transport]
        if self.transport == "radsec":
            auth = acct = self.auth_port or self.acct_port or _RADSEC_PORT
        return NewServer(
            name=self.name,
            address=str(self.address),
            transport=self.transport,
            auth_port=None if self.serves == "acct" else self.auth_port or auth,
            acct_port=None if self.serves == "auth" else self.acct_port or acct,
            secret=None if self.secret is None else str(self.secret),
            certificate=certificate_name(self.certificate),
            priority=self.priority,
            timeout_ms=round(self.timeout * 1000),
            status_server=self.status_server,
            require_message_authenticator=self.require_message_authenticator,
        )


def shown(server: NewServer | HomeServer) -> str:
    """Describe a server on a line, all of it but its secret."""
    described: dict[str, Any] = {
        "transport": server.transport,
        "address": server.address,
        "auth_port": server.auth_port,
        "acct_port": server.acct_port,
        "certificate": server.certificate,
        "priority": server.priority,
        "timeout": server.timeout_ms / 1000,
        "status_server": server.status_server,
        "require_message_authenticator": server.require_message_authenticator,
    }
    return ", ".join(
        [server.name, *(f"{key} {value}" for key, value in described.items() if value is not None)]
    )


__all__ = ["HomeServerTable", "shown"]
