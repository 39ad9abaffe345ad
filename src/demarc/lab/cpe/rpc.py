"""What a device answers when an ACS asks it, and what it does after the session for that."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from demarc.lab.cpe.tree import Refusal
from demarc.protocols.cwmp import errors, messages
from demarc.protocols.cwmp.messages import Fault, Message

if TYPE_CHECKING:
    from demarc.lab.cpe.device import Cpe

METHODS: Final = (
    *("GetRPCMethods", "SetParameterValues", "GetParameterValues", "GetParameterNames"),
    *("SetParameterAttributes", "GetParameterAttributes", "AddObject", "DeleteObject"),
    *("Reboot", "Download", "Upload", "ScheduleInform", "FactoryReset"),
)
"""What a device can be asked (TR-069 Amendment 6, A.3.1.1)."""

_LATER: Final = 1


def answer(cpe: "Cpe", message: Message) -> Message:
    """Carry out a request; give the answer, a Fault if it cannot be."""
    method = _METHODS.get(type(message))
    if method is None:
        return _fault(errors.METHOD_NOT_SUPPORTED)
    try:
        return method(cpe, message)
    except Refusal as refusal:
        return refusal.fault


def _fault(code: int) -> Fault:
    return Fault(code, errors.CPE_FAULTS[code])


def _get_values(cpe: "Cpe", message: messages.GetParameterValues) -> Message:
    return messages.GetParameterValuesResponse(cpe.tree.values(message.names))


def _set_values(cpe: "Cpe", message: messages.SetParameterValues) -> Message:
    changed = cpe.tree.set(message.parameters)
    cpe.tree.put(f"{cpe.management}ParameterKey", message.parameter_key)
    return messages.SetParameterValuesResponse(_follow(cpe, message, changed))


def _follow(cpe: "Cpe", message: messages.SetParameterValues, changed: list[str]) -> int:
    """Do what new values bring with them; give the status of the answer."""
    status = 0
    given = {each.name for each in message.parameters}
    places, habits = cpe.home.make.places, cpe.habits
    for network in places.networks:
        renamed = network.ssid in changed and network.passphrase not in given
        if habits.forgets_passphrase and renamed:
            cpe.tree.reset(network.passphrase)
    if any(f"{places.pppoe}{each}" in changed for each in ("Username", "Password")):
        if habits.pppoe_needs_reboot:
            status = _LATER
        else:
            cpe.afterwards(cpe.dial)
    cpe.diagnostics.asked(message.parameters)
    if f"{cpe.management}URL" in changed:
        cpe.afterwards(cpe.meet_anew)
    if f"{cpe.management}Username" in given or f"{cpe.management}Password" in given:
        cpe.afterwards(cpe.prove_anew)
    if any(name.startswith(f"{cpe.management}PeriodicInform") for name in given):
        cpe.reckon()
    cpe.notice()
    return status


def _get_names(cpe: "Cpe", message: messages.GetParameterNames) -> Message:
    return messages.GetParameterNamesResponse(
        cpe.tree.names(message.path, next_level=message.next_level)
    )


def _get_attributes(cpe: "Cpe", message: messages.GetParameterAttributes) -> Message:
    return messages.GetParameterAttributesResponse(cpe.tree.attributes(message.names))


def _set_attributes(cpe: "Cpe", message: messages.SetParameterAttributes) -> Message:
    cpe.tree.set_attributes(message.parameters)
    cpe.notice()
    return messages.SetParameterAttributesResponse()


def _add(cpe: "Cpe", message: messages.AddObject) -> Message:
    instance = cpe.tree.add(message.object_name)
    cpe.tree.put(f"{cpe.management}ParameterKey", message.parameter_key)
    return messages.AddObjectResponse(instance)


def _delete(cpe: "Cpe", message: messages.DeleteObject) -> Message:
    cpe.tree.delete(message.object_name)
    cpe.tree.put(f"{cpe.management}ParameterKey", message.parameter_key)
    return messages.DeleteObjectResponse()


def _reboot(cpe: "Cpe", message: messages.Reboot) -> Message:
    cpe.afterwards(lambda: cpe.restart(message.command_key))
    return messages.RebootResponse()


def _factory_reset(cpe: "Cpe", _: messages.FactoryReset) -> Message:
    cpe.afterwards(cpe.reset)
    return messages.FactoryResetResponse()


def _schedule_inform(cpe: "Cpe", message: messages.ScheduleInform) -> Message:
    if message.delay_seconds < 1:
        raise Refusal(errors.INVALID_ARGUMENTS)
    cpe.schedule(message.delay_seconds, message.command_key)
    return messages.ScheduleInformResponse()


def _download(cpe: "Cpe", message: messages.Download) -> Message:
    cpe.transfers.check(message.url)
    cpe.afterwards(lambda: cpe.meanwhile(cpe.transfers.download(message)))
    return messages.DownloadResponse(_LATER)


def _upload(cpe: "Cpe", message: messages.Upload) -> Message:
    cpe.transfers.check(message.url)
    cpe.afterwards(lambda: cpe.meanwhile(cpe.transfers.upload(message)))
    return messages.UploadResponse(_LATER)


_METHODS: Final[dict[type, Callable[["Cpe", Any], Message]]] = {
    messages.GetRPCMethods: lambda _cpe, _message: messages.GetRPCMethodsResponse(METHODS),
    messages.GetParameterValues: _get_values,
    messages.SetParameterValues: _set_values,
    messages.GetParameterNames: _get_names,
    messages.GetParameterAttributes: _get_attributes,
    messages.SetParameterAttributes: _set_attributes,
    messages.AddObject: _add,
    messages.DeleteObject: _delete,
    messages.Reboot: _reboot,
    messages.FactoryReset: _factory_reset,
    messages.ScheduleInform: _schedule_inform,
    messages.Download: _download,
    messages.Upload: _upload,
}

__all__ = ["METHODS", "answer"]
