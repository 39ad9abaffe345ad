"""An ISP of a few lines for the lab's NAS: it knows Ana, and says yes to all accounting."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from demarc.lab.nas import Nas, Retry, Session
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code, Packet
from demarc.protocols.radius.password import decrypt_pap, verify_chap
from support.radius_server import RadiusServer

SECRET = b"between-us"
ANA = "ana@isp.example"
PASSWORD = "a password of more than one block"
PATIENT = Retry(first=10.0)
"""Never asks twice in a test's time."""
HASTY = Retry(first=0.05, factor=4, longest=5.0)
"""For a server that does not answer at once, or not at all."""


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2024, 3, 10, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Isp:
    """Answers logins and accounting on one port, and says what came."""

    def __init__(self) -> None:
        self.granted: list[tuple[str, Any]] = [("Framed-IP-Address", "100.64.0.9")]
        self.refusal: str | None = None
        self.drop: Callable[[Packet], bool] = lambda _: False
        self.mangle: Callable[[bytes], bytes] = lambda reply: reply
        self.server = RadiusServer(SECRET, self._answer)
        self.address = ("", 0)

    async def start(self) -> None:
        self.address = await self.server.start()

    def stop(self) -> None:
        self.server.stop()

    def nas(self, **options: Any) -> Nas:
        return Nas(
            options.pop("name", "bng-1"),
            options.pop("secret", SECRET),
            self.address,
            self.address,
            **{"retry": PATIENT, "interim_seconds": 0, **options},
        )

    @property
    def logins(self) -> list[Packet]:
        return [each for each in self.server.received if each.code == Code.ACCESS_REQUEST]

    @property
    def reports(self) -> list[Packet]:
        return [each for each in self.server.received if each.code == Code.ACCOUNTING_REQUEST]

    @property
    def statuses(self) -> list[str]:
        attribute = DICTIONARY["Acct-Status-Type"]
        return [attribute.label(each.number(attribute) or 0) for each in self.reports]

    def _answer(self, request: Packet) -> bytes | None:
        if self.drop(request):
            return None
        return self.mangle(self._reply(request))

    def _reply(self, request: Packet) -> bytes:
        if request.code == Code.ACCOUNTING_REQUEST:
            return self.server.reply(request, Code.ACCOUNTING_RESPONSE)
        if self.refusal is None and self._known(request):
            pairs = [(DICTIONARY[name], value) for name, value in self.granted]
            return self.server.reply(request, Code.ACCESS_ACCEPT, *pairs)
        message = (DICTIONARY["Reply-Message"], self.refusal or "wrong password")
        return self.server.reply(request, Code.ACCESS_REJECT, message)

    def _known(self, request: Packet) -> bool:
        if request.text(DICTIONARY["User-Name"]) != ANA:
            return False
        hidden = request.value(DICTIONARY["User-Password"])
        if hidden is None:
            return verify_chap(request, PASSWORD.encode())
        return decrypt_pap(hidden, SECRET, request.authenticator) == PASSWORD.encode()


async def online(nas: Nas, **options: Any) -> Session:
    """Ana, online and accounted for."""
    session = await nas.connect(ANA, PASSWORD, **options)
    assert isinstance(session, Session), session
    await session.accounted(1)
    return session


def of(packet: Packet, name: str) -> Any:
    """The value of the attribute of this name."""
    return packet.get(DICTIONARY[name])
