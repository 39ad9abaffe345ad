"""Profiles as a NAS and an ISP notice them: over real sockets, on a real database."""

import msgspec
import pytest

from demarc.domains.aaa.profiles import Settings
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code
from support.house import NAS_SECRET, build
from support.live import given
from support.radius_process import running, until

RATE = DICTIONARY["MikroTik-Rate-Limit"]
MESSAGE = DICTIONARY["Reply-Message"]
FILTER = DICTIONARY["MikroTik-Address-List"]


@pytest.fixture
async def house(db, tmp_path):
    return await build(db, tmp_path)


@pytest.fixture
async def process(house):
    async with running(house.db, house.keys) as process:
        yield process


@pytest.fixture
async def nas(process):
    return process.nas(NAS_SECRET)


async def profile(house, **settings):
    async with house.as_isp() as tx:
        return await house.aaa.put_profile(
            tx,
            tenant_id=house.isp.id,
            name="home",
            settings=Settings(**settings),
            is_default=True,
        )


async def login_of(house, service):
    async with house.as_isp() as tx:
        status = await house.aaa.radius_status(tx, service.id)
    return status.username, status.password


async def test_an_accept_carries_what_the_profile_says(house, nas):
    await profile(
        house,
        filter="open",
        session_timeout=3600,
        idle_timeout=600,
        attributes=("Framed-MTU = 1492", "[huawei] Filter-Id = gold"),
    )
    reply = await nas.login(*await login_of(house, await house.service()), station="AA-01")
    assert reply.code == Code.ACCESS_ACCEPT
    assert reply.text(FILTER) == "open"
    assert reply.number(DICTIONARY["Session-Timeout"]) == 3600
    assert reply.number(DICTIONARY["Idle-Timeout"]) == 600
    assert reply.number(DICTIONARY["Framed-MTU"]) == 1492
    assert reply.value(DICTIONARY["Filter-Id"]) is None


async def test_a_suspended_service_gets_into_its_garden_at_the_next_log_in(house, nas):
    await profile(house, suspended="garden", garden_download=256_000, garden_filter="unpaid")
    service = await house.service()
    login = await login_of(house, service)
    assert (await nas.login(*login, station="AA-01")).text(RATE) == "25000000/50000000"
    async with house.as_fno() as tx:
        await house.services.suspend(tx, service.id, reason="unpaid")

    async def in_garden():
        reply = await nas.login(*login, station="AA-01")
        return reply.code == Code.ACCESS_ACCEPT and reply.text(FILTER) == "unpaid" and reply

    reply = await until(in_garden)
    assert reply.text(RATE) == "25000000/256000"


async def test_a_changed_profile_holds_for_log_ins_that_are_in_memory(house, nas):
    await profile(house, session_timeout=3600)
    login = await login_of(house, await house.service())
    await nas.login(*login, station="AA-01")
    await profile(house, session_timeout=7200)

    async def timeout():
        reply = await nas.login(*login, station="AA-01")
        return reply.number(DICTIONARY["Session-Timeout"]) == 7200

    assert await until(timeout)


async def test_a_first_default_profile_holds_for_log_ins_that_had_none(house, nas):
    login = await login_of(house, await house.service())
    assert (await nas.login(*login, station="AA-01")).value(FILTER) is None
    await profile(house, filter="open")

    async def filtered():
        return (await nas.login(*login, station="AA-01")).text(FILTER) == "open"

    assert await until(filtered)


async def test_what_a_session_was_given_is_noted_once_and_when_it_changes(house, nas):
    service = await house.service()
    login = await login_of(house, service)
    for _ in range(3):
        await nas.login(*login, station="AA-01")
    assert await until(lambda: given(house)) == ["50000000/25000000"]
    async with house.db.system() as tx:
        found = await tx.conn.execute("SELECT xmin FROM session_terms")
        written = await found.fetchone()
    await nas.login(*login, station="AA-01")

    async def attempts():
        async with house.as_isp() as tx:
            return len((await house.aaa.radius_status(tx, service.id)).attempts) == 4

    await until(attempts)
    async with house.db.system() as tx:
        found = await tx.conn.execute("SELECT xmin FROM session_terms")
        assert await found.fetchone() == written


async def test_the_first_station_is_learned_and_no_other_gets_in_until_it_is_reset(house, nas):
    await profile(house, station_binding="learn")
    service = await house.service()
    login = await login_of(house, service)
    assert (await nas.login(*login, station="AA-01")).code == Code.ACCESS_ACCEPT
    # at once, before anything is written
    refused = await nas.login(*login, station="BB-02")
    assert (refused.code, refused.text(MESSAGE)) == (
        Code.ACCESS_REJECT,
        "bound to another station",
    )

    async def bound():
        async with house.as_isp() as tx:
            (one,) = (await house.aaa.standing(tx, service.id)).bindings
        return one.station == "AA-01"

    await until(bound)
    assert (await nas.login(*login, station="BB-02")).code == Code.ACCESS_REJECT
    async with house.as_isp() as tx:
        (one,) = await house.aaa.reset_binding(tx, service.id)
    assert one.station is None

    async def let_in():
        return (await nas.login(*login, station="BB-02")).code == Code.ACCESS_ACCEPT

    await until(let_in)
    async with house.as_isp() as tx:
        found = await tx.conn.execute("SELECT before, after FROM audit WHERE action = 'bind'")
        ((before, after),) = await found.fetchall()
    assert (before, after) == ({"station": "AA-01"}, {"station": None})


async def test_of_a_profile_fewer_stations_may_be_logged_in(house, nas):
    await profile(house, max_sessions=1)
    login = await login_of(house, await house.service())
    assert (await nas.login(*login, station="AA-01")).code == Code.ACCESS_ACCEPT
    refused = await nas.login(*login, station="BB-02")
    assert refused.text(MESSAGE) == "too many sessions"


async def test_of_a_profile_more_stations_get_an_address_each(house, nas):
    await profile(house, max_sessions=6)
    login = await login_of(house, await house.service())
    addresses = set()
    for number in range(6):
        reply = await nas.login(*login, station=f"AA-{number:02d}")
        assert reply.code == Code.ACCESS_ACCEPT, number
        addresses.add(reply.address(DICTIONARY["Framed-IP-Address"]))
    assert len(addresses) == 6


async def test_a_further_log_in_of_a_service_has_what_holds_for_the_first(house):
    async with house.as_isp() as tx:
        nights = await house.aaa.put_profile(
            tx, tenant_id=house.isp.id, name="nights", settings=Settings(session_timeout=900)
        )
    service = await house.service()
    async with house.as_isp() as tx:
        await house.aaa.set_profile(tx, service.id, nights)
        await house.aaa.add_credential(tx, service.id, kind="pppoe", username="second")
        found = await tx.conn.execute("SELECT DISTINCT profile_id FROM credential")
        assert await found.fetchall() == [(nights.id,)]
    assert msgspec.to_builtins(nights)["settings"] == {"session_timeout": 900}


async def test_in_the_garden_a_second_station_has_an_address_of_its_own(house, nas):
    await profile(house, suspended="garden")
    service = await house.service()
    login = await login_of(house, service)
    async with house.as_isp() as tx:
        await house.services.suspend(tx, service.id, reason="unpaid")
    replies = [await nas.login(*login, station=station) for station in ("AA-01", "BB-02", "AA-01")]
    first, second, again = (reply.address(DICTIONARY["Framed-IP-Address"]) for reply in replies)
    assert first is not None
    assert second not in {None, first}
    assert again == first
