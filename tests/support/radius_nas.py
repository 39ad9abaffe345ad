"""A NAS of the tests: asks with our codec, from a socket of its own, and waits for the answer."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code, Packet, decode
from demarc.protocols.radius.password import chap_response
from demarc.protocols.radius.request import encode_request, verify_response


class Nas:
    """Asks one server; every answer is verified."""

    def __init__(
        self, server: tuple[str, int], acct: tuple[str, int], secret: str, host: str = "127.0.0.1"
    ) -> None:
        self._auth, self._acct = server, acct
        self.secret = secret.encode()
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.bind((host, 0))
        self._identifier = 0
        self._asked: dict[int, tuple[bytes, asyncio.Future[Packet]]] = {}
        asyncio.get_running_loop().add_reader(self.sock, self._readable)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.sock)
        self.sock.close()

    def _readable(self) -> None:
        data = self.sock.recv(4096)
        packet = decode(data)
        asked = self._asked.get(packet.identifier)
        if asked is not None and not asked[1].done():
            verify_response(packet, asked[0], self.secret)
            asked[1].set_result(packet)

    def send(self, code: Code, pairs: Sequence[tuple[str, Any]], *, signed: bool = True) -> bytes:
        self._identifier = (self._identifier + 1) % 256
        octets = encode_request(
            code,
            self._identifier,
            [(DICTIONARY[name], value) for name, value in pairs],
            self.secret,
            message_authenticator=signed,
        )
        self.send_octets(octets)
        return octets

    def send_octets(self, octets: bytes) -> None:
        self._asked[octets[1]] = (octets, asyncio.get_running_loop().create_future())
        target = self._acct if octets[0] == Code.ACCOUNTING_REQUEST else self._auth
        self.sock.sendto(octets, target)

    async def answer(self, octets: bytes, seconds: float = 10) -> Packet:
        """Wait for the answer to what was sent."""
        async with asyncio.timeout(seconds):
            return await self._asked[octets[1]][1]

    def answered(self, octets: bytes) -> bool:
        """Tell whether what was sent has its answer."""
        return self._asked[octets[1]][1].done()

    async def ask(self, code: Code, pairs: Sequence[tuple[str, Any]]) -> Packet:
        """Ask, and again each second as NASes do, for ten seconds at most."""
        octets = self.send(code, pairs)
        waiting = self._asked[octets[1]][1]
        for _ in range(10):
            done, _ = await asyncio.wait({waiting}, timeout=1)
            if done:
                return waiting.result()
            target = self._acct if code == Code.ACCOUNTING_REQUEST else self._auth
            self.sock.sendto(octets, target)
        raise TimeoutError("the server does not answer")

    async def login(
        self, username: str, password: str, *, station: str | None = None, chap: bool = False
    ) -> Packet:
        """Log in by PAP, or by CHAP."""
        pairs: list[tuple[str, Any]] = [("User-Name", username)]
        if chap:
            challenge = b"c" * 16
            response = chap_response(7, password.encode(), challenge)
            pairs += [("CHAP-Password", response), ("CHAP-Challenge", challenge)]
        else:
            pairs.append(("User-Password", password))
        if station is not None:
            pairs.append(("Calling-Station-Id", station))
        return await self.ask(Code.ACCESS_REQUEST, pairs)

    async def account(self, status: str, username: str, session: str, **more: Any) -> Packet:
        """Tell of a session; attributes as keywords, with _ for -."""
        pairs = [
            ("Acct-Status-Type", status),
            ("User-Name", username),
            ("Acct-Session-Id", session),
            *((name.replace("_", "-"), value) for name, value in more.items()),
        ]
        return await self.ask(Code.ACCOUNTING_REQUEST, pairs)
