"""Realms and NASes: what the owner of a network and its ISPs set up."""

from ipaddress import ip_network
from typing import Any
from uuid import UUID, uuid4

from demarc.domains.aaa import queries, speeds
from demarc.domains.aaa.certificates import certificate_name
from demarc.domains.aaa.model import Dynamic, Nas, Realm, Requirement, Vendor
from demarc.domains.aaa.proxying import Proxies
from demarc.domains.errors import Conflict, Invalid, NotFound
from demarc.domains.identity import audit
from demarc.platform.database import Tx
from demarc.platform.secrets.keys import KeyRing, row_binding

_REALM_LENGTH = 253


class Equipment:
    """Use cases on realms and NASes; for the command line and the network's owner.

    Args:
        keyring: encrypts the secrets of NASes.

    Attributes:
        proxies: use cases on realms that ISPs answer for themselves.
    """

    def __init__(self, keyring: KeyRing) -> None:
        self._keyring = keyring
        self.proxies = Proxies(keyring)

    # realms

    async def create_realm(
        self, tx: Tx, *, tenant_id: UUID, name: str, qualified: bool = True
    ) -> Realm:
        """Make a realm.

        Raises:
            Invalid: the name cannot stand behind an "@".
            Conflict: there is a realm of that name.
        """
        name = name.lower()
        if not 0 < len(name) <= _REALM_LENGTH or not name.isprintable() or set(name) & set("@ "):
            raise Invalid("name", "of a realm has no spaces and no @")
        made = await queries.CREATE_REALM.one(
            tx, tenant_id=tenant_id, name=name, qualified=qualified
        )
        if made is None:
            raise Conflict(f"there is a realm {name}")
        await audit.put(tx, "realm", made.id, before=None, after=made, tenant_id=made.tenant_id)
        return made

    async def change_realm(self, tx: Tx, realm_id: UUID, *, qualified: bool) -> Realm:
        """Say whether its log-ins are typed with the realm.

        Raises:
            NotFound: there is none.
        """
        before = {realm.id: realm for realm in await queries.REALMS.all(tx)}.get(realm_id)
        changed = await queries.CHANGE_REALM.one(tx, id=realm_id, qualified=qualified)
        if before is None or changed is None:
            raise NotFound("realm", realm_id)
        await audit.put(
            tx, "realm", realm_id, before=before, after=changed, tenant_id=changed.tenant_id
        )
        return changed

    async def realms(self, tx: Tx, tenant_id: UUID) -> list[Realm]:
        """Give a tenant's realms; the first is the one its new log-ins are made in."""
        return await queries.REALMS_OF_TENANT.all(tx, tenant_id=tenant_id)

    # NASes

    async def create_nas(
        self,
        tx: Tx,
        *,
        owner_id: UUID,
        network_id: UUID,
        name: str,
        prefix: str,
        secret: str,
        vendor: Vendor = "generic",
        pop_id: UUID | None = None,
        coa_port: int = 3799,
        reach: str = "default",
        default_realm_id: UUID | None = None,
        require_message_authenticator: Requirement = "auto",
        counters_reversed: bool = False,
        interim_interval: int = 300,
        speed_attributes: list[str] | None = None,
        limit_proxy_state: Requirement = "auto",
        certificate: str | None = None,
        mac_authentication: bool = False,
        circuit_authentication: bool = False,
        coa: Dynamic = "change",
    ) -> Nas:
        """Make a NAS, or a prefix of NASes with one secret.

        Raises:
            Invalid: the prefix is none, the secret is empty, or the certificate can name none.
            Conflict: the network has a NAS of that name, or some NAS has that prefix or
                certificate.
        """
        nas_id = uuid4()
        made = await queries.CREATE_NAS.one(
            tx,
            id=nas_id,
            owner_id=owner_id,
            network_id=network_id,
            pop_id=pop_id,
            name=name,
            prefix=_prefix(prefix),
            vendor=vendor,
            secret=self._encrypt(nas_id, secret),
            coa_port=coa_port,
            reach=reach,
            default_realm_id=default_realm_id,
            require_message_authenticator=require_message_authenticator,
            counters_reversed=counters_reversed,
            interim_interval=interim_interval,
            speed_attributes=None if speed_attributes is None else speeds.check(speed_attributes),
            limit_proxy_state=limit_proxy_state,
            certificate=certificate_name(certificate),
            mac_authentication=mac_authentication,
            circuit_authentication=circuit_authentication,
            coa=coa,
        )
        if made is None:
            also = "" if certificate is None else ", or one with that certificate"
            raise Conflict(f"there is a NAS {name} on the network, or one at {prefix}{also}")
        await audit.put(tx, "nas", made.id, before=None, after=made, tenant_id=made.owner_id)
        return made

    async def change_nas(self, tx: Tx, nas: Nas, **changes: Any) -> Nas:
        """Change what is given, by the names of ``create_nas``; not its name or network.

        Raises:
            Invalid: the prefix is none, or the secret is empty.
            NotFound: there is no such NAS any more.
        """
        values = {
            name: getattr(nas, name)
            for name in (
                *("pop_id", "prefix", "vendor", "secret", "coa_port", "reach"),
                *("default_realm_id", "require_message_authenticator", "counters_reversed"),
                *("interim_interval", "speed_attributes", "limit_proxy_state", "certificate"),
                *("mac_authentication", "circuit_authentication", "coa"),
            )
        }
        if unknown := set(changes) - set(values):
            raise Invalid(min(unknown), "cannot be changed")
        if "secret" in changes:
            # the same secret stays as it is, so that the audit log tells a new one from an old
            same = changes["secret"].encode() == self.nas_secret(nas)
            changes["secret"] = nas.secret if same else self._encrypt(nas.id, changes["secret"])
        if "prefix" in changes:
            changes["prefix"] = _prefix(changes["prefix"])
        if changes.get("speed_attributes") is not None:
            changes["speed_attributes"] = speeds.check(changes["speed_attributes"])
        if "certificate" in changes:
            changes["certificate"] = certificate_name(changes["certificate"])
        changed = await queries.CHANGE_NAS.one(tx, id=nas.id, **{**values, **changes})
        if changed is None:
            raise NotFound("nas", nas.id)
        await audit.put(tx, "nas", nas.id, before=nas, after=changed, tenant_id=nas.owner_id)
        return changed

    async def nases(self, tx: Tx, network_id: UUID) -> list[Nas]:
        """Give the NASes of a network, by name."""
        return await queries.NASES_OF_NETWORK.all(tx, network_id=network_id)

    async def find_nas(self, tx: Tx, nas_id: UUID) -> Nas:
        """Give a NAS.

        Raises:
            NotFound: there is none, or it is on another's network.
        """
        found = await queries.FIND_NAS.one(tx, id=nas_id)
        if found is None:
            raise NotFound("nas", nas_id)
        return found

    def nas_secret(self, nas: Nas) -> bytes:
        """Give a NAS's secret in clear."""
        return self._keyring.decrypt(nas.secret, row=row_binding("nas", "secret", nas.id))

    def _encrypt(self, nas_id: UUID, secret: str) -> bytes:
        if not secret:
            raise Invalid("secret", "of a NAS is not empty")
        return self._keyring.encrypt(secret.encode(), row=row_binding("nas", "secret", nas_id))


def _prefix(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise Invalid("prefix", f"{text} is not an address or a prefix") from None


__all__ = ["Equipment"]
