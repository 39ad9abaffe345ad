"""What an Accept tells of IPv6, read back by the codec; and on a server, station by station."""

from ipaddress import IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.aaa.prefixes import pack, share_any
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.packet import Code, decode
from demarc.southbound.radius.prefixes import pool_attributes, prefix_attributes
from support.house import NAS_SECRET, build
from support.radius_process import running

FRAMED = DICTIONARY["Framed-IPv6-Prefix"]
DELEGATED = DICTIONARY["Delegated-IPv6-Prefix"]
ADDRESS = DICTIONARY["Framed-IP-Address"]


def read(attributes):
    """Decode attributes as those of an Accept."""
    head = bytes([2, 0]) + (20 + len(attributes)).to_bytes(2, "big") + bytes(16)
    return decode(head + attributes)


networks = st.builds(
    lambda top, bits: IPv6Network((top << 64, bits), strict=False),
    st.integers(0, 2**64 - 1),
    st.integers(1, 64),
)


@given(st.none() | networks, st.none() | networks)
def test_prefixes_are_read_as_they_were_put(framed, delegated):
    packed = pack(*(None if one is None else str(one) for one in (framed, delegated)))
    accept = read(prefix_attributes(packed))
    assert accept.get(FRAMED) == framed
    assert accept.get(DELEGATED) == delegated


@given(st.none() | networks, st.none() | networks, st.none() | networks, st.none() | networks)
def test_two_stations_share_what_both_have(one, two, three, four):
    first, second = {one, two} - {None}, {three, four} - {None}
    packed = [
        pack(*(None if each is None else str(each) for each in pair))
        for pair in ((one, two), (three, four))
    ]
    assert share_any(*packed) == bool(first & second)


@pytest.mark.parametrize(
    ("vendor", "attribute"),
    [
        ("mikrotik", "MikroTik-Delegated-IPv6-Pool"),
        ("huawei", "Huawei-Delegated-IPv6-Prefix-Pool"),
        ("juniper", "ERX-IPv6-Delegated-Pool-Name"),
        ("nokia", "Alc-Delegated-IPv6-Pool"),
        ("generic", "Delegated-IPv6-Prefix-Pool"),
    ],
)
def test_a_nas_with_pools_is_told_their_names_in_its_own_way(vendor, attribute):
    told = read(pool_attributes(vendor, ("homes", "lines", "pd"), None, None))
    assert told.text(DICTIONARY["Framed-Pool"]) == "homes"
    assert told.text(DICTIONARY["Framed-IPv6-Pool"]) == "lines"
    assert told.text(DICTIONARY[attribute]) == "pd"


def test_a_pool_is_not_named_where_the_session_has_something_of_its_own():
    prefixes = pack(None, "2001:db8::/56")
    told = read(pool_attributes("generic", ("homes", "lines", "pd"), "192.0.2.1", prefixes))
    assert told.text(DICTIONARY["Framed-Pool"]) is None
    assert told.text(DICTIONARY["Delegated-IPv6-Prefix-Pool"]) is None
    assert told.text(DICTIONARY["Framed-IPv6-Pool"]) == "lines"


# on a server


@pytest.fixture
async def house(db, tmp_path):
    house = await build(db, tmp_path)
    async with db.system() as tx:
        for kind, prefix in (("framed_ipv6", "2001:db8::/48"), ("delegated_ipv6", "3fff::/40")):
            await house.aaa.create_pool(
                tx,
                owner_id=house.fno.id,
                network_id=house.network.id,
                name=kind,
                kind=kind,
                prefix=prefix,
            )
    return house


async def login_of(house):
    service = await house.service()
    async with house.as_isp() as tx:
        status = await house.aaa.radius_status(tx, service.id)
    return status.username, status.password


def given_in(accept):
    assert accept.code == Code.ACCESS_ACCEPT
    return accept.get(FRAMED), accept.get(DELEGATED)


async def test_each_station_gets_prefixes_of_its_own_and_keeps_them(house):
    username, password = await login_of(house)
    async with running(house.db, house.keys) as process:
        nas = process.nas(NAS_SECRET)
        first = given_in(await nas.login(username, password, station="AA-01"))
        assert first == (IPv6Network("2001:db8::/64"), IPv6Network("3fff::/56"))
        second = given_in(await nas.login(username, password, station="AA-02"))
        assert second == (IPv6Network("2001:db8:0:1::/64"), IPv6Network("3fff:0:0:100::/56"))
        for station, had in (("AA-01", first), ("AA-02", second)):
            assert given_in(await nas.login(username, password, station=station)) == had


async def test_prefixes_in_use_are_known_to_a_process_that_starts(house):
    # the NAS gives addresses: only the prefixes tell what is in use
    async with house.db.system() as tx:
        await tx.conn.execute("DELETE FROM ip_address")
        await tx.conn.execute("DELETE FROM ip_pool WHERE kind = 'ipv4'")
    username, password = await login_of(house)
    async with running(house.db, house.keys) as before:
        nas = before.nas(NAS_SECRET)
        accept = await nas.login(username, password, station="AA-01")
        assert accept.get(ADDRESS) is None
        framed, delegated = given_in(accept)
        await nas.account(
            "Start",
            username,
            "s1",
            Calling_Station_Id="AA-01",
            Framed_IP_Address="10.0.0.7",
            Delegated_IPv6_Prefix=delegated,
        )
    async with running(house.db, house.keys) as after:
        nas = after.nas(NAS_SECRET)
        others = given_in(await nas.login(username, password, station="AA-02"))
        assert None not in others
        assert not {framed, delegated} & set(others)
        again = given_in(await nas.login(username, password, station="AA-01"))
        assert again == (framed, delegated)


async def test_the_session_shows_the_prefixes_that_accounting_told(house):
    username, password = await login_of(house)
    async with running(house.db, house.keys) as process:
        nas = process.nas(NAS_SECRET)
        framed, delegated = given_in(await nas.login(username, password, station="AA-01"))
        told = {
            "Calling_Station_Id": "AA-01",
            "Framed_IPv6_Prefix": framed,
            "Delegated_IPv6_Prefix": delegated,
        }
        await nas.account("Start", username, "s1", **told)
        await nas.account("Stop", username, "s1", **told)
    async with house.db.system() as tx:
        rows = await tx.conn.execute(
            "SELECT framed_ipv6_prefix::text, delegated_ipv6_prefix::text FROM session_closed"
        )
        assert await rows.fetchall() == [(str(framed), str(delegated))]


async def test_a_pool_of_the_nass_own_is_named_to_it(house):
    async with house.db.system() as tx:
        await tx.conn.execute("DELETE FROM ip_prefix")
        await tx.conn.execute("DELETE FROM ip_pool WHERE kind <> 'ipv4'")
        for name, isp in (("for-all", None), ("acmes", house.isp.id)):
            await house.aaa.create_pool(
                tx,
                owner_id=house.fno.id,
                network_id=house.network.id,
                name=name,
                kind="delegated_ipv6",
                nas_pool=f"pd-{name}",
                tenant_id=isp,
            )
    username, password = await login_of(house)
    async with running(house.db, house.keys) as process:
        accept = await process.nas(NAS_SECRET).login(username, password, station="AA-01")
    assert accept.text(DICTIONARY["MikroTik-Delegated-IPv6-Pool"]) == "pd-acmes"
    assert given_in(accept) == (None, None)
