"""How often something may be done for each of many."""

from uuid import UUID

from demarc.southbound.radius.allowance import Allowance

ONE, OTHER = UUID(int=1), UUID(int=2)


def test_each_has_its_own_number_at_once_and_gets_it_back_within_the_hour():
    allowance = Allowance(10)
    assert [allowance.take(ONE, 0) for _ in range(11)] == [True] * 10 + [False]
    assert allowance.take(OTHER, 0)
    assert not allowance.take(ONE, 300)
    assert allowance.take(ONE, 361)
    assert not allowance.take(ONE, 361)
    assert [allowance.take(ONE, 9999) for _ in range(11)] == [True] * 10 + [False]
