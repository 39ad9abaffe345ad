"""Messages out of their elements: one function a kind, by the element's name."""

from collections.abc import Callable
from typing import Final, cast

from demarc.protocols.cwmp import events, messages, xml
from demarc.protocols.cwmp.errors import Malformed
from demarc.protocols.cwmp.messages import Message
from demarc.protocols.cwmp.times import read_time
from demarc.protocols.cwmp.xml import Element, child, number, text, truth, word

_MOST_PARAMETERS: Final = 200_000
_XSI_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"


def message(element: Element) -> Message:
    """Read what stands in the body of an envelope.

    Raises:
        Malformed: no such message is known.
    """
    name = xml.local(element)
    reader = _READERS.get(name)
    if reader is None:
        raise Malformed(f"{name[:64]!r} is no message of CWMP")
    return reader(element)


def _items(element: Element, name: str) -> list[Element]:
    found = child(element, name)
    if found is None:
        return []
    if len(found) > _MOST_PARAMETERS:
        raise Malformed(f"{name} has too many members")
    return list(found)


def _strings(element: Element, name: str) -> tuple[str, ...]:
    return tuple(text(each).strip() for each in _items(element, name))


def _type(value: Element | None) -> str:
    """Read xsi:type without its prefix; devices differ in the prefix, some leave it out."""
    if value is None:
        return "string"
    for name, given in value.attrib.items():
        if str(name).endswith("}type") or name == "type":
            return str(given).rpartition(":")[2] or "string"
    return "string"


def _values(element: Element) -> tuple[messages.ParameterValue, ...]:
    found = []
    for each in _items(element, "ParameterList"):
        name, value, kind = "", "", "string"
        for part in each:
            # the one loop that is as long as the tree of a device: no call that can be spared
            tag = cast("str", part.tag)
            if tag == "Value" or tag.endswith("}Value"):
                value = part.text or ""
                given = part.get(_XSI_TYPE)
                kind = _type(part) if given is None else given.rpartition(":")[2] or "string"
            elif tag == "Name" or tag.endswith("}Name"):
                name = (part.text or "").strip()
        if name:
            found.append(messages.ParameterValue(name, value, kind))
    return tuple(found)


def _inform(element: Element) -> Message:
    device = child(element, "DeviceId")
    if device is None:
        raise Malformed("the Inform does not say whose it is")
    return messages.Inform(
        device=messages.DeviceId(
            manufacturer=word(device, "Manufacturer"),
            oui=word(device, "OUI").upper(),
            product_class=word(device, "ProductClass"),
            serial_number=word(device, "SerialNumber"),
        ),
        events=tuple(
            messages.Event(events.canonical(word(each, "EventCode")), word(each, "CommandKey"))
            for each in _items(element, "Event")
        ),
        parameters=_values(element),
        max_envelopes=number(element, "MaxEnvelopes", 1),
        current_time=read_time(word(element, "CurrentTime")),
        retry_count=number(element, "RetryCount"),
    )


def _file_fault(element: Element, name: str = "FaultStruct") -> messages.FileFault:
    found = child(element, name)
    if found is None:
        return messages.FileFault()
    return messages.FileFault(number(found, "FaultCode"), word(found, "FaultString"))


def _transfer_complete(element: Element) -> Message:
    return messages.TransferComplete(
        command_key=word(element, "CommandKey"),
        fault=_file_fault(element),
        start_time=read_time(word(element, "StartTime")),
        complete_time=read_time(word(element, "CompleteTime")),
    )


def _autonomous_transfer_complete(element: Element) -> Message:
    return messages.AutonomousTransferComplete(
        announce_url=word(element, "AnnounceURL"),
        transfer_url=word(element, "TransferURL"),
        is_download=truth(element, "IsDownload"),
        file_type=word(element, "FileType"),
        file_size=number(element, "FileSize"),
        target_file_name=word(element, "TargetFileName"),
        fault=_file_fault(element),
        start_time=read_time(word(element, "StartTime")),
        complete_time=read_time(word(element, "CompleteTime")),
    )


def _request_download(element: Element) -> Message:
    return messages.RequestDownload(
        file_type=word(element, "FileType"),
        arguments=tuple(
            (word(each, "Name"), word(each, "Value")) for each in _items(element, "FileTypeArg")
        ),
    )


def _set_parameter_values(element: Element) -> Message:
    return messages.SetParameterValues(_values(element), word(element, "ParameterKey"))


def _get_parameter_names(element: Element) -> Message:
    return messages.GetParameterNames(word(element, "ParameterPath"), truth(element, "NextLevel"))


def _get_parameter_names_response(element: Element) -> Message:
    return messages.GetParameterNamesResponse(
        tuple(
            messages.ParameterInfo(word(each, "Name"), truth(each, "Writable"))
            for each in _items(element, "ParameterList")
        )
    )


def _set_parameter_attributes(element: Element) -> Message:
    return messages.SetParameterAttributes(
        tuple(
            messages.AttributeChange(
                name=word(each, "Name"),
                notification=(
                    number(each, "Notification") if truth(each, "NotificationChange") else None
                ),
                access_list=(
                    _strings(each, "AccessList") if truth(each, "AccessListChange") else None
                ),
            )
            for each in _items(element, "ParameterList")
        )
    )


def _get_parameter_attributes_response(element: Element) -> Message:
    return messages.GetParameterAttributesResponse(
        tuple(
            messages.ParameterAttribute(
                word(each, "Name"), number(each, "Notification"), _strings(each, "AccessList")
            )
            for each in _items(element, "ParameterList")
        )
    )


def _download(element: Element) -> Message:
    return messages.Download(
        command_key=word(element, "CommandKey"),
        file_type=word(element, "FileType"),
        url=word(element, "URL"),
        username=text(child(element, "Username")),
        password=text(child(element, "Password")),
        file_size=number(element, "FileSize"),
        target_file_name=word(element, "TargetFileName"),
        delay_seconds=number(element, "DelaySeconds"),
        success_url=word(element, "SuccessURL"),
        failure_url=word(element, "FailureURL"),
    )


def _upload(element: Element) -> Message:
    return messages.Upload(
        command_key=word(element, "CommandKey"),
        file_type=word(element, "FileType"),
        url=word(element, "URL"),
        username=text(child(element, "Username")),
        password=text(child(element, "Password")),
        delay_seconds=number(element, "DelaySeconds"),
    )


def _fault(element: Element) -> Message:
    detail = child(element, "detail")
    if detail is None:
        detail = child(element, "Detail")
    cwmp = None if detail is None else child(detail, "Fault")
    if cwmp is None:
        return messages.Fault(0, word(element, "faultstring"))
    return messages.Fault(
        code=number(cwmp, "FaultCode"),
        text=word(cwmp, "FaultString"),
        parameters=tuple(
            messages.SetFault(
                word(each, "ParameterName"), number(each, "FaultCode"), word(each, "FaultString")
            )
            for each in cwmp
            if xml.local(each) == "SetParameterValuesFault"
        ),
    )


_READERS: Final[dict[str, Callable[[Element], Message]]] = {
    "Inform": _inform,
    "InformResponse": lambda e: messages.InformResponse(number(e, "MaxEnvelopes", 1)),
    "TransferComplete": _transfer_complete,
    "TransferCompleteResponse": lambda _: messages.TransferCompleteResponse(),
    "AutonomousTransferComplete": _autonomous_transfer_complete,
    "AutonomousTransferCompleteResponse": (lambda _: messages.AutonomousTransferCompleteResponse()),
    "RequestDownload": _request_download,
    "RequestDownloadResponse": lambda _: messages.RequestDownloadResponse(),
    "GetRPCMethods": lambda _: messages.GetRPCMethods(),
    "GetRPCMethodsResponse": lambda e: messages.GetRPCMethodsResponse(_strings(e, "MethodList")),
    "GetParameterValues": lambda e: messages.GetParameterValues(_strings(e, "ParameterNames")),
    "GetParameterValuesResponse": lambda e: messages.GetParameterValuesResponse(_values(e)),
    "SetParameterValues": _set_parameter_values,
    "SetParameterValuesResponse": (
        lambda e: messages.SetParameterValuesResponse(number(e, "Status"))
    ),
    "GetParameterNames": _get_parameter_names,
    "GetParameterNamesResponse": _get_parameter_names_response,
    "GetParameterAttributes": (
        lambda e: messages.GetParameterAttributes(_strings(e, "ParameterNames"))
    ),
    "GetParameterAttributesResponse": _get_parameter_attributes_response,
    "SetParameterAttributes": _set_parameter_attributes,
    "SetParameterAttributesResponse": lambda _: messages.SetParameterAttributesResponse(),
    "AddObject": lambda e: messages.AddObject(word(e, "ObjectName"), word(e, "ParameterKey")),
    "AddObjectResponse": (
        lambda e: messages.AddObjectResponse(number(e, "InstanceNumber"), number(e, "Status"))
    ),
    "DeleteObject": lambda e: messages.DeleteObject(word(e, "ObjectName"), word(e, "ParameterKey")),
    "DeleteObjectResponse": lambda e: messages.DeleteObjectResponse(number(e, "Status")),
    "Reboot": lambda e: messages.Reboot(word(e, "CommandKey")),
    "RebootResponse": lambda _: messages.RebootResponse(),
    "FactoryReset": lambda _: messages.FactoryReset(),
    "FactoryResetResponse": lambda _: messages.FactoryResetResponse(),
    "ScheduleInform": (
        lambda e: messages.ScheduleInform(number(e, "DelaySeconds"), word(e, "CommandKey"))
    ),
    "ScheduleInformResponse": lambda _: messages.ScheduleInformResponse(),
    "Download": _download,
    "DownloadResponse": lambda e: messages.DownloadResponse(
        number(e, "Status"),
        read_time(word(e, "StartTime")),
        read_time(word(e, "CompleteTime")),
    ),
    "Upload": _upload,
    "UploadResponse": lambda e: messages.UploadResponse(
        number(e, "Status"),
        read_time(word(e, "StartTime")),
        read_time(word(e, "CompleteTime")),
    ),
    "Fault": _fault,
}

__all__ = ["message"]
