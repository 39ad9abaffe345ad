"""One session as the device has it: it informs, tells what it has to tell, then answers."""

import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from demarc.lab.cpe.http import Broken, Connection, Head, Login, place_of, whole
from demarc.protocols.cwmp.envelope import Envelope, decode, encode
from demarc.protocols.cwmp.errors import Malformed
from demarc.protocols.cwmp.messages import (
    Fault,
    Inform,
    InformResponse,
    Message,
    TransferComplete,
    TransferCompleteResponse,
)

_LARGEST: Final = 8 * 1024 * 1024
_UNAUTHORISED: Final = 401
_BUSY: Final = 503
_REDIRECTED: Final = frozenset({301, 302, 307, 308})
_DONE: Final = frozenset({200, 202, 204})
_MOST_TRIES: Final = 6


class Later(Exception):
    """The ACS has no time.

    Attributes:
        seconds: when to come again; None if it did not say.
    """

    def __init__(self, seconds: float | None) -> None:
        super().__init__("the ACS is busy")
        self.seconds = seconds


class Refused(Exception):
    """The ACS does not let the device in; its text says how."""


class Trouble(msgspec.Struct):
    """What goes wrong in a device's sessions, for tests.

    Attributes:
        cut_after: posts after which the connection is cut; None for never.
        wrong_cookie: it sends a cookie the ACS did not give.
        twice: after its Inform it goes through another session before it goes on.
        no_answer: requests are answered with an empty post.
        late: called before each post but the first.
    """

    cut_after: int | None = None
    wrong_cookie: bool = False
    twice: bool = False
    no_answer: bool = False
    late: Callable[[], Awaitable[None]] | None = None


class Session:
    """A session.

    Args:
        url: of the ACS.
        login: what the device proves itself with; it keeps challenges from session to session.
        version: of the name space.
        trust: for TLS.
        trouble: what goes wrong.
    """

    def __init__(
        self,
        url: str,
        login: Login,
        *,
        version: str,
        trust: ssl.SSLContext | None = None,
        trouble: Trouble | None = None,
    ) -> None:
        self._url = url
        self._place = place_of(url)
        self._login = login
        self._version = version
        self._trust = trust
        self._trouble = trouble or Trouble()
        self._cookies: dict[str, str] = {}
        self._connection = Connection(self._place, trust=trust)
        self._posts = 0
        self._asked = 0

    async def run(
        self,
        inform: Inform,
        transfers: Sequence[TransferComplete],
        answer: Callable[[Message], Message],
        told: Callable[[TransferComplete], None],
    ) -> None:
        """Go through it.

        Args:
            inform: what it begins with.
            transfers: to be told after that.
            answer: carries out what the ACS asks.
            told: called for each transfer the ACS has taken note of.

        Raises:
            Later: the ACS is busy.
            Refused: it does not let the device in.
            Broken: it broke off.
            Malformed: what the ACS says is no CWMP.
            OSError: the ACS cannot be reached.
        """
        try:
            reply = await self._ask(inform)
            if not isinstance(reply, InformResponse):
                raise Refused(f"the Inform was answered with {_name(reply)}")
            if self._trouble.twice:
                twin = Session(self._url, self._login, version=self._version, trust=self._trust)
                await twin.run(inform, (), answer, told)
            for each in transfers:
                if isinstance(await self._ask(each), TransferCompleteResponse):
                    told(each)
            body = await self._post(b"")
            while body.strip():
                request = decode(body)
                done = answer(request.message)
                if self._trouble.no_answer:
                    body = await self._post(b"")
                    continue
                body = await self._post(
                    encode(Envelope(done, id=request.id, version=self._version))
                )
        finally:
            await self._connection.close()

    async def _ask(self, message: Message) -> Message:
        self._asked += 1
        name = str(self._asked)
        body = await self._post(encode(Envelope(message, id=name, version=self._version)))
        if not body.strip():
            raise Broken("the ACS did not answer")
        envelope = decode(body)
        if envelope.id not in {None, name}:
            raise Malformed("the ACS answered another request")
        return envelope.message

    async def _post(self, body: bytes) -> bytes:
        trouble = self._trouble
        if trouble.cut_after is not None and self._posts >= trouble.cut_after:
            self._connection.drop()
            raise Broken("the line was cut")
        if self._posts and trouble.late is not None:
            await trouble.late()
        self._posts += 1
        challenged = False
        for _ in range(_MOST_TRIES):
            head, content = await self._exchange(body)
            if head.status == _UNAUTHORISED:
                stale = "stale=true" in head.headers.get("www-authenticate", "").lower()
                if (challenged and not stale) or not self._login.challenged(head):
                    raise Refused("the ACS does not take the device's password")
                challenged = True
            elif head.status in _REDIRECTED:
                await self._connection.close()
                self._place = place_of(head.headers.get("location", ""))
                self._connection = Connection(self._place, trust=self._trust)
            elif head.status == _BUSY:
                after = head.headers.get("retry-after", "")
                raise Later(float(after) if after.isdigit() else None)
            elif head.status in _DONE:
                return content
            else:
                raise Broken(f"the ACS answered with {head.status}")
        raise Broken("the ACS sends the device round in circles")

    async def _exchange(self, body: bytes) -> tuple[Head, bytes]:
        connection = self._connection
        target = self._place.target
        headers = {
            "Content-Type": 'text/xml; charset="utf-8"',
            "Content-Length": str(len(body)),
            "SOAPAction": '""',
            "User-Agent": "cwmp",
            **self._login.headers("POST", target),
        }
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self._cookies.items())
        for last in (False, True):
            fresh = not connection.is_open
            if fresh:
                await connection.open()
            try:
                await connection.send_head("POST", target, headers)
                if body:
                    await connection.send(body)
                head = await connection.read_head()
                break
            except (Broken, OSError):
                # a connection that was kept may have been closed meanwhile
                connection.drop()
                if fresh or last:
                    raise
        for name, value in head.cookies.items():
            if value:
                self._cookies[name] = "0" * 40 if self._trouble.wrong_cookie else value
            else:
                self._cookies.pop(name, None)
        return head, await whole(connection, head, most=_LARGEST)


def _name(message: Message) -> str:
    if isinstance(message, Fault):
        return f"fault {message.code} {message.text}"
    return type(message).__name__


__all__ = ["Later", "Refused", "Session", "Trouble"]
