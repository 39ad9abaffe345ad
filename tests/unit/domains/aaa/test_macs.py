import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.aaa.macs import canonical


@pytest.mark.parametrize(
    "spelled",
    [
        "AA:BB:CC:00:11:22",
        "aa-bb-cc-00-11-22",
        "aabbcc001122",
        "AABBCC001122",
        "aabb.cc00.1122",
        "AABB-CC00-1122",
        "aabbcc-001122",
        "aabbcc:001122",
    ],
)
def test_every_spelling_is_one_address(spelled):
    assert canonical(spelled) == "aa:bb:cc:00:11:22"


@pytest.mark.parametrize(
    "text",
    ["", "aabbcc00112", "aabbcc0011223", "aa:bb:cc:00:11", "aa:bb-cc:00:11:22", "u0001",
     "gg:bb:cc:00:11:22", "aa:bb:cc:00:11:22@isp", "aabb.cc00:1122", "\uff41\uff41bbcc001122"],
)  # fmt: skip
def test_what_is_no_address_is_none(text):
    assert canonical(text) is None


@given(st.text(max_size=20))
def test_any_text_is_an_address_or_none(text):
    found = canonical(text)
    assert found is None or canonical(found) == found
