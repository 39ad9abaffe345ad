import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import BadAuthenticator
from demarc.protocols.radius.packet import Code, Malformed, decode
from demarc.protocols.radius.password import decrypt_pap
from demarc.protocols.radius.reply import encode_reply
from demarc.protocols.radius.request import encode_request, verify_response

SECRET = b"between-us"
BOB = [(DICTIONARY["User-Name"], "bob")]


def test_a_signed_access_request_begins_with_message_authenticator() -> None:
    packet = decode(encode_request(Code.ACCESS_REQUEST, 3, BOB, SECRET))
    assert [kind for _, kind, _ in packet.attributes] == [80, 1]
    assert (packet.code, packet.identifier) == (1, 3)


def test_accounting_is_never_signed() -> None:
    assert decode(encode_request(Code.ACCOUNTING_REQUEST, 3, BOB, SECRET)).signature == 0


def test_authenticators_of_access_requests_do_not_repeat() -> None:
    assert len({encode_request(1, 3, BOB, SECRET)[4:20] for _ in range(20)}) == 20


def test_the_same_accounting_request_is_the_same_octets() -> None:
    first = encode_request(Code.ACCOUNTING_REQUEST, 3, BOB, SECRET)
    assert encode_request(Code.ACCOUNTING_REQUEST, 3, BOB, SECRET) == first


def test_user_password_is_hidden() -> None:
    octets = encode_request(
        Code.ACCESS_REQUEST, 3, [*BOB, (DICTIONARY["User-Password"], "open sesame")], SECRET
    )
    assert b"sesame" not in octets
    packet = decode(octets)
    hidden = packet.value(DICTIONARY["User-Password"])
    assert hidden is not None
    assert decrypt_pap(hidden, SECRET, packet.authenticator) == b"open sesame"


def test_a_digest_cannot_be_chosen() -> None:
    with pytest.raises(ValueError, match="digest"):
        encode_request(Code.ACCOUNTING_REQUEST, 3, BOB, SECRET, authenticator=bytes(16))


def test_a_request_is_at_most_4096_octets() -> None:
    with pytest.raises(ValueError, match="4096"):
        encode_request(Code.ACCESS_REQUEST, 3, [(DICTIONARY["Class"], bytes(253))] * 17, SECRET)


ANSWERS = [
    (Code.ACCESS_REQUEST, Code.ACCESS_ACCEPT),
    (Code.ACCESS_REQUEST, Code.ACCESS_REJECT),
    (Code.ACCESS_REQUEST, Code.ACCESS_CHALLENGE),
    (Code.ACCOUNTING_REQUEST, Code.ACCOUNTING_RESPONSE),
    (Code.STATUS_SERVER, Code.ACCESS_ACCEPT),
    (Code.STATUS_SERVER, Code.ACCOUNTING_RESPONSE),
    (Code.DISCONNECT_REQUEST, Code.DISCONNECT_ACK),
    (Code.DISCONNECT_REQUEST, Code.DISCONNECT_NAK),
    (Code.COA_REQUEST, Code.COA_ACK),
    (Code.COA_REQUEST, Code.COA_NAK),
]


@pytest.mark.parametrize(("code", "answer"), ANSWERS)
def test_an_answer(code: Code, answer: Code) -> None:
    request = encode_request(code, 9, BOB, SECRET)
    verify_response(decode(encode_reply(decode(request), answer, [], SECRET)), request, SECRET)


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (asked, answer)
        for asked in {code for code, _ in ANSWERS}
        for answer in Code
        if (asked, answer) not in ANSWERS
    ],
)
def test_what_is_no_answer(code: Code, answer: Code) -> None:
    request = encode_request(code, 9, BOB, SECRET)
    with pytest.raises(BadAuthenticator, match="not an answer"):
        verify_response(decode(encode_reply(decode(request), answer, [], SECRET)), request, SECRET)


def test_the_answer_to_another_request() -> None:
    request, other = (encode_request(1, identifier, BOB, SECRET) for identifier in (1, 2))
    answer = decode(encode_reply(decode(other), Code.ACCESS_ACCEPT, [], SECRET))
    with pytest.raises(BadAuthenticator, match="another request"):
        verify_response(answer, request, SECRET)


def test_the_answer_to_an_earlier_request_of_the_same_identifier() -> None:
    request, earlier = (encode_request(1, 1, BOB, SECRET) for _ in range(2))
    answer = decode(encode_reply(decode(earlier), Code.ACCESS_ACCEPT, [], SECRET))
    with pytest.raises(BadAuthenticator, match="Response Authenticator"):
        verify_response(answer, request, SECRET)


def test_an_answer_signed_with_another_secret() -> None:
    request = encode_request(1, 1, BOB, SECRET)
    answer = decode(encode_reply(decode(request), Code.ACCESS_ACCEPT, [], b"other"))
    with pytest.raises(BadAuthenticator):
        verify_response(answer, request, SECRET)


def test_an_unsigned_accept_can_be_refused() -> None:
    # RFC 2865 section 7.1, made before replies were signed
    request = bytes.fromhex(
        "010000380f403f9473978057bd83d5cb98f4227a01066e656d6f02120dbe708d93d413ce3196e43f782a0aee"
        "0406c0a80110050600000003"
    )
    answer = decode(
        bytes.fromhex(
            "0200002686fe220e7624ba2a1005f6bf9b55e0b20606000000010f06000000000e06c0a80103"
        )
    )
    verify_response(answer, request, b"xyzzy5461")
    with pytest.raises(BadAuthenticator, match="missing"):
        verify_response(answer, request, b"xyzzy5461", require_message_authenticator=True)


def test_what_signs_an_accounting_response_is_not_looked_at() -> None:
    request = encode_request(Code.ACCOUNTING_REQUEST, 1, BOB, SECRET)
    odd = [(DICTIONARY["Message-Authenticator"], bytes(16))]
    answer = encode_reply(decode(request), Code.ACCOUNTING_RESPONSE, odd, SECRET)
    verify_response(decode(answer), request, SECRET)


@given(data=st.data())
def test_no_octet_of_an_answer_can_be_changed(data: st.DataObject) -> None:
    request = encode_request(1, 1, BOB, SECRET)
    octets = bytearray(
        encode_reply(decode(request), Code.ACCESS_ACCEPT, [(DICTIONARY["Class"], b"c")], SECRET)
    )
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        answer = decode(bytes(octets))
    except Malformed:
        return
    with pytest.raises(BadAuthenticator):
        verify_response(answer, request, SECRET)
