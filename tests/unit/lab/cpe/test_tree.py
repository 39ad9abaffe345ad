"""A device's parameters, whatever is asked of them and in whatever order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from demarc.lab.cpe.model import MODELS, model
from demarc.lab.cpe.schema import BadTree, Draft
from demarc.lab.cpe.tree import Refusal, Tree
from demarc.protocols.cwmp.messages import AttributeChange, ParameterValue

SMALL = """
@ .
Summary r s of {what}
BoxNumberOfEntries r u {count Box}
@ Box.1-2,* +
Name w s1:8 box{#}
Size w u1:9 3
Kind w e:Big_One|Small Small
Secret h s word
Since w t 0001-01-01T00:00:00Z
Open w b 1
@ Box.1.Inside.1,* +
Thing w s in{##}.{#}
@ Box.*.Stats
Count r l 7
@ Fixed.1-3
Port r u {#}
"""


def small(**how) -> Tree:
    draft = Draft("Device.")
    draft.add(SMALL)
    return Tree(draft.schema(), {"what": "a test"}.__getitem__, **how)


def values(tree: Tree, *names: str) -> dict[str, str]:
    return {each.name: each.value for each in tree.values(names or ["Device."])}


def put(tree: Tree, name: str, value: str, kind: str = "string") -> list[str]:
    return tree.set([ParameterValue(f"Device.{name}", value, kind)])


def test_values_are_asked_of_the_device_and_counted() -> None:
    told = values(small())

    assert told["Device.Summary"] == "of a test"
    assert told["Device.BoxNumberOfEntries"] == "2"
    assert told["Device.Box.2.Name"] == "box2"
    assert told["Device.Box.1.Inside.1.Thing"] == "in1.1"
    assert told["Device.Box.1.Secret"] == ""
    assert [told[f"Device.Fixed.{each}.Port"] for each in (1, 2, 3)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("name", "value", "kind", "code"),
    [
        ("Nothing", "1", "string", 9005),
        ("Box.1.Nothing", "1", "string", 9005),
        ("Summary", "1", "string", 9008),
        ("Box.1.Name", "", "string", 9007),
        ("Box.1.Name", "123456789", "string", 9007),
        ("Box.1.Size", "0", "unsignedInt", 9007),
        ("Box.1.Size", "ten", "unsignedInt", 9007),
        ("Box.1.Size", "10", "unsignedInt", 9007),
        ("Box.1.Size", "5", "boolean", 9006),
        ("Box.1.Kind", "Large", "string", 9007),
        ("Box.1.Open", "maybe", "boolean", 9007),
        ("Box.1.Since", "yesterday", "dateTime", 9007),
        ("Box.1.Since", "2026-13-01T00:00:00Z", "dateTime", 9007),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(
    name: str, value: str, kind: str, code: int
) -> None:
    tree = small()
    before = values(tree)
    good = ParameterValue("Device.Box.2.Name", "good")

    with pytest.raises(Refusal) as refused:
        tree.set([good, ParameterValue(f"Device.{name}", value, kind)])

    [fault] = refused.value.fault.parameters
    assert (refused.value.fault.code, fault.name, fault.code) == (9003, f"Device.{name}", code)
    assert values(tree) == before


def test_some_makes_want_each_value_in_its_own_type() -> None:
    assert put(small(), "Box.1.Size", "5") == ["Device.Box.1.Size"]
    with pytest.raises(Refusal):
        put(small(strict=True), "Box.1.Size", "5")


def test_truths_are_kept_as_the_make_writes_them() -> None:
    tree = small(truths=("false", "true"))

    assert tree.get("Device.Box.1.Open") == "true"
    assert put(tree, "Box.1.Open", "1", "boolean") == []
    put(tree, "Box.1.Open", "0", "boolean")
    assert tree.get("Device.Box.1.Open") == "false"


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        small().set([ParameterValue("Device.Box.1.Name", each) for each in "ab"])
    assert refused.value.fault.code == 9003


def test_the_next_level_is_what_stands_directly_below() -> None:
    tree = small()

    def names(path: str, *, next_level: bool = True) -> list[tuple[str, bool]]:
        return [(each.name, each.writable) for each in tree.names(path, next_level=next_level)]

    assert names("") == [("Device.", False)]
    assert names("Device.") == [
        ("Device.Box.", True),
        ("Device.BoxNumberOfEntries", False),
        ("Device.Fixed.", False),
        ("Device.Summary", False),
    ]
    assert names("Device.Box.") == [("Device.Box.1.", True), ("Device.Box.2.", True)]
    # an object that none is in is one all the same
    assert ("Device.Box.2.Inside.", True) in names("Device.Box.2.")
    assert names("Device.Box.2.Inside.") == []
    assert names("Device.Box.1.Name", next_level=False) == [("Device.Box.1.Name", True)]
    for path, next_level in (("Device.Box.1.Name", True), ("Device.None.", False)):
        with pytest.raises(Refusal):
            tree.names(path, next_level=next_level)


def test_objects_come_and_go_with_all_that_is_in_them() -> None:
    tree = small()

    number = tree.add("Device.Box.")
    inner = tree.add(f"Device.Box.{number}.Inside.")
    assert (number, inner) == (3, 1)
    assert values(tree, "Device.Box.3.") == {
        "Device.Box.3.Name": "box3",
        "Device.Box.3.Size": "3",
        "Device.Box.3.Kind": "Small",
        "Device.Box.3.Secret": "",
        "Device.Box.3.Since": "0001-01-01T00:00:00Z",
        "Device.Box.3.Open": "1",
        "Device.Box.3.Stats.Count": "7",
        "Device.Box.3.Inside.1.Thing": "in3.1",
    }
    put(tree, "Box.3.Name", "mine")
    tree.delete("Device.Box.3.")
    with pytest.raises(Refusal):
        values(tree, "Device.Box.3.")
    # a number is not given again
    assert tree.add("Device.Box.") == 4
    tree.delete("Device.Box.1.")
    assert values(tree)["Device.BoxNumberOfEntries"] == "2"
    assert "Device.Box.1.Inside.1.Thing" not in values(tree)


@pytest.mark.parametrize(
    ("path", "code"),
    [("Device.Fixed.", 9001), ("Device.None.", 9005), ("Device.Box.9.Inside.", 9005)],
)
def test_what_cannot_be_added(path: str, code: int) -> None:
    with pytest.raises(Refusal) as refused:
        small().add(path)
    assert refused.value.fault.code == code


@pytest.mark.parametrize(
    ("path", "code"),
    [("Device.Fixed.1.", 9001), ("Device.Box.", 9005), ("Device.Box.7.", 9005)],
)
def test_what_cannot_be_deleted(path: str, code: int) -> None:
    with pytest.raises(Refusal) as refused:
        small().delete(path)
    assert refused.value.fault.code == code


def test_attributes_are_set_for_all_below_a_path() -> None:
    tree = small()
    tree.set_attributes([AttributeChange("Device.Box.1.Inside.", 2, ("Subscriber",))])

    [told] = tree.attributes(["Device.Box.1.Inside."])
    assert (told.notification, told.access_list) == (2, ("Subscriber",))
    assert tree.told_of() == ["Device.Box.1.Inside.1.Thing"]
    with pytest.raises(Refusal):
        tree.set_attributes([AttributeChange("Device.Box.1.Name", 9)])
    with pytest.raises(Refusal):
        tree.attributes(["Device.Nothing"])


def test_a_line_that_is_none_is_named() -> None:
    with pytest.raises(BadTree, match="line 2"):
        Draft("Device.").add("@ Box\nName q s")


@pytest.mark.parametrize("make", MODELS)
def test_every_make_is_whole(make: str) -> None:
    made = model(make)
    tree = Tree(made.schema, lambda _: "1")
    told = values(tree, made.schema.root)
    listed = [each.name for each in tree.names("", next_level=False)]

    assert 500 < len(told) < 5000
    assert set(told) == {each for each in listed if not each.endswith(".")}
    assert len(set(listed)) == len(listed)
    for path in [*made.informs, *(n.ssid for n in made.places.networks)]:
        assert path in told
    for network in made.places.networks:
        assert tree.find(network.passphrase).writable
        assert tree.exists(network.stations)


@given(st.text(max_size=40), st.booleans())
def test_no_path_is_too_strange(path: str, next_level: bool) -> None:
    tree = small()
    for ask in (
        lambda: tree.values([path]),
        lambda: tree.names(path, next_level=next_level),
        lambda: tree.add(path),
        lambda: tree.delete(path),
        lambda: put(tree, path, path),
    ):
        try:
            ask()
        except Refusal as refusal:
            assert refusal.fault.code in {9001, 9003, 9005, 9007, 9008}  # noqa: PT017


class AnyOrder(RuleBasedStateMachine):
    """Setting, adding and deleting in any order, against a dict that does the same."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = small()
        self.names = {1: "box1", 2: "box2"}
        self.highest = 2

    @rule()
    def add(self) -> None:
        number = self.tree.add("Device.Box.")
        assert number > self.highest
        self.highest = number
        self.names[number] = f"box{number}"

    @precondition(lambda self: self.names)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.names)))
        self.tree.delete(f"Device.Box.{number}.")
        del self.names[number]

    @precondition(lambda self: self.names)
    @rule(data=st.data(), name=st.text("abc", min_size=1, max_size=8))
    def rename(self, data: st.DataObject, name: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.names)))
        put(self.tree, f"Box.{number}.Name", name)
        self.names[number] = name

    @rule()
    def forget(self) -> None:
        self.tree.forget()
        self.names, self.highest = {1: "box1", 2: "box2"}, 2

    @invariant()
    def is_as_it_should_be(self) -> None:
        told = values(self.tree)
        names = {path: value for path, value in told.items() if path.endswith(".Name")}
        assert names == {f"Device.Box.{number}.Name": n for number, n in self.names.items()}
        assert told["Device.BoxNumberOfEntries"] == str(len(self.names))
        listed = [each.name for each in self.tree.names("Device.Box.", next_level=True)]
        assert sorted(listed) == sorted(f"Device.Box.{number}." for number in self.names)


TestAnyOrder = AnyOrder.TestCase
