"""Messages as elements: one function a kind, filled in like a form."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from demarc.protocols.cwmp import messages
from demarc.protocols.cwmp.errors import is_clients
from demarc.protocols.cwmp.messages import Message
from demarc.protocols.cwmp.times import write_time
from demarc.protocols.cwmp.xml import escape


def body(message: Message) -> str:
    """Write what stands in the body of an envelope."""
    name = type(message).__name__
    if isinstance(message, messages.Fault):
        return _fault(message)
    writer = _WRITERS.get(type(message))
    content = writer(message) if writer is not None else ""
    return f"<cwmp:{name}>{content}</cwmp:{name}>"


def _list(name: str, kind: str, members: Iterable[str]) -> str:
    made = list(members)
    return (
        f'<{name} soapenc:arrayType="{kind}[{len(made)}]" xsi:type="soapenc:Array">'
        f"{''.join(made)}</{name}>"
    )


def _strings(name: str, values: Iterable[str]) -> str:
    return _list(name, "xsd:string", [f"<string>{escape(each)}</string>" for each in values])


def _values(parameters: Iterable[messages.ParameterValue]) -> str:
    return _list(
        "ParameterList",
        "cwmp:ParameterValueStruct",
        [
            f"<ParameterValueStruct><Name>{escape(each.name)}</Name>"
            f'<Value xsi:type="xsd:{escape(each.type)}">{escape(each.value)}</Value>'
            "</ParameterValueStruct>"
            for each in parameters
        ],
    )


def _truth(value: object) -> str:
    return "1" if value else "0"


def _inform(message: messages.Inform) -> str:
    device = message.device
    happened = _list(
        "Event",
        "cwmp:EventStruct",
        [
            f"<EventStruct><EventCode>{escape(each.code)}</EventCode>"
            f"<CommandKey>{escape(each.command_key)}</CommandKey></EventStruct>"
            for each in message.events
        ],
    )
    return (
        f"<DeviceId><Manufacturer>{escape(device.manufacturer)}</Manufacturer>"
        f"<OUI>{escape(device.oui)}</OUI>"
        f"<ProductClass>{escape(device.product_class)}</ProductClass>"
        f"<SerialNumber>{escape(device.serial_number)}</SerialNumber></DeviceId>"
        f"{happened}<MaxEnvelopes>{message.max_envelopes}</MaxEnvelopes>"
        f"<CurrentTime>{write_time(message.current_time)}</CurrentTime>"
        f"<RetryCount>{message.retry_count}</RetryCount>{_values(message.parameters)}"
    )


def _transfer(
    message: messages.TransferComplete | messages.AutonomousTransferComplete,
) -> str:
    return (
        f"<FaultStruct><FaultCode>{message.fault.code}</FaultCode>"
        f"<FaultString>{escape(message.fault.text)}</FaultString></FaultStruct>"
        f"<StartTime>{write_time(message.start_time)}</StartTime>"
        f"<CompleteTime>{write_time(message.complete_time)}</CompleteTime>"
    )


def _autonomous(message: messages.AutonomousTransferComplete) -> str:
    return (
        f"<AnnounceURL>{escape(message.announce_url)}</AnnounceURL>"
        f"<TransferURL>{escape(message.transfer_url)}</TransferURL>"
        f"<IsDownload>{_truth(message.is_download)}</IsDownload>"
        f"<FileType>{escape(message.file_type)}</FileType>"
        f"<FileSize>{message.file_size}</FileSize>"
        f"<TargetFileName>{escape(message.target_file_name)}</TargetFileName>{_transfer(message)}"
    )


def _request_download(message: messages.RequestDownload) -> str:
    arguments = _list(
        "FileTypeArg",
        "cwmp:ArgStruct",
        [
            f"<ArgStruct><Name>{escape(name)}</Name><Value>{escape(value)}</Value></ArgStruct>"
            for name, value in message.arguments
        ],
    )
    return f"<FileType>{escape(message.file_type)}</FileType>{arguments}"


def _set_parameter_values(message: messages.SetParameterValues) -> str:
    return (
        f"{_values(message.parameters)}<ParameterKey>{escape(message.parameter_key)}</ParameterKey>"
    )


def _get_parameter_names(message: messages.GetParameterNames) -> str:
    return (
        f"<ParameterPath>{escape(message.path)}</ParameterPath>"
        f"<NextLevel>{_truth(message.next_level)}</NextLevel>"
    )


def _get_parameter_names_response(message: messages.GetParameterNamesResponse) -> str:
    return _list(
        "ParameterList",
        "cwmp:ParameterInfoStruct",
        [
            f"<ParameterInfoStruct><Name>{escape(each.name)}</Name>"
            f"<Writable>{_truth(each.writable)}</Writable></ParameterInfoStruct>"
            for each in message.parameters
        ],
    )


def _set_parameter_attributes(message: messages.SetParameterAttributes) -> str:
    return _list(
        "ParameterList",
        "cwmp:SetParameterAttributesStruct",
        [
            f"<SetParameterAttributesStruct><Name>{escape(each.name)}</Name>"
            f"<NotificationChange>{_truth(each.notification is not None)}</NotificationChange>"
            f"<Notification>{each.notification or 0}</Notification>"
            f"<AccessListChange>{_truth(each.access_list is not None)}</AccessListChange>"
            f"{_strings('AccessList', each.access_list or ())}</SetParameterAttributesStruct>"
            for each in message.parameters
        ],
    )


def _get_parameter_attributes_response(message: messages.GetParameterAttributesResponse) -> str:
    return _list(
        "ParameterList",
        "cwmp:ParameterAttributeStruct",
        [
            f"<ParameterAttributeStruct><Name>{escape(each.name)}</Name>"
            f"<Notification>{each.notification}</Notification>"
            f"{_strings('AccessList', each.access_list)}</ParameterAttributeStruct>"
            for each in message.parameters
        ],
    )


def _object(message: messages.AddObject | messages.DeleteObject) -> str:
    return (
        f"<ObjectName>{escape(message.object_name)}</ObjectName>"
        f"<ParameterKey>{escape(message.parameter_key)}</ParameterKey>"
    )


def _download(message: messages.Download) -> str:
    return (
        f"<CommandKey>{escape(message.command_key)}</CommandKey>"
        f"<FileType>{escape(message.file_type)}</FileType><URL>{escape(message.url)}</URL>"
        f"<Username>{escape(message.username)}</Username>"
        f"<Password>{escape(message.password)}</Password>"
        f"<FileSize>{message.file_size}</FileSize>"
        f"<TargetFileName>{escape(message.target_file_name)}</TargetFileName>"
        f"<DelaySeconds>{message.delay_seconds}</DelaySeconds>"
        f"<SuccessURL>{escape(message.success_url)}</SuccessURL>"
        f"<FailureURL>{escape(message.failure_url)}</FailureURL>"
    )


def _upload(message: messages.Upload) -> str:
    return (
        f"<CommandKey>{escape(message.command_key)}</CommandKey>"
        f"<FileType>{escape(message.file_type)}</FileType><URL>{escape(message.url)}</URL>"
        f"<Username>{escape(message.username)}</Username>"
        f"<Password>{escape(message.password)}</Password>"
        f"<DelaySeconds>{message.delay_seconds}</DelaySeconds>"
    )


def _transfer_response(message: messages.DownloadResponse | messages.UploadResponse) -> str:
    return (
        f"<Status>{message.status}</Status>"
        f"<StartTime>{write_time(message.start_time)}</StartTime>"
        f"<CompleteTime>{write_time(message.complete_time)}</CompleteTime>"
    )


def _fault(message: messages.Fault) -> str:
    refused = "".join(
        "<SetParameterValuesFault>"
        f"<ParameterName>{escape(each.name)}</ParameterName>"
        f"<FaultCode>{each.code}</FaultCode><FaultString>{escape(each.text)}</FaultString>"
        "</SetParameterValuesFault>"
        for each in message.parameters
    )
    side = "Client" if is_clients(message.code) else "Server"
    detail = (
        f"<detail><cwmp:Fault><FaultCode>{message.code}</FaultCode>"
        f"<FaultString>{escape(message.text)}</FaultString>{refused}</cwmp:Fault></detail>"
    )
    if message.code == 0:
        return (
            f"<soap:Fault><faultcode>Server</faultcode>"
            f"<faultstring>{escape(message.text)}</faultstring></soap:Fault>"
        )
    return (
        f"<soap:Fault><faultcode>{side}</faultcode><faultstring>CWMP fault</faultstring>"
        f"{detail}</soap:Fault>"
    )


_WRITERS: Final[dict[type, Callable[[Any], str]]] = {
    messages.Inform: _inform,
    messages.InformResponse: lambda m: f"<MaxEnvelopes>{m.max_envelopes}</MaxEnvelopes>",
    messages.TransferComplete: (
        lambda m: f"<CommandKey>{escape(m.command_key)}</CommandKey>{_transfer(m)}"
    ),
    messages.AutonomousTransferComplete: _autonomous,
    messages.RequestDownload: _request_download,
    messages.GetRPCMethodsResponse: lambda m: _strings("MethodList", m.methods),
    messages.GetParameterValues: lambda m: _strings("ParameterNames", m.names),
    messages.GetParameterValuesResponse: lambda m: _values(m.parameters),
    messages.SetParameterValues: _set_parameter_values,
    messages.SetParameterValuesResponse: lambda m: f"<Status>{m.status}</Status>",
    messages.GetParameterNames: _get_parameter_names,
    messages.GetParameterNamesResponse: _get_parameter_names_response,
    messages.GetParameterAttributes: lambda m: _strings("ParameterNames", m.names),
    messages.GetParameterAttributesResponse: _get_parameter_attributes_response,
    messages.SetParameterAttributes: _set_parameter_attributes,
    messages.AddObject: _object,
    messages.AddObjectResponse: (
        lambda m: f"<InstanceNumber>{m.instance}</InstanceNumber><Status>{m.status}</Status>"
    ),
    messages.DeleteObject: _object,
    messages.DeleteObjectResponse: lambda m: f"<Status>{m.status}</Status>",
    messages.Reboot: lambda m: f"<CommandKey>{escape(m.command_key)}</CommandKey>",
    messages.ScheduleInform: lambda m: (
        f"<DelaySeconds>{m.delay_seconds}</DelaySeconds>"
        f"<CommandKey>{escape(m.command_key)}</CommandKey>"
    ),
    messages.Download: _download,
    messages.DownloadResponse: _transfer_response,
    messages.Upload: _upload,
    messages.UploadResponse: _transfer_response,
}

__all__ = ["body"]
