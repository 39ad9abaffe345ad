"""Totals of long lists are remembered for a while, those of short ones never."""

from demarc.views.totals import Totals


class Counting:
    def __init__(self, total):
        self.total = total
        self.times = 0

    async def __call__(self):
        self.times += 1
        return self.total


async def test_a_short_list_is_counted_every_time():
    totals, short = Totals(lambda: 0.0, longer_than=10), Counting(10)
    assert [await totals.get("k", short) for _ in range(3)] == [10, 10, 10]
    assert short.times == 3


async def test_a_long_list_is_counted_again_when_its_total_is_old():
    now = 0.0
    totals, long = Totals(lambda: now, longer_than=10, max_age=30), Counting(11)
    assert await totals.get("k", long) == 11
    long.total, now = 12, 29.9
    assert await totals.get("k", long) == 11
    now = 30.0
    assert await totals.get("k", long) == 12
    assert long.times == 2


async def test_a_list_that_became_short_is_no_longer_remembered():
    now = 0.0
    totals, one = Totals(lambda: now, longer_than=10, max_age=30), Counting(11)
    await totals.get("k", one)
    one.total, now = 3, 31.0
    assert await totals.get("k", one) == 3
    one.total = 4
    assert await totals.get("k", one) == 4


async def test_lists_are_apart_and_no_more_are_kept_than_allowed():
    totals = Totals(lambda: 0.0, longer_than=0, keep=2)
    lists = {name: Counting(at) for at, name in enumerate("abc", 1)}
    for name, one in lists.items():
        await totals.get(name, one)
    assert [await totals.get(name, one) for name, one in reversed(lists.items())] == [3, 2, 1]
    assert [one.times for one in lists.values()] == [2, 1, 1]
