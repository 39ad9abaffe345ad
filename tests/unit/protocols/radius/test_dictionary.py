import pytest

from demarc.protocols.radius.dictionary import DICTIONARY, Dictionary, Encryption, Kind, parse


def test_standard_attribute() -> None:
    attribute = DICTIONARY["Acct-Status-Type"]
    assert (attribute.vendor, attribute.type, attribute.kind) == (0, 40, Kind.INTEGER)
    assert attribute.values["Interim-Update"] == 3
    assert attribute.label(2) == "Stop"
    assert attribute.label(99) == "99"


def test_vendors_attribute() -> None:
    attribute = DICTIONARY["Huawei-Input-Average-Rate"]
    assert (attribute.vendor, attribute.type) == (2011, 2)


def test_names_are_found_whatever_their_case() -> None:
    assert DICTIONARY["mikrotik-rate-limit"] is DICTIONARY["MikroTik-Rate-Limit"]
    assert "MIKROTIK-RATE-LIMIT" in DICTIONARY
    assert "MikroTik-Rate-Limits" not in DICTIONARY


def test_found_by_number() -> None:
    assert DICTIONARY.find(0, 1) is DICTIONARY["User-Name"]
    assert DICTIONARY.find(4874, 151) is DICTIONARY["ERX-IPv6-Acct-Input-Octets"]
    assert DICTIONARY.find(4874, 255) is None


def test_every_name_finds_its_attribute() -> None:
    assert all(DICTIONARY[name].name == name for name in DICTIONARY)
    assert len(list(DICTIONARY)) == len(DICTIONARY)


@pytest.mark.parametrize(
    ("name", "encryption"),
    [
        ("User-Password", Encryption.USER_PASSWORD),
        ("Tunnel-Password", Encryption.TUNNEL_PASSWORD),
        ("MS-MPPE-Send-Key", Encryption.MS_MPPE),
        ("User-Name", None),
    ],
)
def test_encryption(name: str, encryption: Encryption | None) -> None:
    assert DICTIONARY[name].encryption is encryption


@pytest.mark.parametrize("vendor", [9, 311, 529, 2011, 2636, 3561, 3902, 4874, 6527, 14122, 14988])
def test_vendors_that_isps_use(vendor: int) -> None:
    assert any(attribute.vendor == vendor for attribute in DICTIONARY.values())


def test_file() -> None:
    first, second, third = parse(
        "# a comment\n"
        "1  One  integer  tagged\n"
        "   1  Yes  # indeed\n"
        "\n"
        "vendor 64000 Example\n"
        "2  Two  octets  concat ms-mppe\n"
        "3  Three  string\n"
    )
    assert (first.name, first.vendor, first.type, dict(first.values)) == ("One", 0, 1, {"Yes": 1})
    assert (first.tagged, first.concat) == (True, False)
    assert (second.vendor, second.type, second.encryption) == (64000, 2, Encryption.MS_MPPE)
    assert second.concat
    assert (third.vendor, third.kind, dict(third.values)) == (64000, Kind.STRING, {})


@pytest.mark.parametrize(
    "line",
    [
        "one One string",
        "0 One string",
        "256 One string",
        "1 One word",
        "1 One",
        "1 One string often",
        "vendor Example",
        "   x Yes",
        "   1",
    ],
)
def test_a_line_that_is_no_entry_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=f"line 2: '{line.strip()}'"):
        list(parse(f"1 One string\n{line}\n1 Last string\n"))


@pytest.mark.parametrize("second", ["2 one string", "1 Two string"])
def test_nothing_is_there_twice(second: str) -> None:
    with pytest.raises(ValueError, match="twice"):
        Dictionary(parse(f"1 One string\n{second}\n"))
