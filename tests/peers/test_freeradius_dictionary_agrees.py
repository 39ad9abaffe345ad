"""FreeRADIUS's tables, where they are installed, say the same of every attribute we name."""

import re
from pathlib import Path

import pytest

from demarc.protocols.radius.dictionary import DICTIONARY, Attribute, Encryption, Kind

FOLDER = Path("/usr/share/freeradius")

pytestmark = [
    pytest.mark.peer("freeradius-common"),
    pytest.mark.skipif(not FOLDER.is_dir(), reason="FreeRADIUS's dictionaries are missing"),
]

FILES = [
    *("rfc2865", "rfc2866", "rfc2867", "rfc2868", "rfc2869", "rfc3162", "rfc3580", "rfc4372"),
    *("rfc4603", "rfc4675", "rfc4679", "rfc4818", "rfc3576", "rfc5176", "rfc6911"),
    *("mikrotik", "huawei", "erx", "juniper", "cisco", "alcatel.sr", "zte", "wispr", "ascend"),
    "microsoft",
]
ENCRYPTION = {
    "encrypt=1": {Encryption.USER_PASSWORD},
    "encrypt=2": {Encryption.TUNNEL_PASSWORD, Encryption.MS_MPPE},
}
# what they read as a form of their own is to us octets
KINDS = {"abinary": "octets"}
OUR_OWN = {"Accel-VRF-Name"}  # not in their tables


class Theirs:
    def __init__(self) -> None:
        self.attributes: dict[str, tuple[int, int, str, set[str]]] = {}
        self.values: dict[str, dict[str, int]] = {}
        for name in FILES:
            self._read((FOLDER / f"dictionary.{name}").read_text())

    def _read(self, text: str) -> None:
        vendor = 0
        for line in text.splitlines():
            words = line.partition("#")[0].split()
            match words:
                case ["VENDOR", _, number, *_]:
                    vendor = int(number)
                case ["ATTRIBUTE", name, number, kind, *flags] if number.isdigit():
                    options = {flag for each in flags for flag in each.split(",")}
                    kind = re.sub(r"\[\d+\]", "", kind.lower())
                    entry = (vendor, int(number), KINDS.get(kind, kind), options)
                    self.attributes.setdefault(name.lower(), entry)
                case ["VALUE", attribute, name, number]:
                    self.values.setdefault(attribute.lower(), {})[name] = int(number, 0)


@pytest.fixture(scope="module")
def theirs() -> Theirs:
    return Theirs()


@pytest.mark.parametrize("name", [name for name in DICTIONARY if name not in OUR_OWN])
def test_attribute(theirs: Theirs, name: str) -> None:
    ours: Attribute = DICTIONARY[name]
    vendor, number, kind, options = theirs.attributes[name.lower()]
    assert (ours.vendor, ours.type) == (vendor, number)
    if ours.kind is not Kind.VSA:
        assert ours.kind.value == kind
    assert ours.tagged is ("has_tag" in options)
    assert ours.concat is ("concat" in options)
    hidden = next((ENCRYPTION[each] for each in options if each in ENCRYPTION), {None})
    assert ours.encryption in hidden
    known = theirs.values.get(name.lower(), {})
    for label, value in ours.values.items():
        assert known.get(label) == value
