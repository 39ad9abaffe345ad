import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.app.proxies import Proxies

TRUSTED = ("192.0.2.0/28", "2001:db8::/64")


def seen(peer, *headers, networks=TRUSTED):
    scope = {
        "client": (peer, 40000),
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    Proxies(networks).see_through(scope)
    return scope["client"][0], scope["scheme"]


def forwarded(*values):
    return [("x-forwarded-for", value) for value in values]


@pytest.mark.parametrize(
    ("peer", "values", "client"),
    [
        ("192.0.2.1", ["198.51.100.7"], "198.51.100.7"),
        ("192.0.2.1", ["203.0.113.1, 198.51.100.7"], "198.51.100.7"),
        ("192.0.2.1", ["203.0.113.1, 198.51.100.7, 192.0.2.2"], "198.51.100.7"),
        ("192.0.2.1", ["203.0.113.1", "198.51.100.7"], "198.51.100.7"),
        ("192.0.2.1", ["198.51.100.7:4711"], "198.51.100.7"),
        ("192.0.2.1", ["[2001:db8:1::7]:4711"], "2001:db8:1::7"),
        ("192.0.2.1", ["2001:DB8:1::7"], "2001:db8:1::7"),
        ("192.0.2.1", ["::ffff:198.51.100.7"], "198.51.100.7"),
        ("2001:db8::1", ["198.51.100.7"], "198.51.100.7"),
        ("::ffff:192.0.2.1", ["198.51.100.7"], "198.51.100.7"),
        # all of them ours: the first that was told
        ("192.0.2.1", ["192.0.2.3, 192.0.2.2"], "192.0.2.3"),
        # what cannot be read is nobody's address, and nothing beyond it is believed
        ("192.0.2.1", ["198.51.100.7, unknown"], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7, unknown, 192.0.2.2"], "192.0.2.2"),
        ("192.0.2.1", [""], "192.0.2.1"),
        ("192.0.2.1", [], "192.0.2.1"),
        # whoever is no proxy of ours speaks for himself
        ("198.51.100.9", ["203.0.113.1"], "198.51.100.9"),
        ("192.0.2.16", ["203.0.113.1"], "192.0.2.16"),
    ],
)
def test_the_caller_is_the_first_from_the_right_that_is_no_proxy(peer, values, client):
    assert seen(peer, *forwarded(*values))[0] == client


def test_the_scheme_is_believed_of_a_proxy_alone():
    assert seen("192.0.2.1", ("x-forwarded-proto", "https"))[1] == "https"
    assert seen("192.0.2.1", ("x-forwarded-proto", "http, HTTPS"))[1] == "https"
    assert seen("192.0.2.1", ("x-forwarded-proto", "gopher"))[1] == "http"
    assert seen("198.51.100.9", ("x-forwarded-proto", "https"))[1] == "http"


def test_without_networks_nobody_is_believed():
    told = ("x-forwarded-for", "203.0.113.1"), ("x-forwarded-proto", "https")
    assert seen("127.0.0.1", *told, networks=()) == ("127.0.0.1", "http")


def test_a_call_over_a_local_socket_has_no_address_to_look_at():
    scope = {"client": None, "scheme": "http", "headers": forwarded("203.0.113.1")}
    Proxies(TRUSTED).see_through(scope)
    assert scope["client"] is None


@given(text=st.text(max_size=60), peer=st.ip_addresses())
def test_whatever_is_written_the_caller_stays_an_address(text, peer):
    client, scheme = seen(
        "192.0.2.1",
        ("x-forwarded-for", f"{text}, {peer}"),
        ("x-forwarded-proto", text),
    )
    assert ipaddress.ip_address(client)
    assert scheme in ("http", "https")
