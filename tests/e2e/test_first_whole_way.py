"""From the contract to the session and back, as an ISP, a NAS and a subscriber see it."""

import asyncio
import time

import pytest

from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code, decode
from demarc.protocols.radius.reply import encode_reply
from demarc.protocols.radius.verify import verify_request
from support import radclient
from support.eventually import eventually
from support.house import NAS_SECRET

pytestmark = [
    pytest.mark.peer("radclient"),
    pytest.mark.skipif(radclient.MISSING, reason=radclient.WHY),
]


class Nas(asyncio.DatagramProtocol):
    """The side of a NAS that takes Disconnect-Requests, and acknowledges them."""

    def __init__(self):
        self.disconnects = asyncio.Queue()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        request = decode(data)
        verify_request(request, NAS_SECRET.encode(), require_message_authenticator=False)
        assert request.code == Code.DISCONNECT_REQUEST
        self.disconnects.put_nowait(request)
        self.transport.sendto(
            encode_reply(request, Code.DISCONNECT_ACK, [], NAS_SECRET.encode()), addr
        )


async def test_a_service_is_sold_used_suspended_and_its_session_ends(served):
    loop = asyncio.get_running_loop()
    transport, nas = await loop.create_datagram_endpoint(Nas, local_addr=("127.0.0.1", 0))
    house = served.house
    async with house.db.system() as tx:
        await tx.conn.execute(
            "UPDATE nas SET coa_port = %s", [transport.get_extra_info("sockname")[1]]
        )
    settings = served.settings

    async def radius(kind, **attributes):
        port = settings.radius_auth_port if kind == "auth" else settings.radius_acct_port
        return await radclient.ask(
            settings.radius_host,
            port,
            kind,
            NAS_SECRET,
            {name.replace("_", "-"): value for name, value in attributes.items()},
        )

    # the ISP sells
    customer = await served.isp.post(
        "/customers",
        json={
            "first_name": "Nomsa",
            "last_name": "Dlamini",
            "email": "nomsa@example.net",
            "mobile_number": "+27 60 555 0101",
        },
    )
    assert customer.status_code == 201, customer.text
    created = await served.isp.post(
        "/services",
        json={
            "customer_id": customer.json()["id"],
            "product_id": str(house.product.id),
            "premise_id": str(house.premise_id),
        },
    )
    assert created.status_code == 201, created.text
    path = created.headers["Location"].removeprefix(settings.public_url)
    assert (await served.isp.get(path)).json()["status"] == "Pending installation"
    status = (await served.isp.get(f"{path}/radius/status")).json()
    assert status["authentication_attempts"] == []
    assert status["accounting"] == []

    # the subscriber logs in
    refused = await radius("auth", User_Name=status["username"], User_Password="wrong")
    assert refused.code == "Access-Reject"
    accepted = await radius("auth", User_Name=status["username"], User_Password=status["password"])
    assert accepted.code == "Access-Accept"
    address = accepted.attributes["Framed-IP-Address"]
    assert accepted.attributes["Mikrotik-Rate-Limit"] == "25000000/50000000"

    async def service():
        return (await served.isp.get(path)).json()

    seen = await eventually(service, lambda now: now["status"] == "Active")
    assert seen["provisioned_date"] is not None

    # the NAS accounts for the session
    began = int(time.time()) - 600
    session = {
        "User_Name": status["username"],
        "Acct_Session_Id": "8000001",
        "Framed_IP_Address": address,
        "NAS_IP_Address": "127.0.0.1",
    }
    for kind, seconds, down, up in (
        ("Start", 0, 0, 0),
        ("Interim-Update", 300, 4_000_000, 1_000_000),
        ("Interim-Update", 600, 9_000_000, 2_000_000),
    ):
        answer = await radius(
            "acct",
            **session,
            Acct_Status_Type=kind,
            Acct_Session_Time=seconds,
            Acct_Output_Octets=down,
            Acct_Input_Octets=up,
            Event_Timestamp=began + seconds,
        )
        assert answer.code == "Accounting-Response"
    status = (await served.isp.get(f"{path}/radius/status")).json()
    [live] = status["accounting"]
    assert live["session_id"] == "8000001"
    assert live["ipaddress"] == address
    assert live["acct_stop_time"] is None
    assert (live["output_octets"], live["input_octets"]) == (9_000_000, 2_000_000)
    attempts = await eventually(
        lambda: _attempts(served, path), lambda found: len(found) == 2, within=10
    )
    assert {attempt["reply"] for attempt in attempts} != {attempts[0]["reply"]}
    usage = (await served.isp.get(f"{path}/radius/usage")).json()
    assert sum(day["total_bytes_downloaded"] for day in usage) == 9_000_000
    assert sum(day["total_bytes_uploaded"] for day in usage) == 2_000_000

    # another ISP sees none of it
    for hidden in ("", "/radius/status", "/radius/usage"):
        assert (await served.other_isp.get(path + hidden)).status_code == 404

    # the owner of the network suspends: the NAS is told, and further log-ins are refused
    suspended = await served.fno.post(f"/fno{path}/suspend", json={"reason": "unpaid"})
    assert suspended.status_code == 200, suspended.text
    request = await asyncio.wait_for(nas.disconnects.get(), 15)
    assert request.get(DICTIONARY["Acct-Session-Id"]) == "8000001"
    stopped = await radius(
        "acct",
        **session,
        Acct_Status_Type="Stop",
        Acct_Session_Time=660,
        Acct_Output_Octets=9_500_000,
        Acct_Input_Octets=2_000_000,
        Acct_Terminate_Cause="Admin-Reset",
        Event_Timestamp=began + 660,
    )
    assert stopped.code == "Accounting-Response"
    status = (await served.isp.get(f"{path}/radius/status")).json()
    [closed] = status["accounting"]
    assert closed["acct_stop_time"] is not None
    assert closed["terminate_cause"] == "Admin-Reset"

    async def log_in():
        return await radius("auth", User_Name=status["username"], User_Password=status["password"])

    await eventually(log_in, lambda answer: answer.code == "Access-Reject", within=5)
    transport.close()


async def _attempts(served, path):
    return (await served.isp.get(f"{path}/radius/status")).json()["authentication_attempts"]
