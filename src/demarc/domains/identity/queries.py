"""All SQL of the identity domain."""

from uuid import UUID

import msgspec

from demarc.domains.identity.model import (
    ApiClient,
    ApiToken,
    AuditEntry,
    Network,
    Person,
    PersonRole,
    Role,
    Tenant,
)
from demarc.platform.statements import Scalar, Statement


class TokenRow(msgspec.Struct, frozen=True):
    """What a request's token stands for, and for how long; None is for ever."""

    token_id: UUID
    client_id: UUID
    client_name: str
    tenant_id: UUID
    api: str
    scopes: list[str]
    role: str
    permissions: list[str]
    seconds_left: float | None
    owns_network: bool
    sells: bool


class LoginRow(msgspec.Struct, frozen=True):
    """What a person's log-in is checked against, once for each organisation they work for."""

    person_id: UUID
    name: str
    password_hash: str
    tenant_id: UUID
    tenant_slug: str
    role: str
    permissions: list[str]
    owns_network: bool
    sells: bool


_SIDES = """
    EXISTS (SELECT 1 FROM network n WHERE n.owner_id = {tenant}) AS owns_network,
    EXISTS (SELECT 1 FROM network_isp i WHERE i.tenant_id = {tenant}) AS sells
"""

# A role that is gone permits nothing; an organisation's own goes before one that all have.
_PERMISSIONS = """
    coalesce((SELECT o.permissions FROM role o
              WHERE o.name = {role} AND (o.tenant_id = {tenant} OR o.tenant_id IS NULL)
              ORDER BY o.tenant_id NULLS LAST LIMIT 1), '{{}}') AS permissions
"""

FIND_TOKEN = Statement(
    "identity.find_token",
    f"""
    SELECT t.id AS token_id, c.id AS client_id, c.name AS client_name, t.tenant_id, c.api,
           c.scopes, c.role, {_PERMISSIONS.format(role="c.role", tenant="t.tenant_id")},
           extract(epoch FROM t.expires_at - now())::float8 AS seconds_left,
           {_SIDES.format(tenant="t.tenant_id")}
    FROM api_token t JOIN api_client c ON c.id = t.api_client_id
    WHERE t.digest = %(digest)s AND t.revoked_at IS NULL AND c.disabled_at IS NULL
      AND (t.expires_at IS NULL OR t.expires_at > now())
    """,
    TokenRow,
)

FIND_LOGIN = Statement(
    "identity.find_login",
    f"""
    SELECT p.id AS person_id, p.name, p.password_hash, r.tenant_id, n.slug AS tenant_slug, r.role,
           {_PERMISSIONS.format(role="r.role", tenant="r.tenant_id")},
           {_SIDES.format(tenant="r.tenant_id")}
    FROM person p JOIN person_role r ON r.person_id = p.id JOIN tenant n ON n.id = r.tenant_id
    WHERE p.email = %(email)s AND p.disabled_at IS NULL
    ORDER BY r.since, n.slug COLLATE "C"
    """,
    LoginRow,
)

_TENANT = """id, slug, name, timezone, locale, country::text, currency::text, login_pattern,
    activate_on, created_at"""

PUT_TENANT = Statement(
    "identity.put_tenant",
    f"""
    INSERT INTO tenant (slug, name, timezone, locale, country, currency, login_pattern, activate_on)
    VALUES (%(slug)s, %(name)s, %(timezone)s, %(locale)s, %(country)s::text, %(currency)s::text,
            %(login_pattern)s, %(activate_on)s::text[])
    ON CONFLICT (slug) DO UPDATE SET name = excluded.name, timezone = excluded.timezone,
        locale = excluded.locale, country = excluded.country, currency = excluded.currency,
        login_pattern = excluded.login_pattern, activate_on = excluded.activate_on
    RETURNING {_TENANT}
    """,
    Tenant,
)

TENANTS = Statement("identity.tenants", f"SELECT {_TENANT} FROM tenant ORDER BY slug", Tenant)

FIND_TENANT = Statement(
    "identity.find_tenant", f"SELECT {_TENANT} FROM tenant WHERE slug = %(slug)s", Tenant
)

GET_TENANT = Statement(
    "identity.get_tenant", f"SELECT {_TENANT} FROM tenant WHERE id = %(id)s", Tenant
)

# So many at once, all of them above a number that was brought from elsewhere.
NEXT_SERVICE_NUMBERS = Statement(
    "identity.next_service_numbers",
    """
    UPDATE tenant SET last_service_number = greatest(last_service_number, %(above)s) + %(count)s
    WHERE id = %(id)s
    RETURNING last_service_number - %(count)s AS value
    """,
    Scalar,
)

NEXT_SERVICE_NUMBER = Statement(
    "identity.next_service_number",
    """
    UPDATE tenant SET last_service_number = last_service_number + 1 WHERE id = %(id)s
    RETURNING last_service_number AS value
    """,
    Scalar,
)

PUT_NETWORK = Statement(
    "identity.put_network",
    """
    INSERT INTO network (owner_id, slug, name) VALUES (%(owner_id)s, %(slug)s, %(name)s)
    ON CONFLICT (slug) DO UPDATE SET name = excluded.name WHERE network.owner_id = excluded.owner_id
    RETURNING id, owner_id, slug, name
    """,
    Network,
)

NETWORKS = Statement(
    "identity.networks", "SELECT id, owner_id, slug, name FROM network ORDER BY slug", Network
)

FIND_NETWORK = Statement(
    "identity.find_network",
    "SELECT id, owner_id, slug, name FROM network WHERE slug = %(slug)s",
    Network,
)

GET_NETWORK = Statement(
    "identity.get_network",
    "SELECT id, owner_id, slug, name FROM network WHERE id = %(id)s",
    Network,
)

ADMIT_ISP = Statement(
    "identity.admit_isp",
    """
    INSERT INTO network_isp (network_id, owner_id, tenant_id)
    VALUES (%(network_id)s, %(owner_id)s, %(tenant_id)s) ON CONFLICT DO NOTHING
    """,
)

IS_ISP_ON = Statement(
    "identity.is_isp_on",
    """
    SELECT n.id, n.owner_id, n.slug, n.name FROM network n
    JOIN network_isp i ON i.network_id = n.id
    WHERE n.id = %(network_id)s AND i.tenant_id = %(tenant_id)s
    """,
    Network,
)

NETWORKS_OF = Statement(
    "identity.networks_of",
    """
    SELECT n.id, n.owner_id, n.slug, n.name FROM network n
    JOIN network_isp i ON i.network_id = n.id
    WHERE i.tenant_id = %(tenant_id)s ORDER BY n.slug
    """,
    Network,
)

PUT_PERSON = Statement(
    "identity.put_person",
    """
    INSERT INTO person (email, name, password_hash)
    VALUES (lower(%(email)s), %(name)s, %(password_hash)s)
    ON CONFLICT (email) DO UPDATE SET name = excluded.name, password_hash = excluded.password_hash
    RETURNING id, email, name, disabled_at, created_at
    """,
    Person,
)

RENAME_PERSON = Statement(
    "identity.rename_person",
    """
    UPDATE person SET name = %(name)s WHERE id = %(id)s
    RETURNING id, email, name, disabled_at, created_at
    """,
    Person,
)

FIND_PERSON = Statement(
    "identity.find_person",
    "SELECT id, email, name, disabled_at, created_at FROM person WHERE email = lower(%(email)s)",
    Person,
)

PEOPLE = Statement(
    "identity.people",
    "SELECT id, email, name, disabled_at, created_at FROM person ORDER BY email",
    Person,
)

PASSWORD_OF = Statement(
    "identity.password_of", "SELECT password_hash AS value FROM person WHERE id = %(id)s", Scalar
)

# A password that was changed while the old one was being verified stays changed.
REHASH = Statement(
    "identity.rehash",
    """
    UPDATE person SET password_hash = %(password_hash)s
    WHERE id = %(id)s AND password_hash = %(verified)s
    """,
)

GET_PERSON = Statement(
    "identity.get_person",
    "SELECT id, email, name, disabled_at, created_at FROM person WHERE id = %(id)s FOR UPDATE",
    Person,
)

SET_PERSON_DISABLED = Statement(
    "identity.set_person_disabled",
    "UPDATE person SET disabled_at = CASE WHEN %(disabled)s::boolean THEN now() END WHERE id = %(id)s",
)

PUT_ROLE = Statement(
    "identity.put_role",
    """
    INSERT INTO person_role (person_id, tenant_id, role)
    VALUES (%(person_id)s, %(tenant_id)s, %(role)s)
    ON CONFLICT (person_id, tenant_id) DO UPDATE SET role = excluded.role
    """,
)

ROLES = Statement(
    "identity.roles",
    """
    SELECT r.person_id, r.tenant_id, t.slug AS tenant_slug, r.role, r.since
    FROM person_role r JOIN tenant t ON t.id = r.tenant_id
    WHERE r.person_id = %(person_id)s ORDER BY r.since, t.slug COLLATE "C"
    """,
    PersonRole,
)

TAKE_ROLE = Statement(
    "identity.take_role",
    "DELETE FROM person_role WHERE person_id = %(person_id)s AND tenant_id = %(tenant_id)s",
)

_ROLE = "id, tenant_id, name, title, permissions"

# Those of an organisation with those that all have, or the latter alone.
ROLES_OF = Statement(
    "identity.roles_of",
    f"""
    SELECT {_ROLE} FROM role WHERE tenant_id IS NULL OR tenant_id = %(tenant_id)s::uuid
    ORDER BY tenant_id NULLS FIRST, name
    """,
    Role,
)

PUT_OWN_ROLE = Statement(
    "identity.put_own_role",
    f"""
    INSERT INTO role (tenant_id, name, title, permissions)
    VALUES (%(tenant_id)s, %(name)s, %(title)s, %(permissions)s::text[])
    ON CONFLICT (tenant_id, name) DO UPDATE
        SET title = excluded.title, permissions = excluded.permissions
    RETURNING {_ROLE}
    """,
    Role,
)

ROLE_HOLDERS = Statement(
    "identity.role_holders",
    """
    SELECT (SELECT count(*) FROM person_role WHERE tenant_id = %(tenant_id)s AND role = %(name)s)
         + (SELECT count(*) FROM api_client WHERE tenant_id = %(tenant_id)s AND role = %(name)s)
           AS value
    """,
    Scalar,
)

REMOVE_ROLE = Statement("identity.remove_role", "DELETE FROM role WHERE id = %(id)s")

_CLIENT = "id, tenant_id, api, name, scopes, role, disabled_at"

PUT_CLIENT = Statement(
    "identity.put_client",
    f"""
    INSERT INTO api_client (tenant_id, api, name, scopes)
    VALUES (%(tenant_id)s, %(api)s, %(name)s, %(scopes)s::text[])
    ON CONFLICT (tenant_id, api, name) DO UPDATE SET scopes = excluded.scopes
    RETURNING {_CLIENT}
    """,
    ApiClient,
)

FIND_CLIENT = Statement(
    "identity.find_client",
    f"""
    SELECT {_CLIENT} FROM api_client
    WHERE tenant_id = %(tenant_id)s AND api = %(api)s AND name = %(name)s
    """,
    ApiClient,
)

SET_CLIENT = Statement(
    "identity.set_client",
    f"""
    UPDATE api_client SET role = %(role)s, scopes = %(scopes)s::text[],
        disabled_at = CASE WHEN %(disabled)s::boolean THEN coalesce(disabled_at, now()) END
    WHERE id = %(id)s
    RETURNING {_CLIENT}
    """,
    ApiClient,
)

GET_CLIENT = Statement(
    "identity.get_client",
    f"SELECT {_CLIENT} FROM api_client WHERE id = %(id)s FOR UPDATE",
    ApiClient,
)

CLIENTS = Statement(
    "identity.clients",
    f"SELECT {_CLIENT} FROM api_client WHERE tenant_id = %(tenant_id)s ORDER BY api, name",
    ApiClient,
)

_KEPT = "id, api_client_id, tenant_id, hint, created_at, expires_at, revoked_at"

ADD_TOKEN = Statement(
    "identity.add_token",
    f"""
    INSERT INTO api_token (api_client_id, tenant_id, digest, hint, expires_at)
    VALUES (%(api_client_id)s, %(tenant_id)s, %(digest)s, %(hint)s, %(expires_at)s::timestamptz)
    RETURNING {_KEPT}
    """,
    ApiToken,
)

TOKENS = Statement(
    "identity.tokens",
    f"SELECT {_KEPT} FROM api_token WHERE tenant_id = %(tenant_id)s ORDER BY created_at, id",
    ApiToken,
)

REVOKE_TOKEN = Statement(
    "identity.revoke_token",
    f"""
    UPDATE api_token SET revoked_at = now() WHERE id = %(id)s AND revoked_at IS NULL
    RETURNING {_KEPT}
    """,
    ApiToken,
)

GET_TOKEN = Statement(
    "identity.get_token", f"SELECT {_KEPT} FROM api_token WHERE id = %(id)s", ApiToken
)

WRITE_AUDIT = Statement(
    "identity.write_audit",
    """
    INSERT INTO audit (tenant_id, actor_kind, actor_id, actor_name, action, kind, key, before, after)
    VALUES (%(tenant_id)s::uuid, %(actor_kind)s, %(actor_id)s::uuid, %(actor_name)s, %(action)s,
            %(kind)s, %(key)s, %(before)s::text::jsonb, %(after)s::text::jsonb)
    """,
)

FORGET_AUDIT = Statement(
    "identity.forget_audit",
    """
    UPDATE audit SET before = NULL, after = NULL
    WHERE kind IN ('customer', 'service') AND key = ANY(%(keys)s::uuid[])
      AND num_nonnulls(before, after) > 0 AND action <> 'erase'
    """,
)

AUDIT_OF = Statement(
    "identity.audit_of",
    """
    SELECT id, at, tenant_id, actor_kind, actor_name, action, kind, key, before, after FROM audit
    WHERE kind = %(kind)s AND key = %(key)s ORDER BY at DESC, id DESC LIMIT %(limit)s::integer
    """,
    AuditEntry,
)
