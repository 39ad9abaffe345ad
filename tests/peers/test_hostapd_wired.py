"""A switch with 802.1X and a station on its port: log-in, accounting, and being put out."""

import pytest

from demarc.domains.aaa.ports import SessionKeys
from demarc.southbound.radius.dynamic import UdpSessionDriver
from demarc.southbound.radius.eap.tls import Files
from support import certificates, wired
from support.house import NAS_SECRET, build
from support.radius_process import running, until

pytestmark = [
    pytest.mark.peer("hostapd"),
    pytest.mark.skipif(wired.MISSING, reason=wired.WHY),
]

PASSWORD = "correct horse battery"
METHODS = {
    "PEAP": ("eap=PEAP", 'phase2="auth=MSCHAPV2"'),
    "TTLS": ("eap=TTLS", 'phase2="auth=PAP"'),
    "MD5": ("eap=MD5",),
}


@pytest.fixture
async def cable():
    async with wired.cable() as laid:
        if laid is None:
            pytest.skip("this machine makes no network namespaces or veth")
        yield laid


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest.fixture
async def service(house):
    return await house.service()


def switched(cable, folder, process, das):
    auth, acct = process.auth[1], process.acct[1]
    return wired.switch(cable, folder, auth=auth, acct=acct, das=das, secret=NAS_SECRET)


async def sessions_of(house, service):
    async with house.as_isp() as tx:
        return (await house.aaa.radius_status(tx, service.id)).sessions


@pytest.mark.parametrize("method", METHODS)
async def test_a_station_logs_in_is_accounted_for_and_put_out(
    house, service, cable, tmp_path, method
):
    das = wired.free_port()
    async with house.as_isp() as tx:
        credential = await house.aaa.add_credential(
            tx, service.id, kind="dot1x", username="ana", password=PASSWORD
        )
    async with house.db.system() as tx:
        nas = await house.aaa.change_nas(tx, house.nas, vendor="generic", coa_port=das)
    shown = certificates.pair(tmp_path, "eap")
    async with (
        running(house.db, house.keys, eap=Files(shown.cert, shown.key)) as process,
        switched(cable, tmp_path, process, das) as switch,
    ):
        await until(lambda: "AP-ENABLED" in switch.printed)
        network = [
            *METHODS[method],
            'identity="ana@acme"',
            f'password="{PASSWORD}"',
            *(
                []
                if method == "MD5"
                else [f'ca_cert="{shown.cert}"', 'anonymous_identity="a@acme"']
            ),
        ]
        async with wired.station(cable, tmp_path, *network) as station:
            await until(lambda: "CTRL-EVENT-CONNECTED" in station.printed, 30)

            async def live():
                return await sessions_of(house, service)

            (session,) = await until(live, 20)
            assert session.credential_id == credential.id
            assert session.username == "ana@acme"
            answer = await UdpSessionDriver().disconnect(
                nas=nas,
                secret=NAS_SECRET.encode(),
                keys=SessionKeys(
                    username=session.username,
                    acct_session_id=session.acct_session_id,
                    nas_address=session.nas_address,
                    calling_station_id=session.calling_station_id,
                ),
            )
            assert answer.acknowledged, switch.printed[-3000:]

            async def first_ended():
                found = await sessions_of(house, service)
                return any(one.id == session.id and one.ended_at is not None for one in found)

            await until(first_ended, 20)


async def test_a_wrong_password_leaves_the_port_closed(house, service, cable, tmp_path):
    async with house.as_isp() as tx:
        await house.aaa.add_credential(
            tx, service.id, kind="dot1x", username="ana", password=PASSWORD
        )
    shown = certificates.pair(tmp_path, "eap")
    async with (
        running(house.db, house.keys, eap=Files(shown.cert, shown.key)) as process,
        switched(cable, tmp_path, process, wired.free_port()) as switch,
    ):
        await until(lambda: "AP-ENABLED" in switch.printed)
        network = ["eap=PEAP", 'identity="ana@acme"', 'password="guess"']
        async with wired.station(cable, tmp_path, *network) as station:
            await until(lambda: "CTRL-EVENT-EAP-FAILURE" in station.printed, 30)
            assert "CTRL-EVENT-CONNECTED" not in station.printed
        assert await sessions_of(house, service) == []
