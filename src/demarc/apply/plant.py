"""Steps for what the owner of a network operates: PoPs, NASes, OLTs."""

from typing import Any

from demarc.apply.document import NasTable, OltTable, PopTable
from demarc.apply.plan import Change
from demarc.apply.values import Hidden
from demarc.apply.work import Work
from demarc.domains.aaa.certificates import certificate_name
from demarc.domains.aaa.model import Nas
from demarc.domains.access.model import Olt
from demarc.domains.identity.model import Network
from demarc.domains.network import pops
from demarc.domains.network.model import Pop


async def pop(work: Work, table: PopTable) -> Change:
    """Bring a PoP to what its table says."""
    network = await work.network(table)
    after: dict[str, Any] = {
        "name": table.name,
        "latitude": table.latitude,
        "longitude": table.longitude,
    }
    known = (await _pops(work, network)).get(table.code)
    return await work.bring(
        table,
        None if known is None else {key: getattr(known, key) for key in after},
        after,
        lambda: pops.put(work.tx, network=network, code=table.code, **after),
    )


async def nas(work: Work, table: NasTable) -> Change:
    """Bring a NAS, or a prefix of them, to what its table says."""
    aaa = work.domains.aaa
    network = await work.network(table)
    stands_at = await work.pop(network, table.pop)
    realm = None
    if table.default_realm is not None:
        realm = await work.realm("default_realm", table.default_realm)
    secret = table.secret or Hidden()
    after: dict[str, Any] = {
        "prefix": table.where,
        "vendor": table.vendor,
        "secret": secret,
        "coa_port": table.coa_port,
        "coa": table.coa,
        "default_realm": None if realm is None else realm.name,
        "require_message_authenticator": table.require_message_authenticator,
        "limit_proxy_state": table.limit_proxy_state,
        "certificate": certificate_name(table.certificate),
        "counters_reversed": table.counters_reversed,
        "interim_interval": table.interim_interval,
        "speed_attributes": table.speed_attributes,
        "mac_authentication": table.mac_authentication,
        "circuit_authentication": table.circuit_authentication,
        "reach": table.reach,
        "pop": table.pop,
    }
    values = {
        **after,
        "secret": str(secret),
        "pop_id": None if stands_at is None else stands_at.id,
        "default_realm_id": None if realm is None else realm.id,
    }
    del values["pop"], values["default_realm"]

    async def read() -> dict[str, Nas]:
        return {one.name: one for one in await aaa.nases(work.tx, network.id)}

    known = (await work.listed("nas", network.id, read)).get(table.name)
    if known is None:
        return await work.bring(
            table,
            None,
            after,
            lambda: aaa.create_nas(
                work.tx,
                owner_id=network.owner_id,
                network_id=network.id,
                name=table.name,
                **values,
            ),
        )
    realms = {one.id: one.name for one in await work.realms()}
    codes = {one.id: one.code for one in (await _pops(work, network)).values()}
    before = {
        **{key: getattr(known, key) for key in after if hasattr(known, key)},
        "secret": Hidden(aaa.nas_secret(known).decode()),
        "default_realm": realms.get(known.default_realm_id) if known.default_realm_id else None,
        "pop": codes.get(known.pop_id) if known.pop_id else None,
    }
    return await work.bring(table, before, after, lambda: aaa.change_nas(work.tx, known, **values))


async def olt(work: Work, table: OltTable) -> Change:
    """Bring an OLT to what its table says."""
    access = work.domains.access
    network = await work.network(table)
    stands_at = await work.pop(network, table.pop)
    community = table.community or Hidden()
    after: dict[str, Any] = {
        "address": str(table.address),
        "port": table.port,
        "community": community,
        "vendor": table.vendor,
        "model": table.model,
        "pop": table.pop,
        "reach": table.reach,
        "poll_interval": table.poll_interval,
    }

    async def read() -> dict[str, Olt]:
        return {one.name: one for one in await access.olts(work.tx, network.id)}

    before: dict[str, Any] | None = None
    known = (await work.listed("olt", network.id, read)).get(table.name)
    if known is not None:
        codes = {one.id: one.code for one in (await _pops(work, network)).values()}
        before = {
            "address": known.address,
            "port": known.snmp_port,
            "community": Hidden(await access.community(work.tx, known.id)),
            "vendor": known.vendor,
            "model": known.model,
            "pop": codes.get(known.pop_id) if known.pop_id else None,
            "reach": known.reach,
            "poll_interval": known.poll_interval,
        }
    return await work.bring(
        table,
        before,
        after,
        lambda: access.put_olt(
            work.tx,
            owner_id=network.owner_id,
            network_id=network.id,
            name=table.name,
            vendor=table.vendor,
            address=str(table.address),
            community=str(community),
            snmp_port=table.port,
            pop_id=None if stands_at is None else stands_at.id,
            model=table.model,
            reach=table.reach,
            poll_interval=table.poll_interval,
        ),
    )


async def _pops(work: Work, network: Network) -> dict[str, Pop]:
    return {one.code: one for one in await pops.of_network(work.tx, network.id)}


__all__ = ["nas", "olt", "pop"]
