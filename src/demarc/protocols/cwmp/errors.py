"""What can be wrong with CWMP octets, and the faults of TR-069 by number."""

from types import MappingProxyType
from typing import Final


class Malformed(Exception):
    """A body is no SOAP envelope with a CWMP message.

    Attributes:
        reason: what is wrong, short.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


METHOD_NOT_SUPPORTED: Final = 9000
REQUEST_DENIED: Final = 9001
INTERNAL_ERROR: Final = 9002
INVALID_ARGUMENTS: Final = 9003
RESOURCES_EXCEEDED: Final = 9004
INVALID_PARAMETER_NAME: Final = 9005
INVALID_PARAMETER_TYPE: Final = 9006
INVALID_PARAMETER_VALUE: Final = 9007
NON_WRITABLE_PARAMETER: Final = 9008
NOTIFICATION_REJECTED: Final = 9009
DOWNLOAD_FAILURE: Final = 9010
UPLOAD_FAILURE: Final = 9011

CPE_FAULTS: Final = MappingProxyType(
    {
        METHOD_NOT_SUPPORTED: "Method not supported",
        REQUEST_DENIED: "Request denied",
        INTERNAL_ERROR: "Internal error",
        INVALID_ARGUMENTS: "Invalid arguments",
        RESOURCES_EXCEEDED: "Resources exceeded",
        INVALID_PARAMETER_NAME: "Invalid parameter name",
        INVALID_PARAMETER_TYPE: "Invalid parameter type",
        INVALID_PARAMETER_VALUE: "Invalid parameter value",
        NON_WRITABLE_PARAMETER: "Attempt to set a non-writable parameter",
        NOTIFICATION_REJECTED: "Notification request rejected",
        DOWNLOAD_FAILURE: "File transfer failure",
        UPLOAD_FAILURE: "Upload failure",
        9012: "File transfer server authentication failure",
        9013: "Unsupported protocol for file transfer",
        9014: "File transfer failure: unable to join multicast group",
        9015: "File transfer failure: unable to contact file server",
        9016: "File transfer failure: unable to access file",
        9017: "File transfer failure: unable to complete download",
        9018: "File transfer failure: file corrupted",
        9019: "File transfer failure: file authentication failure",
        9020: "File transfer failure: unable to complete download within specified time windows",
        9021: "Cancelation of file transfer not permitted in current transfer state",
        9022: "Invalid UUID format",
        9023: "Unknown execution environment",
        9024: "Disabled execution environment",
        9025: "Deployment unit to execution environment mismatch",
        9026: "Duplicate deployment unit",
        9027: "System resources exceeded",
        9028: "Unknown deployment unit",
        9029: "Invalid deployment unit state",
        9030: "Invalid deployment unit update: downgrade not permitted",
        9031: "Invalid deployment unit update: version not specified",
        9032: "Invalid deployment unit update: version already exists",
    }
)
"""Faults of a CPE (TR-069 Amendment 6, A.5.1); 9800 to 9899 are a vendor's own."""

ACS_METHOD_NOT_SUPPORTED: Final = 8000
ACS_REQUEST_DENIED: Final = 8001
ACS_INTERNAL_ERROR: Final = 8002
ACS_INVALID_ARGUMENTS: Final = 8003
ACS_RESOURCES_EXCEEDED: Final = 8004
ACS_RETRY_REQUEST: Final = 8005

ACS_FAULTS: Final = MappingProxyType(
    {
        ACS_METHOD_NOT_SUPPORTED: "Method not supported",
        ACS_REQUEST_DENIED: "Request denied",
        ACS_INTERNAL_ERROR: "Internal error",
        ACS_INVALID_ARGUMENTS: "Invalid arguments",
        ACS_RESOURCES_EXCEEDED: "Resources exceeded",
        ACS_RETRY_REQUEST: "Retry request",
        8006: "ACS version incompatible with CPE",
    }
)
"""Faults of an ACS (A.5.2); 8800 to 8899 are a vendor's own."""


def is_clients(code: int) -> bool:
    """Tell whether a fault is of the one who asked (SOAP's "Client") or of the one who answers."""
    return code in {
        *(REQUEST_DENIED, INVALID_ARGUMENTS, INVALID_PARAMETER_NAME, INVALID_PARAMETER_TYPE),
        *(INVALID_PARAMETER_VALUE, NON_WRITABLE_PARAMETER, ACS_INVALID_ARGUMENTS),
        *(9013, 9021, 9022, 9023, 9024, 9025, 9026, 9028, 9029, 9030, 9031, 9032),
    }


__all__ = [
    "ACS_FAULTS",
    "ACS_INTERNAL_ERROR",
    "ACS_INVALID_ARGUMENTS",
    "ACS_METHOD_NOT_SUPPORTED",
    "ACS_REQUEST_DENIED",
    "ACS_RESOURCES_EXCEEDED",
    "ACS_RETRY_REQUEST",
    "CPE_FAULTS",
    "DOWNLOAD_FAILURE",
    "INTERNAL_ERROR",
    "INVALID_ARGUMENTS",
    "INVALID_PARAMETER_NAME",
    "INVALID_PARAMETER_TYPE",
    "INVALID_PARAMETER_VALUE",
    "METHOD_NOT_SUPPORTED",
    "NON_WRITABLE_PARAMETER",
    "NOTIFICATION_REJECTED",
    "REQUEST_DENIED",
    "RESOURCES_EXCEEDED",
    "UPLOAD_FAILURE",
    "Malformed",
    "is_clients",
]
