"""How much the ACS process holds, and for how long."""

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """Ages in seconds, sizes in octets and entries.

    Attributes:
        body: of one post.
        received: of all posts of one session.
        body_within: a post is to have arrived by then.
        idle: a session in which nothing is said for so long is over.
        session: no session lasts longer.
        sessions: at a time; more devices are told to come back later.
        requests: put to a device in one session.
        retry_after: when devices that are turned away are to come back, spread over twice that.
        nonce_age: a nonce is answered for so long.
        nonces: whose uses are remembered.
    """

    body: int = 8 * 1024 * 1024
    received: int = 32 * 1024 * 1024
    body_within: float = 30.0
    idle: float = 30.0
    session: float = 300.0
    sessions: int = 2_000
    requests: int = 500
    retry_after: int = 30
    nonce_age: float = 300.0
    nonces: int = 50_000


__all__ = ["Limits"]
