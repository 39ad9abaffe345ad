"""Which session a record means: by the names it gives, and then by time.

A NAS may use one Acct-Session-Id for all its sessions, or an old one anew. So what has the same
names is told apart by when it began: the time of the event less Acct-Session-Time.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from demarc.domains.aaa.sessions import PROVISIONAL, Kind, Record, SessionRow

# Times are whole seconds, and a NAS takes both of an event within one or two.
_SLACK = timedelta(seconds=2)
# How far the beginning, reckoned from Acct-Session-Time, may be off: the session's time begins
# with the line, the Start is sent when the session is complete.
RECKONED_SLACK = timedelta(seconds=5)
# Without a time stamp of the NAS an event is placed by its receipt, a retransmission's too.
RECEIVED_SLACK = timedelta(seconds=60)


def may_be(row: SessionRow, record: Record) -> bool:
    """Tell whether a session has the names that a record gives."""
    if (
        row.acct_session_id != record.acct_session_id
        or row.nas_id != record.nas_id
        or row.nas_address != record.nas_address
    ):
        return False
    if row.calling_station_id is not None and record.station is not None:
        return row.calling_station_id == record.station
    return (
        row.framed_ipv4 is None
        or record.framed_ipv4 is None
        or row.framed_ipv4 == record.framed_ipv4
    )


def relation(row: SessionRow, record: Record) -> int:
    """Tell whether a record is of a session (0), of a newer (1) or of an older one (-1)."""
    over = row.ended_at if row.terminate_cause not in PROVISIONAL else None
    began = record.began
    if began is None:
        if record.at < row.started_at:
            return -1
        slack = _SLACK if record.exact else RECEIVED_SLACK
        late = over is not None and record.at > over + slack
        return int(late and not _is_repeated_stop(row, record))
    if over is not None and _is_after_end(row, over, record, began):
        return 1
    tolerance = RECEIVED_SLACK
    if record.exact:
        tolerance = _SLACK if record.kind is Kind.START else RECKONED_SLACK
    if began < row.started_at - max(tolerance, RECKONED_SLACK) and _is_before(row, record):
        return -1
    last_heard = row.ended_at or row.updated_at
    if began > row.started_at + tolerance and began >= last_heard - _SLACK:
        return int(over is None or not _is_repeated_stop(row, record))
    return 0


def _is_after_end(row: SessionRow, over: datetime, record: Record, began: datetime) -> bool:
    """Tell whether a record must be of a session after one that has really ended.

    Args:
        row: the session.
        over: when it ended.
        record: what is told.
        began: when the session of the record began, as far as it tells.
    """
    if record.kind is Kind.START and row.start_told:
        # a Start that is told again is of when the first one was, or of no time at all; but then
        # it has the same octets, and was recognised before it came here
        return record.at >= over and (record.at > row.started_at or not record.exact)
    if record.exact:
        return record.at > over + _SLACK
    return (
        record.at > over + RECEIVED_SLACK
        and began >= over - _SLACK
        and not _is_repeated_stop(row, record)
    )


def _is_before(row: SessionRow, record: Record) -> bool:
    """Tell whether what a record tells was over when the session began.

    A Stop of the very second in which a session began, of which nothing more is known yet, may
    be that of the session before it. Anything else from then on is of the session that is up.
    """
    if record.at < row.started_at:
        return True
    untold = row.session_seconds == 0 and row.updated_at <= row.started_at + _SLACK
    return (
        record.exact
        and record.kind is Kind.STOP
        and untold
        and record.at <= row.started_at + _SLACK
    )


def _is_repeated_stop(row: SessionRow, record: Record) -> bool:
    """Tell a Stop of a NAS without clock that is sent again, unchanged, long after the first."""
    return (
        not record.exact
        and record.kind is Kind.STOP
        and (record.session_seconds or 0) == row.session_seconds
        and record.input_octets == row.input_octets
        and record.output_octets == row.output_octets
    )


def not_heard_since(row: SessionRow, moment: datetime) -> bool:
    """Tell whether a session has not been told of since a moment, give or take a second."""
    return row.updated_at <= moment + _SLACK


def wants_closed(record: Record, live: Iterable[SessionRow]) -> bool:
    """Tell whether closed sessions must be at hand to place a record.

    They need not when it is of a live session, as most are.
    """
    return not any(may_be(row, record) and relation(row, record) == 0 for row in live)


__all__ = [
    "RECEIVED_SLACK",
    "RECKONED_SLACK",
    "may_be",
    "not_heard_since",
    "relation",
    "wants_closed",
]
