"""A RADIUS load generator: a process of its own, 64 sockets in one epoll, a closed loop.

Each socket keeps so many requests under way; an answer has the next one sent. Datagrams are made
before the clock starts. Every answer's identifier and code are checked, and of a sample all that
the codec can check. What is not answered in two seconds counts as lost and is not sent again.
"""

import select
import socket
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Literal

import msgspec

from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import decode
from demarc.protocols.radius.request import verify_response
from load import packets, subscriber
from load.phases import Phase, Result, carry_out, histogram, percentiles

_LOST_AFTER = 2_000_000_000
_LOOK_EVERY = 250_000_000
_SETTLE = 3.0
_BUFFER = 1 << 20
_CLASS, _USER_NAME = DICTIONARY["Class"], DICTIONARY["User-Name"]
_DEEP = 512
"""Requests a socket has at least, so that none comes again under an Identifier just used."""


class Orders(msgspec.Struct, frozen=True):
    """What to send.

    Attributes:
        subscribers: numbers 0 and on are used.
        window: requests under way on each socket.
        prepared: accounting requests made ahead; each is sent once.
        began: accounting: when the sessions began that live already, seconds since 1970.
        login_port: accounting: log everybody in there first, and send the Class that was given.
        reject_every: one in so many Access-Requests has a wrong password; 0: none.
        verify_every: one in so many answers is checked by the codec; 0: none.
        plain: all sockets on 127.0.0.1, for a responder that does not know NASes.
    """

    kind: Literal["auth", "acct"]
    host: str
    port: int
    subscribers: int
    window: int
    phases: list[Phase]
    prepared: int = 0
    began: int = 0
    login_port: int = 0
    reject_every: int = 20
    verify_every: int = 256
    plain: bool = False


Request = tuple[bytes, int]
"""A datagram and the code that must answer it."""


class Port:
    """One socket: what it sends, and what of it is under way by Identifier."""

    __slots__ = ("expected", "issued", "lost", "requests", "sent_at", "sock", "under_way")

    def __init__(self, sock: socket.socket, requests: Iterator[Request]) -> None:
        self.sock = sock
        self.requests = requests
        self.sent_at = [0] * 256
        self.expected: list[Request | None] = [None] * 256
        self.under_way = 0
        self.issued = 0
        self.lost = 0

    def issue(self) -> bool:
        """Send the next request; False if there is none left."""
        following = next(self.requests, None)
        if following is None:
            return False
        identifier = following[0][1]
        if self.expected[identifier] is None:
            self.under_way += 1
        else:
            self.lost += 1
        self.expected[identifier] = following
        self.issued += 1
        self.sent_at[identifier] = time.perf_counter_ns()
        try:
            self.sock.send(following[0])
        except OSError:
            # refused for now: it gets no answer and counts as lost
            return True
        return True

    def give_up(self, now: int) -> int:
        """Count what has waited for too long as lost; give how many there were."""
        before = self.lost
        if self.under_way:
            for identifier, request in enumerate(self.expected):
                if request is not None and now - self.sent_at[identifier] > _LOST_AFTER:
                    self.expected[identifier] = None
                    self.under_way -= 1
                    self.lost += 1
        return self.lost - before


def access_requests(orders: Orders) -> list[Iterator[Request]]:
    """Prepare Access-Requests for each socket; they go round for good."""
    make = packets.AccessRequests(subscriber.NAS_SECRET)
    found: list[Iterator[Request]] = []
    place = 0
    for port in range(subscriber.PORTS):
        mine = range(port, orders.subscribers, subscriber.PORTS)
        made: list[Request] = []
        for at, n in enumerate(islice(cycle(mine), max(len(mine), _DEEP))):
            place += 1
            wrong = bool(orders.reject_every) and place % orders.reject_every == 0
            datagram = make.encode(n, at & 255, chap=bool((at + at // len(mine)) & 1), wrong=wrong)
            made.append((datagram, packets.ACCESS_REJECT if wrong else packets.ACCESS_ACCEPT))
        found.append(cycle(made))
    return found


def accounting_requests(orders: Orders) -> list[Iterator[Request]]:
    """Prepare the accounting of the sockets' subscribers, in rounds, each packet once."""
    classes = classes_given(orders) if orders.login_port else {}
    found: list[Iterator[Request]] = []
    for port in range(subscriber.PORTS):
        mine = range(port, orders.subscribers, subscriber.PORTS)
        made: list[Request] = []
        for at in range(orders.prepared // subscriber.PORTS):
            turn, which = divmod(at, len(mine))
            session, place = packets.Life.at(mine[which], turn)
            datagram = packets.accounting_request(
                subscriber.NAS_SECRET,
                mine[which],
                at & 255,
                session=session,
                place=place,
                at=orders.began + (session * subscriber.CYCLE + place) * subscriber.INTERIM,
                class_=classes.get(mine[which]),
            )
            made.append((datagram, packets.ACCOUNTING_RESPONSE))
        found.append(iter(made))
    return found


def classes_given(orders: Orders) -> dict[int, bytes]:
    """Log every subscriber in; give the Class of each Accept (RFC 2865, 5.25)."""
    found: dict[int, bytes] = {}

    def keep(request: bytes, reply: bytes) -> None:
        given = decode(reply).value(_CLASS)
        login = decode(request).value(_USER_NAME)
        if given is not None and login is not None:
            found[subscriber.number(login)] = given

    login = msgspec.structs.replace(
        orders, kind="auth", port=orders.login_port, window=2, reject_every=0, verify_every=0
    )
    generator = Generator(login, keep)
    result = generator.run(
        Phase("login", requests=max(orders.subscribers, _DEEP * subscriber.PORTS))
    )
    generator.close()
    # who got no answer is known by name
    if result.wrong or len(found) < orders.subscribers // 2:
        raise RuntimeError(f"subscribers cannot log in: {result.answers}, {result.wrong} wrong")
    # what was answered is being recorded still
    time.sleep(_SETTLE)
    return found


class Generator:
    """Sends over its sockets and takes the answers.

    Args:
        orders: what to send.
        keep: given every request with its answer.
    """

    def __init__(self, orders: Orders, keep: Callable[[bytes, bytes], None] | None = None) -> None:
        self._orders = orders
        self._keep = keep
        make = access_requests if orders.kind == "auth" else accounting_requests
        self._poll = select.epoll()
        self._ports: list[Port] = []
        self._by_fd: dict[int, Port] = {}
        for at, requests in enumerate(make(orders)):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            nas = subscriber.nas_of_port(at)
            sock.bind(("127.0.0.1" if orders.plain else subscriber.nas_address(nas), 0))
            sock.connect((orders.host, orders.port))
            sock.setblocking(False)
            port = Port(sock, requests)
            self._ports.append(port)
            self._by_fd[sock.fileno()] = port
            self._poll.register(sock.fileno(), select.EPOLLIN)

    def close(self) -> None:
        """Close the sockets."""
        self._poll.close()
        for port in self._ports:
            port.sock.close()

    # in one piece: a call for each answer would cost as much as the rest
    def run(self, phase: Phase) -> Result:  # noqa: C901, PLR0912, PLR0915
        """Send until the phase is over, then wait for what is under way."""
        clock = time.perf_counter_ns
        by_fd, verify_every, keep = self._by_fd, self._orders.verify_every, self._keep
        budget = phase.requests or sys.maxsize
        latencies: list[int] = []
        answers: dict[int, int] = {}
        answered = wrong = stray = verified = errors = 0
        sending, ran_out = True, False
        lost_before = sum(port.lost for port in self._ports)
        cpu = time.process_time()
        begun = latest = clock()
        stopped, in_time = begun, 0
        end = begun + int(phase.seconds * 1e9) if phase.seconds else sys.maxsize
        look = begun + _LOOK_EVERY
        first = (port for _ in range(self._orders.window) for port in self._ports)
        sent = sum(port.issue() for port in islice(first, min(budget, 256 * len(self._ports))))
        while True:
            for fd, _ in self._poll.poll(0.05, 64):
                port = by_fd[fd]
                try:
                    reply = port.sock.recv(4096)
                except OSError:
                    errors += 1
                    continue
                latest = clock()
                identifier = reply[1]
                request = port.expected[identifier]
                if request is None:
                    stray += 1
                    continue
                port.expected[identifier] = None
                port.under_way -= 1
                answered += 1
                latencies.append(latest - port.sent_at[identifier])
                code = reply[0]
                answers[code] = answers.get(code, 0) + 1
                if code != request[1]:
                    wrong += 1
                elif verify_every and answered % verify_every == 0:
                    verified += 1
                    wrong += not is_genuine(reply, request[0])
                if keep is not None:
                    keep(request[0], reply)
                if sending and sent < budget:
                    if port.issue():
                        sent += 1
                    else:
                        ran_out = True
            now = clock()
            if sending and (now >= end or sent >= budget or ran_out):
                sending, stopped, in_time = False, now, answered
            if now >= look:
                look = now + _LOOK_EVERY
                for port in self._ports:
                    for _ in range(port.give_up(now)):
                        if sending and sent < budget and port.issue():
                            sent += 1
            if not sending and not any(port.under_way for port in self._ports):
                break
        if phase.requests and sent >= budget:
            # all of it is the measure, the last answer too
            stopped, in_time = latest, answered
        seconds = (stopped - begun) / 1e9
        return Result(
            name=phase.name,
            seconds=round(seconds, 3),
            rate=round(in_time / seconds, 1),
            sent=sent,
            answered=answered,
            answers={str(code): count for code, count in sorted(answers.items())},
            lost=sum(port.lost for port in self._ports) - lost_before,
            wrong=wrong,
            stray=stray,
            verified=verified,
            errors=errors,
            cpu_seconds=round(time.process_time() - cpu, 3),
            ran_out=ran_out,
            turns=[port.issued for port in self._ports],
            latency=percentiles(latencies),
            histogram=histogram(latencies),
        )


def is_genuine(reply: bytes, request: bytes) -> bool:
    """Have the codec check an answer: authenticators, and that Access replies are signed."""
    try:
        verify_response(
            decode(reply), request, subscriber.NAS_SECRET, require_message_authenticator=True
        )
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not genuine
        return False
    return True


def main() -> None:
    """Carry out the orders."""
    orders = msgspec.json.decode(sys.stdin.readline(), type=Orders)
    generator = Generator(orders)
    carry_out(orders.phases, generator.run)


if __name__ == "__main__":
    main()
