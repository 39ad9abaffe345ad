"""Profiles, bindings and quotas: made, given to services, shown."""

from collections.abc import Callable
from uuid import UUID

import msgspec

from demarc.domains.aaa import logins
from demarc.domains.aaa import policy_queries as queries
from demarc.domains.aaa.authorisation import Denied, terms_now
from demarc.domains.aaa.control import Control
from demarc.domains.aaa.enforcement import PROFILE_CHANGED
from demarc.domains.aaa.model import Binding
from demarc.domains.aaa.policy_queries import Bound, GivenTerms, QuotaUse, StoredProfile
from demarc.domains.aaa.profiles import Settings, check
from demarc.domains.aaa.queries import CREDENTIALS_OF_SERVICE
from demarc.domains.aaa.quotas import COUNT_ONE
from demarc.domains.errors import Conflict, Invalid, NotFound
from demarc.domains.identity import audit
from demarc.domains.network.model import Command
from demarc.platform.clock import now
from demarc.platform.database import Tx
from demarc.platform.jobs import UPKEEP, defer

_LONGEST_NAME = 64
_MOST_OCTETS = 2**62


class Standing(msgspec.Struct, frozen=True):
    """What a service may have now, what it was given, and why.

    Attributes:
        profile: the name of the one that holds; None where there is none, or it is not seen.
        terms: what a session should have now, as ``Terms.label``; None where it is refused.
        why: it is refused, or less than full.
        given: what sessions were given last, the newest first.
        bindings: of each credential.
        quota: None where it has none.
    """

    profile: str | None
    terms: str | None
    why: str | None
    given: list[GivenTerms]
    bindings: list[Bound]
    quota: QuotaUse | None


class Policies(Control):
    """Use cases on what log-ins are given, beyond their speed."""

    # profiles

    async def profiles(self, tx: Tx, tenant_id: UUID) -> list[StoredProfile]:
        """Give a tenant's profiles, by name."""
        return await queries.PROFILES.all(tx, tenant_id=tenant_id)

    async def profile(self, tx: Tx, profile_id: UUID) -> StoredProfile:
        """Give a profile.

        Raises:
            NotFound: there is none, or it is another tenant's.
        """
        found = await queries.GET_PROFILE.one(tx, id=profile_id)
        if found is None:
            raise NotFound("profile", profile_id)
        return found

    async def profile_named(self, tx: Tx, tenant_id: UUID, name: str) -> StoredProfile:
        """Give a tenant's profile by its name.

        Raises:
            NotFound: there is none.
        """
        found = await queries.PROFILE_NAMED.one(tx, tenant_id=tenant_id, name=name)
        if found is None:
            raise NotFound("profile", name)
        return found

    async def put_profile(
        self,
        tx: Tx,
        *,
        tenant_id: UUID,
        name: str,
        settings: Settings,
        is_default: bool = False,
    ) -> StoredProfile:
        """Make a profile, or bring the one of that name to these settings.

        Sessions that live are brought to it too, in portions.

        Args:
            tx: the transaction.
            tenant_id: whose it is.
            name: unique among the tenant's.
            settings: all of them.
            is_default: it is for all log-ins of the tenant that have no other; the one that was
                before is not any more.

        Raises:
            Invalid: a setting cannot be used; it is named.
        """
        name = name.strip()
        if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
            raise Invalid("name", f"of a profile has 1 to {_LONGEST_NAME} characters")
        settings = check(settings)
        before = await queries.PROFILE_NAMED.one(tx, tenant_id=tenant_id, name=name)
        wanted = msgspec.to_builtins(settings)
        if before is not None and (before.settings, before.is_default) == (wanted, is_default):
            return before
        changed = []
        if is_default:
            changed = await queries.NO_OTHER_DEFAULT.all(tx, tenant_id=tenant_id, name=name)
        after = await queries.PUT_PROFILE.one(
            tx,
            tenant_id=tenant_id,
            name=name,
            settings=msgspec.json.encode(settings).decode(),
            is_default=is_default,
        )
        if after is None:
            raise RuntimeError("a statement that always gives a row gave none")
        await audit.put(tx, "profile", after.id, before=before, after=after, tenant_id=tenant_id)
        held = after.is_default or bool(changed) or (before is not None and before.is_default)
        await defer(
            tx,
            task=PROFILE_CHANGED,
            queue=UPKEEP,
            args={"profile_id": str(after.id), "tenant_id": str(tenant_id), "is_default": held},
        )
        return after

    async def drop_profile(self, tx: Tx, profile: StoredProfile) -> None:
        """Delete a profile that nothing uses.

        Raises:
            Conflict: products or services have it, or it is the tenant's default.
        """
        if profile.is_default:
            raise Conflict(
                f"the profile {profile.name} is the default; make another one that first"
            )
        if not await queries.DROP_UNUSED_PROFILE.run(tx, id=profile.id):
            raise Conflict(f"products or services have the profile {profile.name}")
        await audit.write(
            tx,
            action="delete",
            kind="profile",
            key=profile.id,
            tenant_id=profile.tenant_id,
            before={"name": profile.name, "settings": profile.settings},
        )

    async def set_profile(
        self, tx: Tx, service_id: UUID, profile: StoredProfile | None
    ) -> list[Command]:
        """Give a service a profile of its own, or take it back: then its product's holds.

        Returns:
            The commands that tell its live sessions.

        Raises:
            Invalid: it is the profile of somebody else.
            NotFound: the service has no credential.
        """
        credentials = await CREDENTIALS_OF_SERVICE.all(tx, service_id=service_id)
        if not credentials:
            raise NotFound("credential of service", service_id)
        tenants = {credentials[0].tenant_id, credentials[0].owner_id}
        if profile is not None and profile.tenant_id not in tenants:
            raise Invalid("profile", "is neither the ISP's nor the network owner's")
        before = await queries.PROFILE_OF_SERVICE.one(tx, service_id=service_id)
        profile_id = None if profile is None else profile.id
        if not await queries.SET_PROFILE.run(tx, service_id=service_id, profile_id=profile_id):
            return []
        await audit.write(
            tx,
            action="set_profile",
            kind="service",
            key=service_id,
            tenant_id=credentials[0].tenant_id,
            before={"profile": None if before is None else before.name},
            after={"profile": None if profile is None else profile.name},
        )
        await self._count(tx, service_id)
        return await self.renew(tx, service_id, "profile changed")

    # bindings

    async def reset_binding(self, tx: Tx, service_id: UUID) -> list[Bound]:
        """Forget the stations and lines a service's log-ins learned; the next ones are learned.

        What was said beforehand ("fixed") stays.

        Raises:
            NotFound: the service has no credential.
        """
        return await self._rebind(
            tx,
            service_id,
            lambda one: msgspec.structs.replace(
                one,
                station=one.station if one.station_binding == "fixed" else None,
                circuit_id=one.circuit_id if one.circuit_binding == "fixed" else None,
            ),
        )

    async def bind_station(
        self, tx: Tx, service_id: UUID, binding: Binding, station: str | None = None
    ) -> list[Bound]:
        """Say which station a service's log-ins are bound to, or that they learn it.

        Args:
            tx: the transaction.
            service_id: the service.
            binding: "fixed" to the station given, "learn", or "none", which leaves it to the
                profile.
            station: Calling-Station-Id, as the NAS writes it.

        Raises:
            Invalid: a station is given where none can be, or none where one must be.
            NotFound: the service has no credential.
        """
        _check_binding("station", binding, station)
        return await self._rebind(
            tx,
            service_id,
            lambda one: msgspec.structs.replace(one, station=station, station_binding=binding),
        )

    async def bind_circuit(
        self, tx: Tx, service_id: UUID, binding: Binding, circuit_id: str | None = None
    ) -> list[Bound]:
        """Say which line a service's log-ins are bound to; as ``bind_station``.

        Raises:
            Invalid: a line is given where none can be, or none where one must be.
            NotFound: the service has no credential.
        """
        _check_binding("circuit_id", binding, circuit_id)
        return await self._rebind(
            tx,
            service_id,
            lambda one: msgspec.structs.replace(
                one, circuit_id=circuit_id, circuit_binding=binding
            ),
        )

    async def _rebind(
        self, tx: Tx, service_id: UUID, change: Callable[[Bound], Bound]
    ) -> list[Bound]:
        before = await queries.BOUND.all(tx, service_id=service_id)
        if not before:
            raise NotFound("credential of service", service_id)
        after = [change(one) for one in before]
        tenant_id = (await CREDENTIALS_OF_SERVICE.all(tx, service_id=service_id))[0].tenant_id
        for old, new in zip(before, after, strict=True):
            if old != new:
                await queries.SET_BOUND.one(tx, **msgspec.structs.asdict(new))
                was, is_ = audit.differences(old, new)
                await audit.write(
                    tx,
                    action="bind",
                    kind="service",
                    key=service_id,
                    tenant_id=tenant_id,
                    before=was,
                    after=is_,
                )
        return after

    # quotas

    async def quota(self, tx: Tx, service_id: UUID) -> QuotaUse | None:
        """Give how much of its quota a service has used; None where it has none."""
        return await queries.QUOTA_USE.one(tx, service_id=service_id)

    async def top_up(self, tx: Tx, service_id: UUID, octets: int, note: str | None = None) -> None:
        """Let a service use more in the period that is now; where it is prepaid, from now on.

        Raises:
            Invalid: it is not more than nothing.
            NotFound: the service has no credential.
        """
        if not 0 < octets <= _MOST_OCTETS:
            raise Invalid("octets", "must be above 0")
        added = await queries.TOP_UP.one(tx, service_id=service_id, octets=octets, note=note)
        if added is None:
            raise NotFound("credential of service", service_id)
        tenant_id = (await CREDENTIALS_OF_SERVICE.all(tx, service_id=service_id))[0].tenant_id
        await audit.write(
            tx,
            action="top_up",
            kind="service",
            key=service_id,
            tenant_id=tenant_id,
            after={"octets": octets, "note": note},
        )
        await self._count(tx, service_id)

    async def _count(self, tx: Tx, service_id: UUID) -> None:
        await defer(tx, task=COUNT_ONE, queue=UPKEEP, args={"service_id": str(service_id)})

    # what holds now

    async def standing(self, tx: Tx, service_id: UUID) -> Standing:
        """Tell what a service may have now, what its sessions were given, and why.

        Raises:
            NotFound: the service has no credential.
        """
        credentials = await CREDENTIALS_OF_SERVICE.all(tx, service_id=service_id)
        if not credentials:
            raise NotFound("credential of service", service_id)
        first = credentials[0].id
        login = (await logins.logins_by_id(tx, [first]))[first]
        wanted = terms_now(login, now())
        return Standing(
            profile=None if login.profile is None else login.profile.name,
            terms=None if isinstance(wanted, Denied) else wanted.label,
            why=wanted.reason if isinstance(wanted, Denied) else wanted.why,
            given=await queries.GIVEN.all(tx, service_id=service_id),
            bindings=await queries.BOUND.all(tx, service_id=service_id),
            quota=await self.quota(tx, service_id),
        )


def _check_binding(field: str, binding: Binding, value: str | None) -> None:
    if (binding == "fixed") != bool(value):
        raise Invalid(field, "is given where the binding is fixed, and only there")


__all__ = ["Policies", "Standing"]
