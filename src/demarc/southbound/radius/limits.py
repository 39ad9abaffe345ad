"""How much the RADIUS process holds, and for how long."""

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """Ages in seconds, sizes in entries.

    Attributes:
        max_age: a credential is read again when what is known of it is older. A suspension is
            obeyed within this time even if nobody can tell of it. So are NASes and realms.
        stale_grace: while the database does not answer, what is known is used for so much longer.
            So a suspension that could be written, though this process cannot read, is obeyed
            within ``max_age + stale_grace``.
        unknown_age: how long it is remembered that a log-in does not exist.
        credentials: credentials kept.
        unknown_size: log-ins remembered not to exist.
        waiting: Access-Requests that may wait for the database; more are met with silence.
        duplicate_age: how long replies are kept for those who ask again (RFC 5080, 2.2.2).
        duplicate_size: replies kept for each socket.
        accounting_batch: packets booked in one transaction.
        accounting_lanes: transactions that book accounting at a time.
        spool_after: seconds the database is away before accounting goes to the spool, if there is
            one: less than a NAS waits for its acknowledgement.
        accounting_waiting: packets that may wait to be booked; more are met with silence.
        quarantine_hourly: packets of one NAS that are put aside in an hour; more get no answer. A
            NAS that tells of somebody else's users must not fill the disk.
        attempts_waiting: answered attempts that may wait to be recorded; more are not recorded.
        radsec_connections: RadSec connections; more are closed at once.
        radsec_connections_of_one: those of one client.
        radsec_outstanding: requests of one RadSec connection that may wait for their answers; an
            Identifier tells 256 apart, so that more are those its client has given up.
        radsec_idle: seconds after which a RadSec connection on which nothing came is closed.
        proxy_outstanding: requests under way to home servers; more are met with silence.
        proxy_probe: seconds between two questions whether a dead home server lives.
        database_patience: seconds the database may take before it counts as away.
    """

    max_age: float = 30.0
    stale_grace: float = 30.0
    unknown_age: float = 5.0
    credentials: int = 120_000
    unknown_size: int = 10_000
    waiting: int = 10_000
    duplicate_age: float = 10.0
    duplicate_size: int = 65_536
    accounting_batch: int = 250
    accounting_lanes: int = 2
    spool_after: float = 3.0
    accounting_waiting: int = 20_000
    quarantine_hourly: int = 1_000
    attempts_waiting: int = 50_000
    radsec_connections: int = 1_000
    radsec_connections_of_one: int = 64
    radsec_outstanding: int = 1_024
    radsec_idle: float = 300.0
    proxy_outstanding: int = 10_000
    proxy_probe: float = 10.0
    database_patience: float = 2.0


__all__ = ["Limits"]
