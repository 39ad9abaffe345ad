"""An HTTP load generator: so many connections in one epoll, each with one request under way.

Of an answer no more is read than its status and length; a sample is parsed and held against what
was asked. A connection that the server closes is opened again, its request counts as lost.
"""

import random
import select
import socket
import sys
import time
from typing import Literal

import msgspec

from load import subscriber
from load.phases import Phase, Result, carry_out, histogram, percentiles

_PAGE = 20
_STUCK_AFTER = 10_000_000_000


class Orders(msgspec.Struct, frozen=True):
    """What to ask for.

    Attributes:
        kind: "one" is GET /services/{id}; "page" a page of 20 services, "deep" one anywhere in
            the list, both GET /services.
        token: the bearer token.
        subscribers: as many services there are.
        pages: "page" asks for the first so many pages.
        verify_every: one in so many answers is parsed; 0: none.
    """

    kind: Literal["one", "page", "deep"]
    host: str
    port: int
    token: str
    subscribers: int
    connections: int
    phases: list[Phase]
    pages: int = 5
    verify_every: int = 64


class Connection:
    """One connection and its request under way."""

    __slots__ = ("asked", "received", "sent_at", "sock")

    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.create_connection(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)
        self.received = b""
        self.asked = ""
        self.sent_at = 0


class Generator:
    """Asks over its connections and takes the answers."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._random = random.Random(7)
        self._poll = select.epoll()
        self._open: dict[int, Connection] = {}
        self._rest = (
            f" HTTP/1.1\r\nHost: {orders.host}:{orders.port}\r\n"
            f"Authorization: Bearer {orders.token}\r\nAccept: application/json\r\n\r\n"
        ).encode()
        self._issued = 0
        for _ in range(orders.connections):
            self._connect()

    def _connect(self) -> Connection:
        connection = Connection((self._orders.host, self._orders.port))
        self._open[connection.sock.fileno()] = connection
        self._poll.register(connection.sock.fileno(), select.EPOLLIN)
        return connection

    def _path(self) -> str:
        orders = self._orders
        if orders.kind == "one":
            n = self._random.randrange(orders.subscribers)
            return f"/services/{subscriber.entity('service', n)}"
        pages = max(1, orders.subscribers // _PAGE)
        if orders.kind == "page":
            pages = min(pages, orders.pages)
        return f"/services?page={self._random.randrange(pages) + 1}&page_size={_PAGE}"

    def _ask(self, connection: Connection) -> None:
        connection.asked = self._path()
        connection.received = b""
        self._issued += 1
        connection.sent_at = time.perf_counter_ns()
        connection.sock.send(b"GET " + connection.asked.encode() + self._rest)

    # in one piece: a call for each answer would cost as much as the rest
    def run(self, phase: Phase) -> Result:  # noqa: C901, PLR0912, PLR0915
        """Ask until the phase is over, then wait for what is under way."""
        clock = time.perf_counter_ns
        verify_every = self._orders.verify_every
        budget = phase.requests or sys.maxsize
        latencies: list[int] = []
        answers: dict[str, int] = {}
        answered = lost = wrong = verified = in_time = 0
        sending = True
        cpu = time.process_time()
        begun = latest = stopped = clock()
        end = begun + int(phase.seconds * 1e9) if phase.seconds else sys.maxsize
        under_way = set(list(self._open)[:budget])
        sent = len(under_way)
        for fd in under_way:
            self._ask(self._open[fd])
        while under_way:
            for fd, _ in self._poll.poll(0.05, 64):
                connection = self._open[fd]
                try:
                    chunk = connection.sock.recv(1 << 18)
                except OSError:
                    chunk = b""
                if not chunk:
                    lost += fd in under_way
                    connection = self._replace(fd, under_way)
                else:
                    connection.received += chunk
                    whole = _whole(connection.received)
                    if whole is None:
                        continue
                    latest = clock()
                    under_way.discard(fd)
                    answered += 1
                    latencies.append(latest - connection.sent_at)
                    status = connection.received[9:12].decode()
                    answers[status] = answers.get(status, 0) + 1
                    if status != "200":
                        wrong += 1
                    elif verify_every and answered % verify_every == 0:
                        verified += 1
                        wrong += not self._is_right(connection.asked, whole)
                if sending and sent < budget:
                    sent += 1
                    under_way.add(connection.sock.fileno())
                    self._ask(connection)
            now = clock()
            if sending and (now >= end or sent >= budget):
                sending, stopped, in_time = False, now, answered
            if not sending and now - stopped > _STUCK_AFTER:
                lost += len(under_way)
                break
        if phase.requests:
            stopped, in_time = latest, answered
        seconds = (stopped - begun) / 1e9
        return Result(
            name=phase.name,
            seconds=round(seconds, 3),
            rate=round(in_time / seconds, 1),
            sent=sent,
            answered=answered,
            answers=answers,
            lost=lost,
            wrong=wrong,
            stray=0,
            verified=verified,
            errors=0,
            cpu_seconds=round(time.process_time() - cpu, 3),
            ran_out=False,
            turns=[self._issued],
            latency=percentiles(latencies),
            histogram=histogram(latencies),
        )

    def _replace(self, fd: int, under_way: set[int]) -> Connection:
        under_way.discard(fd)
        self._poll.unregister(fd)
        self._open.pop(fd).sock.close()
        return self._connect()

    def _is_right(self, asked: str, body: bytes) -> bool:
        """Hold an answer against its question."""
        found = msgspec.json.decode(body)
        if self._orders.kind == "one":
            return bool(found["id"] == asked.rpartition("/")[2])
        expected = min(_PAGE, self._orders.subscribers)
        right = found["count"] == len(found["items"]) == expected
        return bool(right and found["total"] == self._orders.subscribers)


def _whole(received: bytes) -> bytes | None:
    """Give the body once all of it is there."""
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return None
    place = received.lower().find(b"content-length:", 0, head)
    if place < 0:
        raise RuntimeError("an answer without its length")
    length = int(received[place + 15 : received.index(b"\r\n", place)])
    body = received[head + 4 :]
    return body if len(body) >= length else None


def main() -> None:
    """Carry out the orders."""
    orders = msgspec.json.decode(sys.stdin.readline(), type=Orders)
    generator = Generator(orders)
    carry_out(orders.phases, generator.run)


if __name__ == "__main__":
    main()
