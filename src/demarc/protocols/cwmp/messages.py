"""The messages of CWMP (TR-069 Amendment 6, annex A), each as a value.

What travels from CPE to ACS and what travels back are made of the same structs on both sides.
Times are aware UTC; None stands for the standard's "unknown time" (0001-01-01T00:00:00Z).
"""

from datetime import datetime
from typing import TypeAlias

import msgspec


class ParameterValue(msgspec.Struct, frozen=True, gc=False):
    """A parameter with its value.

    Attributes:
        name: the whole path.
        value: as text, the way it stands on the wire.
        type: of XML Schema, without a prefix: "string", "unsignedInt", "boolean", ...
    """

    name: str
    value: str
    type: str = "string"


class ParameterInfo(msgspec.Struct, frozen=True, gc=False):
    """A parameter's or an object's name; an object's ends with a dot."""

    name: str
    writable: bool


class ParameterAttribute(msgspec.Struct, frozen=True):
    """Attributes of a parameter.

    Attributes:
        notification: 0 off, 1 passive, 2 active; 3 to 6 lightweight.
        access_list: who may change it beside the ACS.
    """

    name: str
    notification: int
    access_list: tuple[str, ...] = ()


class AttributeChange(msgspec.Struct, frozen=True):
    """Attributes to be set; None leaves one as it is."""

    name: str
    notification: int | None = None
    access_list: tuple[str, ...] | None = None


class Event(msgspec.Struct, frozen=True):
    """Why an Inform is sent.

    Attributes:
        code: as ``events`` names it.
        command_key: of the request that caused it.
    """

    code: str
    command_key: str = ""


class DeviceId(msgspec.Struct, frozen=True):
    """Who a CPE is; OUI and serial number together are unique where makers keep to it."""

    manufacturer: str
    oui: str
    product_class: str
    serial_number: str


class SetFault(msgspec.Struct, frozen=True):
    """Why one parameter could not be set."""

    name: str
    code: int
    text: str


class Fault(msgspec.Struct, frozen=True, tag=True):
    """A request that could not be carried out.

    Attributes:
        code: 9000 and on of a CPE, 8000 and on of an ACS; 0 for a SOAP fault that is no CWMP one.
        text: in the words of who says it.
        parameters: of SetParameterValues, one by one.
    """

    code: int
    text: str
    parameters: tuple[SetFault, ...] = ()


class FileFault(msgspec.Struct, frozen=True):
    """How a transfer ended; code 0 is well."""

    code: int = 0
    text: str = ""


# What a CPE asks of an ACS


class Inform(msgspec.Struct, frozen=True, tag=True):
    """The first message of every session (A.3.3.1).

    Attributes:
        current_time: the CPE's own clock, which may well be in 1970.
        retry_count: sessions that failed before this one.
    """

    device: DeviceId
    events: tuple[Event, ...]
    parameters: tuple[ParameterValue, ...] = ()
    max_envelopes: int = 1
    current_time: datetime | None = None
    retry_count: int = 0


class TransferComplete(msgspec.Struct, frozen=True, tag=True):
    """A Download or Upload is over (A.3.3.2)."""

    command_key: str
    fault: FileFault = FileFault()
    start_time: datetime | None = None
    complete_time: datetime | None = None


class AutonomousTransferComplete(msgspec.Struct, frozen=True, tag=True):
    """A transfer that the ACS did not ask for is over (A.3.3.3)."""

    announce_url: str
    transfer_url: str
    is_download: bool
    file_type: str
    file_size: int = 0
    target_file_name: str = ""
    fault: FileFault = FileFault()
    start_time: datetime | None = None
    complete_time: datetime | None = None


class RequestDownload(msgspec.Struct, frozen=True, tag=True):
    """The CPE asks for a file (A.4.2.2)."""

    file_type: str
    arguments: tuple[tuple[str, str], ...] = ()


class GetRPCMethods(msgspec.Struct, frozen=True, tag=True):
    """Asks the other side what it can do (A.3.1.1)."""


# What an ACS asks of a CPE


class GetParameterValues(msgspec.Struct, frozen=True, tag=True):
    """Asks for values (A.3.2.2); a name that ends with a dot stands for all below it."""

    names: tuple[str, ...]


class SetParameterValues(msgspec.Struct, frozen=True, tag=True):
    """Sets values, all or none (A.3.2.1)."""

    parameters: tuple[ParameterValue, ...]
    parameter_key: str = ""


class GetParameterNames(msgspec.Struct, frozen=True, tag=True):
    """Asks what there is below a path (A.3.2.3).

    Attributes:
        path: of an object, with its dot; empty for the root.
        next_level: only what is directly below.
    """

    path: str
    next_level: bool


class GetParameterAttributes(msgspec.Struct, frozen=True, tag=True):
    """Asks for attributes (A.3.2.5)."""

    names: tuple[str, ...]


class SetParameterAttributes(msgspec.Struct, frozen=True, tag=True):
    """Sets attributes (A.3.2.4)."""

    parameters: tuple[AttributeChange, ...]


class AddObject(msgspec.Struct, frozen=True, tag=True):
    """Makes an instance of an object (A.3.2.6)."""

    object_name: str
    parameter_key: str = ""


class DeleteObject(msgspec.Struct, frozen=True, tag=True):
    """Takes an instance away (A.3.2.7)."""

    object_name: str
    parameter_key: str = ""


class Reboot(msgspec.Struct, frozen=True, tag=True):
    """Has the CPE start anew (A.3.2.9)."""

    command_key: str = ""


class FactoryReset(msgspec.Struct, frozen=True, tag=True):
    """Has the CPE forget all that was set (A.4.1.4)."""


class ScheduleInform(msgspec.Struct, frozen=True, tag=True):
    """Has the CPE come back after so many seconds (A.4.1.2)."""

    delay_seconds: int
    command_key: str = ""


class Download(msgspec.Struct, frozen=True, tag=True):
    """Has the CPE fetch a file (A.3.2.8).

    Attributes:
        file_type: "1 Firmware Upgrade Image", "3 Vendor Configuration File", ...
        file_size: octets, 0 if it is not known.
    """

    command_key: str
    file_type: str
    url: str
    username: str = ""
    password: str = ""
    file_size: int = 0
    target_file_name: str = ""
    delay_seconds: int = 0
    success_url: str = ""
    failure_url: str = ""


class Upload(msgspec.Struct, frozen=True, tag=True):
    """Has the CPE send a file (A.4.1.5)."""

    command_key: str
    file_type: str
    url: str
    username: str = ""
    password: str = ""
    delay_seconds: int = 0


# Answers


class InformResponse(msgspec.Struct, frozen=True, tag=True):
    """The ACS has taken the Inform."""

    max_envelopes: int = 1


class TransferCompleteResponse(msgspec.Struct, frozen=True, tag=True):
    """The ACS has noted the transfer."""


class AutonomousTransferCompleteResponse(msgspec.Struct, frozen=True, tag=True):
    """The ACS has noted the transfer."""


class RequestDownloadResponse(msgspec.Struct, frozen=True, tag=True):
    """The ACS has noted the wish."""


class GetRPCMethodsResponse(msgspec.Struct, frozen=True, tag=True):
    """What a side can do."""

    methods: tuple[str, ...]


class GetParameterValuesResponse(msgspec.Struct, frozen=True, tag=True):
    """The values asked for."""

    parameters: tuple[ParameterValue, ...]


class SetParameterValuesResponse(msgspec.Struct, frozen=True, tag=True):
    """All is set; status 1: it takes effect later, after a restart for instance."""

    status: int = 0


class GetParameterNamesResponse(msgspec.Struct, frozen=True, tag=True):
    """What there is."""

    parameters: tuple[ParameterInfo, ...]


class GetParameterAttributesResponse(msgspec.Struct, frozen=True, tag=True):
    """The attributes asked for."""

    parameters: tuple[ParameterAttribute, ...]


class SetParameterAttributesResponse(msgspec.Struct, frozen=True, tag=True):
    """All attributes are set."""


class AddObjectResponse(msgspec.Struct, frozen=True, tag=True):
    """The instance that was made, by its number."""

    instance: int
    status: int = 0


class DeleteObjectResponse(msgspec.Struct, frozen=True, tag=True):
    """The instance is gone; status 1: later."""

    status: int = 0


class RebootResponse(msgspec.Struct, frozen=True, tag=True):
    """It will start anew after the session."""


class FactoryResetResponse(msgspec.Struct, frozen=True, tag=True):
    """It will forget after the session."""


class ScheduleInformResponse(msgspec.Struct, frozen=True, tag=True):
    """It will come back."""


class DownloadResponse(msgspec.Struct, frozen=True, tag=True):
    """Status 0: it is done; 1: it will be, and a TransferComplete tells how it went."""

    status: int
    start_time: datetime | None = None
    complete_time: datetime | None = None


class UploadResponse(msgspec.Struct, frozen=True, tag=True):
    """As DownloadResponse."""

    status: int
    start_time: datetime | None = None
    complete_time: datetime | None = None


CpeRequest: TypeAlias = (
    Inform | TransferComplete | AutonomousTransferComplete | RequestDownload | GetRPCMethods
)
"""What a CPE asks."""

AcsRequest: TypeAlias = (
    GetParameterValues
    | SetParameterValues
    | GetParameterNames
    | GetParameterAttributes
    | SetParameterAttributes
    | AddObject
    | DeleteObject
    | Reboot
    | FactoryReset
    | ScheduleInform
    | Download
    | Upload
    | GetRPCMethods
)
"""What an ACS asks."""

Response: TypeAlias = (
    InformResponse
    | TransferCompleteResponse
    | AutonomousTransferCompleteResponse
    | RequestDownloadResponse
    | GetRPCMethodsResponse
    | GetParameterValuesResponse
    | SetParameterValuesResponse
    | GetParameterNamesResponse
    | GetParameterAttributesResponse
    | SetParameterAttributesResponse
    | AddObjectResponse
    | DeleteObjectResponse
    | RebootResponse
    | FactoryResetResponse
    | ScheduleInformResponse
    | DownloadResponse
    | UploadResponse
)
"""What either side answers, if it does not answer with a Fault."""

Message: TypeAlias = CpeRequest | AcsRequest | Response | Fault
"""All there is."""


def answers(response: Message, request: Message) -> bool:
    """Tell whether a message is of the kind that answers a request; a Fault answers all."""
    if isinstance(response, Fault):
        return True
    return type(response).__name__ == type(request).__name__ + "Response"
