import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.radius.dictionary import DICTIONARY, Attribute
from demarc.protocols.radius.packet import Code, decode
from demarc.protocols.radius.password import decrypt_salted
from demarc.protocols.radius.reply import encode_attributes, encode_reply
from demarc.protocols.radius.request import encode_request, verify_response
from demarc.protocols.radius.values import Value
from support.radius_strategies import pairs, read_back

SECRET = b"between-us"
MESSAGE_AUTHENTICATOR = DICTIONARY["Message-Authenticator"]
PROXY_STATE = DICTIONARY["Proxy-State"]
ACCESS_REPLIES = [Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE]


def ask(code: int = Code.ACCESS_REQUEST, *, sign: bool = True, proxies: int = 0) -> bytes:
    states = [(PROXY_STATE, f"proxy {number}".encode()) for number in range(proxies)]
    return encode_request(
        code, 77, [*states, (DICTIONARY["User-Name"], "bob")], SECRET, message_authenticator=sign
    )


@pytest.mark.parametrize("code", ACCESS_REPLIES)
@pytest.mark.parametrize("sign", [True, False])
def test_every_access_reply_begins_with_message_authenticator(code: Code, sign: bool) -> None:
    request = ask(sign=sign)
    octets = encode_reply(decode(request), code, [(DICTIONARY["Reply-Message"], "hi")], SECRET)
    reply = decode(octets)
    assert reply.attributes[0][:2] == (0, 80)
    assert reply.signature == 22
    verify_response(reply, request, SECRET, require_message_authenticator=True)


def test_the_reply_carries_the_requests_identifier() -> None:
    reply = decode(encode_reply(decode(ask()), Code.ACCESS_ACCEPT, [], SECRET))
    assert (reply.code, reply.identifier) == (2, 77)


def test_an_accounting_response_is_not_signed() -> None:
    request = ask(Code.ACCOUNTING_REQUEST)
    octets = encode_reply(decode(request), Code.ACCOUNTING_RESPONSE, [], SECRET)
    assert len(octets) == 20
    verify_response(decode(octets), request, SECRET)


@pytest.mark.parametrize("sign", [True, False])
def test_a_disconnect_reply_is_signed_as_its_request_was(sign: bool) -> None:
    request = ask(Code.DISCONNECT_REQUEST, sign=sign)
    octets = encode_reply(
        decode(request),
        Code.DISCONNECT_NAK,
        [(DICTIONARY["Error-Cause"], "Session-Context-Not-Found")],
        SECRET,
    )
    reply = decode(octets)
    assert bool(reply.signature) is sign
    assert reply.number(DICTIONARY["Error-Cause"]) == 503
    verify_response(reply, request, SECRET)


def test_proxy_states_come_back_in_order_behind_all_others() -> None:
    request = decode(ask(proxies=3))
    octets = encode_reply(
        request, Code.ACCESS_ACCEPT, [(DICTIONARY["Session-Timeout"], 60)], SECRET
    )
    reply = decode(octets)
    assert [kind for _, kind, _ in reply.attributes] == [80, 27, 33, 33, 33]
    assert reply.all(PROXY_STATE) == [b"proxy 0", b"proxy 1", b"proxy 2"]


def test_attributes_kept_from_before() -> None:
    kept = encode_attributes([(DICTIONARY["MikroTik-Rate-Limit"], "50M/100M")])
    request = ask()
    reply = decode(encode_reply(decode(request), Code.ACCESS_ACCEPT, kept, SECRET))
    verify_response(reply, request, SECRET)
    assert reply.text(DICTIONARY["MikroTik-Rate-Limit"]) == "50M/100M"


def test_a_tunnel_password_is_hidden_with_the_requests_authenticator() -> None:
    request = decode(ask())
    octets = encode_reply(
        request, Code.ACCESS_ACCEPT, [(DICTIONARY["Tunnel-Password"], "deep")], SECRET
    )
    (hidden,) = decode(octets).tagged(DICTIONARY["Tunnel-Password"])
    assert isinstance(hidden.value, bytes)
    assert decrypt_salted(hidden.value, SECRET, request.authenticator) == b"deep"


def test_a_reply_is_at_most_4096_octets() -> None:
    request = decode(ask())
    most = [(DICTIONARY["Class"], bytes(253))] * 15
    rest = 4096 - 20 - 18 - 15 * 255 - 2
    fits = [*most, (DICTIONARY["Class"], bytes(rest))]
    assert len(encode_reply(request, Code.ACCESS_ACCEPT, fits, SECRET)) == 4096
    with pytest.raises(ValueError, match="4096"):
        encode_reply(
            request, Code.ACCESS_ACCEPT, [*most, (DICTIONARY["Class"], bytes(rest + 1))], SECRET
        )


@given(st.lists(pairs(), max_size=10), st.sampled_from(ACCESS_REPLIES))
def test_what_is_replied_is_read(written: list[tuple[Attribute, Value]], code: Code) -> None:
    request = ask()
    reply = decode(encode_reply(decode(request), code, written, SECRET))
    verify_response(reply, request, SECRET)
    assert read_back(reply)[1:] == written
