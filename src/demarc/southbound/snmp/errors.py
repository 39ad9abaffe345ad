"""What can go wrong when an SNMP agent is asked."""

from demarc.protocols.snmp.ber import Oid, format_oid
from demarc.protocols.snmp.message import ErrorStatus


class SnmpError(Exception):
    """The agent could not be asked, or did not answer as it must."""


class NoAnswer(SnmpError):
    """Nothing came back in time, or the address cannot be reached."""


class BadAnswer(SnmpError):
    """What came back cannot be understood, or is not an answer to what was asked."""


class ErrorAnswer(SnmpError):
    """The agent refused.

    Attributes:
        status: why.
        oid: which variable it names, if any.
    """

    def __init__(self, status: ErrorStatus, oid: Oid | None) -> None:
        where = f" at {format_oid(oid)}" if oid else ""
        super().__init__(f"the agent answered {status.name.lower()}{where}")
        self.status = status
        self.oid = oid
