"""The ACS on a socket of loopback, and a device that a test plays by hand."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import uvicorn

from demarc.protocols import http_digest
from demarc.protocols.cwmp import events, messages
from demarc.protocols.cwmp.envelope import Envelope, decode, encode
from demarc.protocols.cwmp.messages import Message
from demarc.southbound.cwmp.acs import Acs

ROOT = "Device."


@contextlib.asynccontextmanager
async def serve(acs: Acs) -> AsyncIterator[str]:
    """Serve an ACS until the block ends; gives its URL."""
    config = uvicorn.Config(acs, port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/cwmp"
    finally:
        server.should_exit = True
        await serving


class PlayedCpe:
    """A device with a few parameters that answers what it is asked.

    Attributes:
        parameters: its values by path; all of them may be set.
        asked: what it was asked in its last session, in order.
        replies: answers of its own to requests of a kind, in the place of the usual ones.
    """

    def __init__(self, url: str, *, serial: str = "EX00000001", oui: str = "00AABB") -> None:
        self.url = url
        self.device = messages.DeviceId("Example", oui, "HG-1", serial)
        self.username = self.password = ""
        self.parameters = {
            "Device.DeviceInfo.Manufacturer": "Example",
            "Device.DeviceInfo.ModelName": "HG-1",
            "Device.DeviceInfo.HardwareVersion": "1",
            "Device.DeviceInfo.SoftwareVersion": "1.0",
            "Device.DeviceInfo.UpTime": "60",
            "Device.Ethernet.Interface.1.MACAddress": "02-00-5e-00-53-01",
            "Device.ManagementServer.ConnectionRequestURL": "http://127.0.0.1:9/",
            "Device.ManagementServer.PeriodicInformInterval": "3600",
            "Device.WiFi.SSID.1.SSID": "Home",
            "Device.WiFi.AccessPoint.1.Security.KeyPassphrase": "correct horse",
        }
        self.asked: list[Message] = []
        self.replies: dict[type, Callable[[Any], Message]] = {}
        self.client = httpx.AsyncClient(timeout=10)
        self.answer: http_digest.Challenge | None = None
        self._count = 0

    async def close(self) -> None:
        await self.client.aclose()

    def inform(self, *codes: str) -> messages.Inform:
        told = ("DeviceInfo.HardwareVersion", "DeviceInfo.SoftwareVersion", "DeviceInfo.ModelName")
        names = [ROOT + each for each in (*told, "ManagementServer.ConnectionRequestURL")]
        return messages.Inform(
            device=self.device,
            events=tuple(messages.Event(code) for code in codes or (events.PERIODIC,)),
            parameters=tuple(messages.ParameterValue(n, self.parameters[n]) for n in names),
        )

    async def post(self, body: bytes) -> httpx.Response:
        headers = {"content-type": "text/xml", "soapaction": ""}
        if self.answer is not None:
            self._count += 1
            answer = http_digest.answer_to(
                self.answer,
                method="POST",
                uri="/cwmp",
                username=self.username,
                password=self.password,
                cnonce="c",
                count=self._count,
            )
            headers["authorization"] = http_digest.answer_header(answer)
        return await self.client.post(self.url, content=body, headers=headers)

    async def begin(self, *codes: str) -> httpx.Response:
        """Inform, and prove who it is if that is asked for."""
        self.client.cookies.clear()
        body = encode(Envelope(self.inform(*codes), id="1", version="1-2"))
        response = await self.post(body)
        if response.status_code == 401 and self.username:
            self.answer = http_digest.read_challenge(response.headers["www-authenticate"])
            self._count = 0
            response = await self.post(body)
        return response

    async def session(self, *codes: str, first: tuple[Message, ...] = ()) -> int:
        """Go through a session; give the status of the Inform's answer.

        Args:
            codes: the events to tell of; "2 PERIODIC" by default.
            first: what to ask the ACS after the Inform.
        """
        self.asked = []
        response = await self.begin(*codes)
        status = response.status_code
        if status != 200:
            return status
        for message in first:
            response = await self.post(encode(Envelope(message, id="2", version="1-2")))
        response = await self.post(b"")
        while response.status_code == 200:
            envelope = decode(response.content)
            self.asked.append(envelope.message)
            reply = self.reply(envelope.message)
            response = await self.post(encode(Envelope(reply, id=envelope.id, version="1-2")))
        assert response.status_code == 204, response.status_code
        return status

    def reply(self, message: Message) -> Message:
        own = self.replies.get(type(message))
        if own is not None:
            return own(message)
        match message:
            case messages.GetParameterValues(names):
                return self._values(names)
            case messages.GetParameterNames(path, next_level):
                return self._names(path, next_level=next_level)
            case messages.SetParameterValues(parameters):
                for each in parameters:
                    self.parameters[each.name] = each.value
                    if each.name.endswith("ManagementServer.Username"):
                        self.username, self.answer = each.value, None
                    if each.name.endswith("ManagementServer.Password"):
                        self.password = each.value
                return messages.SetParameterValuesResponse(0)
            case messages.Reboot():
                return messages.RebootResponse()
            case messages.FactoryReset():
                return messages.FactoryResetResponse()
            case _:
                return messages.Fault(9000, "Method not supported")

    def _values(self, names: tuple[str, ...]) -> Message:
        found = []
        for name in names:
            matching = [p for p in self.parameters if p == name or p.startswith(name)]
            if name.endswith(".") or name in self.parameters:
                found += [messages.ParameterValue(p, self._shown(p)) for p in matching]
            else:
                return messages.Fault(9005, "Invalid parameter name")
        return messages.GetParameterValuesResponse(tuple(found))

    def _shown(self, path: str) -> str:
        return "" if path.endswith("Password") else self.parameters[path]

    def _names(self, path: str, *, next_level: bool) -> Message:
        if not next_level:
            infos = [messages.ParameterInfo(p, True) for p in self.parameters if p.startswith(path)]
            return messages.GetParameterNamesResponse(tuple(infos))
        parts = {p[len(path) :].partition(".")[0] + "." for p in self.parameters}
        return messages.GetParameterNamesResponse(
            tuple(messages.ParameterInfo(path + part, True) for part in sorted(parts))
        )
