"""A home server as it is asked: every request is settled once, and Identifiers come back."""

import asyncio
from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from demarc.protocols.radius.packet import Code, decode
from demarc.protocols.radius.reply import encode_reply
from demarc.protocols.radius.request import encode_request
from demarc.southbound.radius.proxy.target import Manner, Target
from support.eventually import eventually

SECRET = b"of-the-home-server"
MANNER = Manner(
    name="aaa",
    address="203.0.113.10",
    port=1812,
    secret=SECRET,
    patience=0.004,
    status_server=True,
    signs="auto",
)


class Way:
    """A channel of four Identifiers that goes nowhere."""

    def __init__(self):
        self.free = deque(range(4))
        self.asked = {}
        self.sent = []

    def send(self, octets):
        self.sent.append(octets)

    def close(self):
        pass


class Asked(Target):
    """A home server with two such channels; it comes back only when it answers."""

    def __init__(self, *, repeats=True):
        super().__init__(MANNER)
        self.ways = [Way(), Way()]
        self._channels = list(self.ways)
        self._again = repeats

    @property
    def _repeats(self):
        return self._again

    def _with_room(self):
        return next((way for way in self._channels if way.free), None)

    async def _revive(self):
        await asyncio.Event().wait()

    def lose(self, way):
        self._drop(way)

    def hear(self, way, packet):
        self._received(way, packet)


def build(identifier):
    return encode_request(Code.ACCESS_REQUEST, identifier, b"", SECRET)


def reply_to(octets, secret=SECRET):
    return decode(encode_reply(decode(octets), Code.ACCESS_ACCEPT, b"", secret))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.just(0)),
        st.tuples(st.just("answer"), st.integers(0, 30)),
        st.tuples(st.just("forge"), st.integers(0, 30)),
        st.tuples(st.just("wait"), st.just(0)),
        st.tuples(st.just("lose"), st.integers(0, 1)),
    ),
    max_size=40,
)


class Scenario:
    """Steps on a home server, and how often each request was settled."""

    def __init__(self, *, repeats):
        self.target = Asked(repeats=repeats)
        self.settled = []

    async def ask(self, _):
        mine = len(self.settled)
        self.settled.append(0)

        def answered(_):
            self.settled[mine] += 1

        if not self.target.ask(build, answered):
            self.settled[mine] = 1

    async def answer(self, which, secret=SECRET):
        sent = [(way, octets) for way in self.target.ways for octets in way.sent]
        if sent:
            way, octets = sent[which % len(sent)]
            self.target.hear(way, reply_to(octets, secret))

    async def forge(self, which):
        await self.answer(which, b"another")

    async def wait(self, _):
        await asyncio.sleep(0.002)

    async def lose(self, which):
        self.target.lose(self.target.ways[which])


@settings(max_examples=60)
@given(STEPS, st.booleans())
def test_every_request_is_settled_once_whatever_happens(steps, repeats):
    async def play():
        scenario = Scenario(repeats=repeats)
        target = scenario.target
        for step, which in steps:
            await getattr(scenario, step)(which)
        # what is left is overdue soon
        await eventually(lambda: not target.outstanding)
        assert set(scenario.settled) <= {1}
        for way in target.ways:
            assert sorted(way.free) == [0, 1, 2, 3]
            assert way.asked == {}
        await target.close()

    asyncio.run(play())


async def test_it_is_dead_after_three_silences_and_alive_by_any_answer():
    target = Asked()
    answers = []
    for expected in (True, True, False):
        assert target.ask(build, answers.append)
        await eventually(lambda: not target.outstanding)
        assert target.alive is expected
    assert answers == [None] * 3
    assert target.ask(build, answers.append)
    way = target.ways[0]
    target.hear(way, reply_to(way.sent[-1]))
    assert target.alive
    assert answers[-1].code == Code.ACCESS_ACCEPT
    await target.close()


async def test_an_identifier_rests_as_long_as_others_are_free():
    target = Asked()
    way = target.ways[0]
    used = []
    for _ in range(8):
        target.ask(build, lambda _: None)
        used.append(way.sent[-1][1])
        target.hear(way, reply_to(way.sent[-1]))
    assert used == [0, 1, 2, 3, 0, 1, 2, 3]
    await target.close()
