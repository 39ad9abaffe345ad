"""Pages of a list: together they are the list, and each tells how long it is."""

from hypothesis import given
from hypothesis import strategies as st

from demarc.views.paging import paged
from demarc.views.totals import Totals


class Rows:
    """A list of numbers, and what was asked of it."""

    def __init__(self, length):
        self.all = list(range(length))
        self.counted = 0

    async def rows(self, limit, offset):
        return self.all[offset : offset + limit]

    async def count(self):
        self.counted += 1
        return len(self.all)

    async def page(self, number, size):
        return await paged(
            page=number,
            size=size,
            rows=self.rows,
            count=self.count,
            totals=Totals(lambda: 0.0),
            key="rows",
        )


@given(st.integers(0, 50), st.integers(1, 12))
async def test_the_pages_together_are_the_list(length, size):
    given_rows = Rows(length)
    pages = [await given_rows.page(number, size) for number in range(1, length // size + 3)]
    assert [row for page in pages for row in page.items] == given_rows.all
    assert {page.total for page in pages} == {length}
    assert all(len(page.items) <= size for page in pages)


async def test_a_list_is_counted_only_when_the_page_does_not_tell():
    given_rows = Rows(5)
    assert (await given_rows.page(1, 10)).total == 5
    assert (await given_rows.page(2, 3)).total == 5
    assert given_rows.counted == 0
    assert (await given_rows.page(1, 5)).total == 5
    assert (await given_rows.page(9, 5)).total == 5
    assert given_rows.counted == 2


async def test_a_page_far_beyond_the_end_is_empty():
    assert (await Rows(5).page(10**40, 100)).items == []


async def test_a_remembered_total_is_never_less_than_what_is_shown():
    totals = Totals(lambda: 0.0, longer_than=0)

    async def count():
        return 3

    async def rows(limit, offset):
        return list(range(limit))

    await totals.get("rows", count)
    page = await paged(page=1, size=8, rows=rows, count=count, totals=totals, key="rows")
    assert page.total == 8
