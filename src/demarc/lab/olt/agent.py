"""An SNMP agent without I/O: the octets of a request in, the octets of the answer out.

It follows RFC 3416 section 4.2 and, for SNMPv1 requests, the mapping of RFC 3584 section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from demarc.lab.olt.mib import Commit, MibView
from demarc.protocols.snmp.ber import Malformed, Oid
from demarc.protocols.snmp.message import (
    Binding,
    BulkRequest,
    ErrorStatus,
    Message,
    Pdu,
    PduType,
    Version,
    decode,
    encode_binding,
    encode_response,
)
from demarc.protocols.snmp.values import Missing, Value

_ENVELOPE: Final = 64
"""More octets than everything of a response but its community and bindings takes."""

_V1_STATUS: Final = {
    ErrorStatus.NO_ACCESS: ErrorStatus.NO_SUCH_NAME,
    ErrorStatus.NO_CREATION: ErrorStatus.NO_SUCH_NAME,
    ErrorStatus.NOT_WRITABLE: ErrorStatus.NO_SUCH_NAME,
    ErrorStatus.WRONG_TYPE: ErrorStatus.BAD_VALUE,
    ErrorStatus.WRONG_VALUE: ErrorStatus.BAD_VALUE,
    ErrorStatus.INCONSISTENT_VALUE: ErrorStatus.BAD_VALUE,
}


class Counters(msgspec.Struct):
    """What became of the datagrams that arrived."""

    received: int = 0
    answered: int = 0
    malformed: int = 0
    wrong_community: int = 0
    unexpected: int = 0


class Agent:
    """Answers requests from a view of variables.

    Args:
        read_community: who may read; any other community gets no answer.
        write_community: who may read and write; None: the readers may write too.
        view: gives the variables as they are at the moment of a request.
        max_message: the largest answer, octets; a GetBulk is cut to it, anything else that
            would exceed it is answered tooBig.
    """

    def __init__(
        self,
        read_community: str,
        view: Callable[[], MibView],
        *,
        write_community: str | None = None,
        max_message: int = 1472,
    ) -> None:
        self._readers = {read_community.encode(), (write_community or read_community).encode()}
        self._writer = (write_community or read_community).encode()
        self._view = view
        self._max_message = max_message
        self.counters = Counters()

    def respond(self, datagram: bytes) -> bytes | None:
        """Answer one datagram; None where silence is the answer."""
        self.counters.received += 1
        try:
            message = decode(datagram)
        except Malformed:
            self.counters.malformed += 1
            return None
        if message.community not in self._readers:
            self.counters.wrong_community += 1
            return None
        answer = self._answer(message)
        if answer is None:
            self.counters.unexpected += 1
        else:
            self.counters.answered += 1
        return answer

    def _answer(self, message: Message) -> bytes | None:
        pdu = message.pdu
        view = self._view()
        if isinstance(pdu, BulkRequest):
            return self._get_bulk(message, pdu, view)
        match pdu.kind:
            case PduType.GET:
                return self._read(message, [_exact(view, each.oid) for each in pdu.bindings])
            case PduType.GET_NEXT:
                return self._read(message, [_next(view, each.oid) for each in pdu.bindings])
            case PduType.SET:
                return self._set(message, pdu, view)
            case _:
                return None

    def _read(self, message: Message, found: Sequence[Binding]) -> bytes:
        if message.version is Version.V1:
            for number, binding in enumerate(found, 1):
                if isinstance(binding.value, Missing):
                    return self._refuse(message, ErrorStatus.NO_SUCH_NAME, number)
        response = encode_response(message, map(encode_binding, found))
        if len(response) > self._max_message:
            return self._too_big(message)
        return response

    def _get_bulk(self, message: Message, pdu: BulkRequest, view: MibView) -> bytes:
        room = self._max_message - _ENVELOPE - len(message.community)
        once = pdu.bindings[: pdu.non_repeaters]
        repeated = pdu.bindings[pdu.non_repeaters :]
        encoded: list[bytes] = []
        for binding in _bulk(view, once, repeated, pdu.max_repetitions):
            octets = encode_binding(binding)
            room -= len(octets)
            if room < 0:
                break
            encoded.append(octets)
        return encode_response(message, encoded)

    def _set(self, message: Message, pdu: Pdu, view: MibView) -> bytes:
        commits: list[Commit] = []
        for number, binding in enumerate(pdu.bindings, 1):
            commit = self._prepare(message.community, view, binding)
            if isinstance(commit, ErrorStatus):
                return self._refuse(message, commit, number)
            commits.append(commit)
        response = encode_response(message, map(encode_binding, pdu.bindings))
        if len(response) > self._max_message:
            return self._too_big(message)
        # RFC 3416 section 4.2.5: nothing is written before everything may be.
        for commit in commits:
            commit()
        return response

    def _prepare(self, community: bytes, view: MibView, binding: Binding) -> Commit | ErrorStatus:
        if community != self._writer:
            return ErrorStatus.NO_ACCESS
        instance = view.find(binding.oid)
        if isinstance(instance, Missing):
            return ErrorStatus.NO_CREATION
        if instance.prepare is None:
            return ErrorStatus.NOT_WRITABLE
        return instance.prepare(binding.value)

    def _refuse(self, message: Message, status: ErrorStatus, number: int) -> bytes:
        if message.version is Version.V1:
            status = _V1_STATUS.get(status, status)
        return encode_response(message, map(encode_binding, message.pdu.bindings), status, number)

    def _too_big(self, message: Message) -> bytes:
        # SNMPv1 repeats the request's bindings, SNMPv2c leaves them out.
        echoed = message.pdu.bindings if message.version is Version.V1 else ()
        return encode_response(message, map(encode_binding, echoed), ErrorStatus.TOO_BIG)


def _exact(view: MibView, oid: Oid) -> Binding:
    instance = view.find(oid)
    value: Value = instance if isinstance(instance, Missing) else instance.read()
    return Binding(oid, value)


def _next(view: MibView, oid: Oid) -> Binding:
    return _at(view, view.position_after(oid), oid)


def _at(view: MibView, position: int, asked: Oid) -> Binding:
    found = view.at(position)
    if found is None:
        return Binding(asked, Missing.END_OF_MIB_VIEW)
    oid, instance = found
    return Binding(oid, instance.read())


def _bulk(
    view: MibView, once: Sequence[Binding], repeated: Sequence[Binding], repetitions: int
) -> Iterable[Binding]:
    for binding in once:
        yield _next(view, binding.oid)
    positions = [view.position_after(binding.oid) for binding in repeated]
    names = [binding.oid for binding in repeated]
    for _ in range(repetitions):
        for column, position in enumerate(positions):
            binding = _at(view, position, names[column])
            names[column] = binding.oid
            yield binding
        # Once every column has ended, further repetitions would say nothing new.
        if all(position >= len(view) for position in positions):
            return
        positions = [position + 1 for position in positions]
