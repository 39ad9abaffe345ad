"""Sessions that live get what changes: speeds, gardens and ends, on access servers of each make."""

from contextlib import asynccontextmanager

import pytest

from demarc.domains.aaa.profiles import Settings
from demarc.domains.aaa.quotas import QuotaCounter
from demarc.domains.network import commands
from demarc.lab.nas import Habits, Limits, Nas, Retry, Session, Walls
from support.eventually import eventually

SECRET = "a-secret-of-this-nas"
RETRY = Retry(first=0.2, factor=2, longest=1.0, tries=8)
PAY = "https://pay.example.net/"
MAKES = ("mikrotik", "huawei", "juniper", "cisco", "nokia", "zte", "accel-ppp")


@asynccontextmanager
async def access_servers(served, makes=MAKES, habits=None):
    """Run an access server of each make, known to Demarc by an address of its own."""
    settings, house = served.settings, served.house
    running = []
    for number, make in enumerate(makes, 2):
        host = f"127.0.0.{number}"
        nas = Nas(
            make,
            SECRET.encode(),
            (settings.radius_host, settings.radius_auth_port),
            (settings.radius_host, settings.radius_acct_port),
            bind_host=host,
            vendor=make,
            retry=RETRY,
            habits=habits,
        )
        await nas.start()
        running.append(nas)
        async with house.db.system() as tx:
            await house.aaa.create_nas(
                tx,
                owner_id=house.fno.id,
                network_id=house.network.id,
                name=make,
                prefix=f"{host}/32",
                secret=SECRET,
                vendor=make,
                coa_port=nas.coa_address[1],
            )
    try:
        yield running
    finally:
        for nas in running:
            await nas.stop()


async def dial(served, nas, number=0):
    """Sell a service, and log in with it, once the access server is known."""
    house = served.house
    service = await house.service(first_name=f"{nas.name.title()}{number}")
    async with house.as_isp() as tx:
        status = await house.aaa.radius_status(tx, service.id)

    async def log_in():
        return await nas.connect(status.username, status.password)

    session = await eventually(log_in, lambda found: isinstance(found, Session))
    await session.accounted(1)
    return service, session


async def put_product(served, mbps):
    house = served.house
    async with house.db.system() as tx:
        await house.catalog.put_product(
            tx,
            network=house.network,
            code="f50",
            name="Fibre 50",
            download_bps=mbps * 1_000_000,
            upload_bps=mbps * 500_000,
            areas=[house.area.id],
        )


async def limits_of(session):
    return session.limits


async def walls_of(session):
    return session.walls


async def test_a_products_new_speed_reaches_its_sessions_on_every_make(served):
    async with access_servers(served) as running:
        sessions = {nas.name: (await dial(served, nas))[1] for nas in running}
        for make, session in sessions.items():
            assert session.limits.down_bps == 50_000_000, make
        await put_product(served, 80)
        for make, session in sessions.items():
            # an ERX's own policy says what comes in
            up = None if make == "juniper" else 40_000_000
            await eventually(
                lambda session=session: limits_of(session),
                lambda found, up=up: found == Limits(up_bps=up, down_bps=80_000_000),
                within=20,
            )
            assert session.up, make


async def test_a_nas_that_takes_no_changes_begins_the_session_anew(served):
    async with access_servers(served, ("mikrotik",), Habits(changes=False)) as (nas,):
        service, session = await dial(served, nas)
        house = served.house
        async with house.as_isp() as tx:
            await house.services.change_product(tx, service.id, house.fast_product.id)
        assert await session.wait_ended() == "Admin-Reset"

        async def told():
            async with house.as_isp() as tx:
                return (await commands.of_service(tx, service.id))[0]

        command = await eventually(told, lambda found: found.final)
        assert (command.kind, command.state) == ("radius.change", "done")
        assert command.answer["change"]["error_cause_name"] == "Unsupported-Extension"
        assert command.answer["code"] == "Disconnect-ACK"


@pytest.mark.parametrize("filter_", [None, "open"])
async def test_a_suspended_service_is_led_into_its_garden_and_out_again(served, filter_):
    house = served.house
    async with house.as_isp() as tx:
        await house.aaa.put_profile(
            tx,
            tenant_id=house.isp.id,
            name="home",
            settings=Settings(
                suspended="garden",
                garden_download=256_000,
                garden_upload=128_000,
                garden_filter="unpaid",
                garden_redirect=PAY if filter_ is None else None,
                filter=filter_,
            ),
            is_default=True,
        )
    async with access_servers(served, ("mikrotik",)) as (nas,):
        service, session = await dial(served, nas)
        assert session.walls == Walls(filter=filter_)
        suspended = await served.fno.post(
            f"/fno/services/{service.id}/suspend", json={"reason": "unpaid"}
        )
        assert suspended.status_code == 200, suspended.text
        await eventually(
            lambda: walls_of(session),
            lambda found: found == Walls("unpaid", PAY if filter_ is None else None),
            within=20,
        )
        assert session.limits == Limits(up_bps=128_000, down_bps=256_000)
        assert session.up
        # who comes meanwhile is let in there, too
        async with house.as_isp() as tx:
            status = await house.aaa.radius_status(tx, service.id)
        other = await eventually(
            lambda: nas.connect(status.username, status.password),
            lambda found: isinstance(found, Session) and found.walls.filter == "unpaid",
        )
        await other.disconnect()
        resumed = await served.fno.post(
            f"/fno/services/{service.id}/resume", json={"reason": "paid"}
        )
        assert resumed.status_code == 200, resumed.text
        if filter_ is None:
            # nothing says that there is no wall any more: it dials anew
            assert await session.wait_ended() == "Admin-Reset"
        else:
            await eventually(
                lambda: limits_of(session), lambda found: found.down_bps == 50_000_000, within=20
            )
            assert session.walls.filter == "open"
            assert session.up


async def test_a_quota_that_accounting_uses_up_slows_the_session_down(served):
    house = served.house
    async with house.as_isp() as tx:
        await house.aaa.put_profile(
            tx,
            tenant_id=house.isp.id,
            name="home",
            settings=Settings(quota=10**9, throttle_download=1_000_000, throttle_upload=500_000),
            is_default=True,
        )
    async with access_servers(served, ("huawei",)) as (nas,):
        service, session = await dial(served, nas)
        session.carry(100_000_000, 1_000_000_000)
        session.interim()
        await session.accounted(2)
        # as each minute
        await QuotaCounter(house.db).count()
        await eventually(
            lambda: limits_of(session),
            lambda found: found == Limits(up_bps=500_000, down_bps=1_000_000),
            within=20,
        )
        assert session.up
        async with house.as_isp() as tx:
            standing = await house.aaa.standing(tx, service.id)
            assert standing.quota.used >= 1_100_000_000
            assert standing.why == "quota used up"
            await house.aaa.top_up(tx, service.id, 5 * 10**9)
        await eventually(
            lambda: limits_of(session), lambda found: found.down_bps == 50_000_000, within=20
        )
