"""HTTP Digest authentication (RFC 7616, RFC 2617), for both sides of it.

CPEs prove themselves to an ACS by it and the ACS to them (TR-069 Amendment 6, 3.4.5 and 3.2.2).
MD5 is what they speak; SHA-256 is understood. Nonces carry their age and are signed, so that no
process has to remember which ones it gave.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final

import msgspec

MD5: Final = "MD5"
SHA256: Final = "SHA-256"
_ALGORITHMS: Final = {
    "MD5": "md5",
    "MD5-SESS": "md5",
    "SHA-256": "sha256",
    "SHA-256-SESS": "sha256",
}
_PART: Final = re.compile(r'\s*([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)')
_COUNT: Final = re.compile(r"[0-9a-fA-F]{8}")
_LONGEST: Final = 4096
_SIGNATURE: Final = 16


class Malformed(Exception):
    """A header is not of Digest authentication."""


class Challenge(msgspec.Struct, frozen=True):
    """What a server asks for (RFC 7616, 3.3).

    Attributes:
        qop: whether "auth" is offered; without it the old way of RFC 2069 holds.
        stale: the nonce was too old, the password is not doubted.
    """

    realm: str
    nonce: str
    opaque: str | None = None
    algorithm: str = MD5
    qop: bool = True
    stale: bool = False


class Answer(msgspec.Struct, frozen=True):
    """What a client answers (RFC 7616, 3.4)."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = MD5
    qop: str | None = None
    count: str | None = None
    cnonce: str | None = None
    opaque: str | None = None


def challenge_header(challenge: Challenge) -> str:
    """Write WWW-Authenticate."""
    parts = [f"realm={_quoted(challenge.realm)}"]
    if challenge.qop:
        parts.append('qop="auth"')
    parts.append(f"nonce={_quoted(challenge.nonce)}")
    if challenge.opaque is not None:
        parts.append(f"opaque={_quoted(challenge.opaque)}")
    if challenge.algorithm != MD5:
        # some devices do not know the word for what is the default
        parts.append(f"algorithm={challenge.algorithm}")
    if challenge.stale:
        parts.append("stale=true")
    return "Digest " + ", ".join(parts)


def read_challenge(header: str) -> Challenge:
    """Read WWW-Authenticate.

    Raises:
        Malformed: it is no challenge of Digest, or one that cannot be answered.
    """
    parts = _parts(header)
    if "nonce" not in parts:
        raise Malformed("the challenge has no nonce")
    algorithm = parts.get("algorithm", MD5).upper()
    if algorithm not in _ALGORITHMS:
        raise Malformed("the challenge wants an unknown algorithm")
    offered = [each.strip().lower() for each in parts.get("qop", "").split(",") if each.strip()]
    if offered and "auth" not in offered:
        raise Malformed("the challenge wants a protection that is not known")
    return Challenge(
        realm=parts.get("realm", ""),
        nonce=parts["nonce"],
        opaque=parts.get("opaque"),
        algorithm=algorithm,
        qop=bool(offered),
        stale=parts.get("stale", "").lower() == "true",
    )


def answer_header(answer: Answer) -> str:
    """Write Authorization."""
    parts = [
        f"username={_quoted(answer.username)}",
        f"realm={_quoted(answer.realm)}",
        f"nonce={_quoted(answer.nonce)}",
        f"uri={_quoted(answer.uri)}",
        f"response={_quoted(answer.response)}",
        f"algorithm={answer.algorithm}",
    ]
    if answer.qop is not None:
        parts += [f"qop={answer.qop}", f"nc={answer.count}"]
    if answer.cnonce is not None:
        parts.append(f"cnonce={_quoted(answer.cnonce)}")
    if answer.opaque is not None:
        parts.append(f"opaque={_quoted(answer.opaque)}")
    return "Digest " + ", ".join(parts)


def read_answer(header: str) -> Answer:
    """Read Authorization.

    Raises:
        Malformed: it is no answer of Digest.
    """
    parts = _parts(header)
    if missing := {"username", "nonce", "uri", "response"} - parts.keys():
        raise Malformed(f"the answer has no {min(missing)}")
    algorithm = parts.get("algorithm", MD5).upper()
    if algorithm not in _ALGORITHMS:
        raise Malformed("the answer uses an unknown algorithm")
    qop = parts.get("qop", "").lower() or None
    count = parts.get("nc")
    if qop is not None:
        if qop != "auth":
            raise Malformed("the answer uses a protection that was not offered")
        if count is None or _COUNT.fullmatch(count) is None or "cnonce" not in parts:
            raise Malformed("the answer does not count")
    return Answer(
        username=parts["username"],
        realm=parts.get("realm", ""),
        nonce=parts["nonce"],
        uri=parts["uri"],
        response=parts["response"].lower(),
        algorithm=algorithm,
        qop=qop,
        count=count,
        cnonce=parts.get("cnonce"),
        opaque=parts.get("opaque"),
    )


def secret_of(username: str, realm: str, password: str, algorithm: str = MD5) -> str:
    """Give what stands for a password (HA1), which is as good as it in this realm."""
    return _hash(algorithm, f"{username}:{realm}:{password}")


def answer_to(
    challenge: Challenge,
    *,
    method: str,
    uri: str,
    username: str,
    password: str,
    cnonce: str,
    count: int = 1,
) -> Answer:
    """Answer a challenge.

    Args:
        challenge: as it came.
        method: of the request, in capitals.
        uri: as it stands in the request line.
        username: who asks.
        password: proves it.
        cnonce: a random text.
        count: how often the nonce was used, this time included.
    """
    answer = Answer(
        username=username,
        realm=challenge.realm,
        nonce=challenge.nonce,
        uri=uri,
        response="",
        algorithm=challenge.algorithm,
        qop="auth" if challenge.qop else None,
        count=f"{count:08x}" if challenge.qop else None,
        cnonce=cnonce if challenge.qop or challenge.algorithm.endswith("-SESS") else None,
        opaque=challenge.opaque,
    )
    secret = secret_of(username, challenge.realm, password, challenge.algorithm)
    return msgspec.structs.replace(answer, response=_response(answer, method, secret))


def proves(answer: Answer, *, method: str, secret: str) -> bool:
    """Tell whether an answer proves the knowledge of a secret.

    Whether its nonce and its URI are to be accepted is another question.

    Args:
        answer: as it came.
        method: of the request, in capitals.
        secret: as ``secret_of`` gives it, for the answer's algorithm.
    """
    return hmac.compare_digest(answer.response.encode(), _response(answer, method, secret).encode())


def _response(answer: Answer, method: str, secret: str) -> str:
    algorithm = answer.algorithm
    if algorithm.endswith("-SESS"):
        secret = _hash(algorithm, f"{secret}:{answer.nonce}:{answer.cnonce or ''}")
    asked = _hash(algorithm, f"{method}:{answer.uri}")
    if answer.qop is None:
        return _hash(algorithm, f"{secret}:{answer.nonce}:{asked}")
    between = f"{answer.nonce}:{answer.count}:{answer.cnonce}:{answer.qop}"
    return _hash(algorithm, f"{secret}:{between}:{asked}")


def _hash(algorithm: str, text: str) -> str:
    return hashlib.new(_ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()


class Nonces:
    """Gives nonces and tells how old one is.

    Args:
        key: the same in all processes that are to know each other's.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def give(self, now: float, salt: bytes) -> str:
        """Give a nonce.

        Args:
            now: seconds since 1970.
            salt: a few random octets, so that no two are alike.
        """
        content = int(now).to_bytes(6, "big") + salt
        return (content + self._signature(content)).hex()

    def age(self, nonce: str, now: float) -> float | None:
        """Tell how many seconds ago a nonce was given; None if none of ours."""
        try:
            octets = bytes.fromhex(nonce)
        except ValueError:
            return None
        content, signature = octets[:-_SIGNATURE], octets[-_SIGNATURE:]
        if len(content) < 6 or not hmac.compare_digest(signature, self._signature(content)):  # noqa: PLR2004 - of the time
            return None
        return now - int.from_bytes(content[:6], "big")

    def _signature(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")[:_SIGNATURE]


def _parts(header: str) -> Mapping[str, str]:
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "digest" or len(header) > _LONGEST:
        raise Malformed("it is not of Digest authentication")
    found: dict[str, str] = {}
    place, rest = 0, rest.strip()
    while place < len(rest):
        match = _PART.match(rest, place)
        if match is None:
            raise Malformed("it is not written as Digest authentication is")
        value = match[3] if match[3] is not None else re.sub(r"\\(.)", r"\1", match[2])
        found.setdefault(match[1].lower(), value)
        place = match.end()
    return found


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


__all__ = [
    "MD5",
    "SHA256",
    "Answer",
    "Challenge",
    "Malformed",
    "Nonces",
    "answer_header",
    "answer_to",
    "challenge_header",
    "proves",
    "read_answer",
    "read_challenge",
    "secret_of",
]
