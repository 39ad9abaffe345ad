"""What is done with a device in a session, as generators: each request is a ``yield``.

    def reboot(key):
        response = yield Reboot(key)
        return Done({}) if isinstance(response, RebootResponse) else refused(response)

A procedure neither sends nor stores: whoever runs it does. Values that a device tells are stored
whatever procedure asked for them. It must be possible to begin one again from its start, since the
session it ran in may break off at any request.
"""

from collections.abc import Generator, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from demarc.domains.cpe.tree import is_secret
from demarc.protocols.cwmp.messages import (
    AcsRequest,
    AddObject,
    AddObjectResponse,
    DeleteObject,
    DeleteObjectResponse,
    Download,
    DownloadResponse,
    FactoryReset,
    FactoryResetResponse,
    Fault,
    GetParameterNames,
    GetParameterNamesResponse,
    GetParameterValues,
    GetParameterValuesResponse,
    GetRPCMethods,
    GetRPCMethodsResponse,
    ParameterValue,
    Reboot,
    RebootResponse,
    Response,
    ScheduleInform,
    ScheduleInformResponse,
    SetParameterValues,
    SetParameterValuesResponse,
)

NAMES_AT_ONCE = 32
"""Names in one GetParameterValues: more make some devices' buffers overflow."""

_TOO_MUCH = frozenset({9002, 9004})
_MOST_ANSWERED = 2_000


class Done(msgspec.Struct, frozen=True):
    """It is carried out; what the device answered."""

    answer: dict[str, Any]


class Refused(msgspec.Struct, frozen=True):
    """The device would not, and in its own words why."""

    fault: str
    answer: dict[str, Any] | None = None


class Begun(msgspec.Struct, frozen=True):
    """The device has begun; how it ended comes with an event of a later session."""


Outcome: TypeAlias = Done | Refused | Begun
Procedure: TypeAlias = Generator[AcsRequest, Response | Fault, Outcome]


def describe(fault: Response | Fault) -> str:
    """Put a fault into one line, as the device said it."""
    if not isinstance(fault, Fault):
        return f"the device answered with {type(fault).__name__}"
    text = f"{fault.code} {fault.text}".strip() if fault.code else fault.text or "SOAP fault"
    named = [f"{each.name}: {each.code} {each.text}".strip() for each in fault.parameters]
    return "; ".join([text, *named])


def refused(response: Response | Fault) -> Refused:
    """Give the outcome of a request that was not answered as it should be."""
    answer = None
    if isinstance(response, Fault):
        answer = {
            "fault_code": response.code,
            "fault_string": response.text,
            "parameters": [msgspec.to_builtins(each) for each in response.parameters],
        }
    return Refused(describe(response), answer)


def read_values(names: Sequence[str]) -> Procedure:
    """Ask for values, in pieces; paths that end with a dot stand for all below them.

    A name that the device does not know fails alone: its piece is asked for again name by name. A
    piece that is too much for the device is asked for in halves.
    """
    missing: list[str] = []
    waiting = [list(piece) for piece in _pieces(names)]
    while waiting:
        piece = waiting.pop(0)
        response = yield GetParameterValues(tuple(piece))
        if isinstance(response, GetParameterValuesResponse):
            continue
        if not isinstance(response, Fault):
            return refused(response)
        if len(piece) > 1:
            half = (len(piece) + 1) // 2 if response.code in _TOO_MUCH else 1
            waiting[:0] = [piece[at : at + half] for at in range(0, len(piece), half)]
            continue
        missing.append(piece[0])
        if response.code == 0:
            return refused(response)
    return Done({"missing": missing})


def get_values(names: Sequence[str]) -> Procedure:
    """Ask for values and give them in the answer; those that are secret are left out of it."""
    values: dict[str, str] = {}
    hidden: list[str] = []
    reading = read_values(names)
    request = next(reading)
    while True:
        response = yield request
        if isinstance(response, GetParameterValuesResponse):
            for each in response.parameters:
                if is_secret(each.name):
                    hidden.append(each.name)
                elif len(values) < _MOST_ANSWERED:
                    values[each.name] = each.value
        try:
            request = reading.send(response)
        except StopIteration as end:
            outcome: Outcome = end.value
            break
    if isinstance(outcome, Done):
        return Done({**outcome.answer, "values": values, "hidden": hidden})
    return outcome


def learn(root: str) -> Procedure:
    """Read all there is below a root, one object below it at a time, then what may be set.

    Args:
        root: "InternetGatewayDevice." or "Device.".
    """
    response = yield GetParameterNames(root, next_level=True)
    if not isinstance(response, GetParameterNamesResponse):
        return refused(response)
    parts = [each.name for each in response.parameters if each.name != root]
    outcome = yield from read_values(parts)
    if not isinstance(outcome, Done):
        return outcome
    # devices that cannot list all names at once are asked object by object
    for part in [part for part in parts if part.endswith(".")]:
        yield GetParameterNames(part, next_level=False)
    return Done({"objects": len(parts), **outcome.answer})


def _pieces(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut names into requests: what stands for a whole object goes alone."""
    leaves = [name for name in names if not name.endswith(".")]
    yield from ([name] for name in names if name.endswith("."))
    yield from (leaves[at : at + NAMES_AT_ONCE] for at in range(0, len(leaves), NAMES_AT_ONCE))


def read_names(path: str, *, next_level: bool = False) -> Procedure:
    """Ask what there is below a path, and what of it may be set."""
    response = yield GetParameterNames(path, next_level)
    if isinstance(response, GetParameterNamesResponse):
        return Done({"count": len(response.parameters)})
    return refused(response)


def set_values(parameters: Sequence[ParameterValue], key: str = "") -> Procedure:
    """Set values, all or none, and read them back."""
    response = yield SetParameterValues(tuple(parameters), key)
    if not isinstance(response, SetParameterValuesResponse):
        return refused(response)
    read = yield from read_values([each.name for each in parameters])
    missing = read.answer["missing"] if isinstance(read, Done) else []
    return Done({"status": response.status, "unread": missing})


def set_only(parameters: Sequence[ParameterValue], key: str = "") -> Procedure:
    """Set values that no device tells again, as passwords."""
    response = yield SetParameterValues(tuple(parameters), key)
    if isinstance(response, SetParameterValuesResponse):
        return Done({"status": response.status})
    return refused(response)


def add_object(object_name: str, key: str = "") -> Procedure:
    """Make an instance of an object and read it."""
    response = yield AddObject(object_name, key)
    if not isinstance(response, AddObjectResponse):
        return refused(response)
    yield from read_values([f"{object_name}{response.instance}."])
    return Done({"instance": response.instance, "status": response.status})


def delete_object(object_name: str, key: str = "") -> Procedure:
    """Take an instance away."""
    response = yield DeleteObject(object_name, key)
    if isinstance(response, DeleteObjectResponse):
        return Done({"status": response.status})
    return refused(response)


def reboot(key: str) -> Procedure:
    """Have the device start anew; that it did comes with its next BOOT."""
    response = yield Reboot(key)
    return Begun() if isinstance(response, RebootResponse) else refused(response)


def factory_reset() -> Procedure:
    """Have the device forget all that was set; that it did comes with its next BOOTSTRAP."""
    response = yield FactoryReset()
    return Begun() if isinstance(response, FactoryResetResponse) else refused(response)


def download(request: Download) -> Procedure:
    """Have the device fetch a file; how that ended comes with its TransferComplete."""
    response = yield request
    if not isinstance(response, DownloadResponse):
        return refused(response)
    return Done({"status": 0}) if response.status == 0 else Begun()


def schedule_inform(delay_seconds: int, key: str) -> Procedure:
    """Have the device come back after a while."""
    response = yield ScheduleInform(delay_seconds, key)
    return Done({}) if isinstance(response, ScheduleInformResponse) else refused(response)


def methods() -> Procedure:
    """Ask what the device can do."""
    response = yield GetRPCMethods()
    if isinstance(response, GetRPCMethodsResponse):
        return Done({"methods": list(response.methods)})
    return refused(response)


__all__ = [
    "NAMES_AT_ONCE",
    "Begun",
    "Done",
    "Outcome",
    "Procedure",
    "Refused",
    "add_object",
    "delete_object",
    "describe",
    "download",
    "factory_reset",
    "get_values",
    "learn",
    "methods",
    "read_names",
    "read_values",
    "reboot",
    "refused",
    "schedule_inform",
    "set_only",
    "set_values",
]
