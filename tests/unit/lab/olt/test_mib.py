from hypothesis import given
from hypothesis import strategies as st

from demarc.lab.olt.mib import Instance, MibObject, MibView
from demarc.protocols.snmp.ber import Oid
from demarc.protocols.snmp.values import Integer, Missing

indices = st.lists(st.integers(0, 5), max_size=3).map(tuple)


def view_of(columns: dict[Oid, set[Oid]]) -> MibView:
    return MibView(
        MibObject(oid, tuple(Instance(index, lambda: Integer(1)) for index in rows))
        for oid, rows in columns.items()
    )


def test_what_is_missing_is_missing_in_one_of_two_ways() -> None:
    view = view_of({(1, 3, 6, 1): {(0,)}, (1, 3, 6, 2): set()})
    assert isinstance(view.find((1, 3, 6, 1, 0)), Instance)
    assert view.find((1, 3, 6, 1, 7)) is Missing.NO_SUCH_INSTANCE
    assert view.find((1, 3, 6, 2, 1)) is Missing.NO_SUCH_INSTANCE
    assert view.find((1, 3, 6, 3, 1)) is Missing.NO_SUCH_OBJECT
    assert view.find((1, 3)) is Missing.NO_SUCH_OBJECT


@given(
    st.dictionaries(st.integers(0, 5).map(lambda c: (1, 3, c)), st.sets(indices), max_size=5),
    st.lists(st.integers(0, 6), max_size=5).map(lambda tail: (1, 3, *tail)),
)
def test_the_successor_is_the_least_name_beyond(
    columns: dict[Oid, set[Oid]], asked: tuple[int, ...]
) -> None:
    view = view_of(columns)
    names = sorted((*oid, *index) for oid, rows in columns.items() for index in rows)
    expected = next((name for name in names if name > asked), None)
    found = view.at(view.position_after(asked))
    assert (found[0] if found else None) == expected
    assert len(view) == len(names)
