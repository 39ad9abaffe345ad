import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.radius.authenticator import hmac_md5, md5


@given(st.binary(max_size=200), st.binary(max_size=300))
def test_hmac_is_that_of_the_standard_library(secret: bytes, octets: bytes) -> None:
    expected = hmac.digest(secret or b"\0", octets, "md5")
    assert hmac_md5(secret, octets) == expected
    assert hmac_md5(secret, octets) == expected  # the second time from the secret's memory


@given(st.binary(max_size=300))
def test_md5(octets: bytes) -> None:
    assert md5(octets) == hashlib.md5(octets, usedforsecurity=False).digest()
