"""All SQL of the devices in subscribers' homes."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from demarc.domains.cpe.model import Assignment, Bootstrap, Cpe
from demarc.platform.statements import Scalar, Statement

_CPE = """id, tenant_id, oui, product_class, serial_number, manufacturer, mac, state, root, family,
    model, hardware_version, software_version, acs_username, acs_secret, acs_next_secret,
    request_url, request_username, request_secret, inform_interval, reach, first_seen_at,
    adopted_at, bootstrap_at, boot_at"""

IDENTIFY = Statement(
    "cpe.identify",
    f"""
    SELECT {_CPE} FROM cpe
    WHERE oui = %(oui)s AND serial_number = %(serial_number)s
      AND product_class = %(product_class)s
    """,
    Cpe,
)

FIND = Statement("cpe.find", f"SELECT {_CPE} FROM cpe WHERE id = %(id)s", Cpe)

LOCK = Statement("cpe.lock", f"SELECT {_CPE} FROM cpe WHERE id = %(id)s FOR UPDATE", Cpe)

NAMED = Statement(
    "cpe.named",
    f"""
    SELECT {_CPE} FROM cpe
    WHERE serial_number = %(name)s OR mac = upper(%(name)s) ORDER BY id LIMIT 2
    """,
    Cpe,
)

OF_TENANT = Statement(
    "cpe.of_tenant",
    f"""
    SELECT {_CPE} FROM cpe WHERE tenant_id = %(tenant_id)s
    ORDER BY adopted_at DESC, id LIMIT %(limit)s
    """,
    Cpe,
)

# A device that two processes meet at once is one row all the same.
MEET = Statement(
    "cpe.meet",
    f"""
    INSERT INTO cpe (oui, product_class, serial_number, manufacturer)
    VALUES (%(oui)s, %(product_class)s, %(serial_number)s, %(manufacturer)s)
    ON CONFLICT (oui, serial_number, product_class) DO UPDATE SET manufacturer = excluded.manufacturer
    RETURNING {_CPE}
    """,
    Cpe,
)

REGISTER = Statement(
    "cpe.register",
    f"""
    INSERT INTO cpe (id, tenant_id, oui, product_class, serial_number, manufacturer, mac, state,
                     acs_username, acs_secret, request_username, request_secret, adopted_at)
    VALUES (%(id)s, %(tenant_id)s, %(oui)s, %(product_class)s, %(serial_number)s,
            %(manufacturer)s, %(mac)s::text, 'managed', %(acs_username)s::text,
            %(acs_secret)s::bytea, %(request_username)s::text, %(request_secret)s::bytea, now())
    ON CONFLICT DO NOTHING
    RETURNING {_CPE}
    """,
    Cpe,
)

QUARANTINED = Statement(
    "cpe.quarantined",
    f"""
    SELECT {_CPE} FROM cpe WHERE state = 'quarantined'
    ORDER BY first_seen_at DESC, id LIMIT %(limit)s
    """,
    Cpe,
)

COUNT_QUARANTINED = Statement(
    "cpe.count_quarantined",
    "SELECT count(*) AS value FROM cpe WHERE state = 'quarantined'",
    Scalar,
)

ADOPT = Statement(
    "cpe.adopt",
    f"""
    UPDATE cpe SET tenant_id = %(tenant_id)s, state = 'managed', adopted_at = now(),
                   updated_at = now()
    WHERE id = %(id)s AND state = 'quarantined'
    RETURNING {_CPE}
    """,
    Cpe,
)

# What the device told in quarantine becomes its tenant's.
ADOPT_PARTS = tuple(
    Statement(
        f"cpe.adopt_{table}",
        f"UPDATE {table} SET tenant_id = %(tenant_id)s WHERE cpe_id = %(id)s",
    )
    for table in ("cpe_status", "cpe_branch", "cpe_secret")
)

# Only what is new is written: most Informs change nothing of it.
DESCRIBE = Statement(
    "cpe.describe",
    """
    UPDATE cpe SET root = %(root)s, manufacturer = %(manufacturer)s, mac = %(mac)s::text,
                   model = %(model)s, hardware_version = %(hardware_version)s,
                   software_version = %(software_version)s, family = %(family)s::text,
                   request_url = %(request_url)s::text,
                   boot_at = coalesce(%(boot_at)s::timestamptz, boot_at),
                   bootstrap_at = coalesce(%(bootstrap_at)s::timestamptz, bootstrap_at),
                   updated_at = now()
    WHERE id = %(id)s
    """,
)

RECOGNISE = Statement(
    "cpe.recognise",
    """
    UPDATE cpe SET family = %(family)s, mac = coalesce(%(mac)s::text, mac),
                   model = coalesce(nullif(model, ''), %(model)s::text, ''), updated_at = now()
    WHERE id = %(id)s
      AND (family IS DISTINCT FROM %(family)s
           OR mac IS DISTINCT FROM coalesce(%(mac)s::text, mac)
           OR model = '' AND %(model)s::text IS NOT NULL)
    """,
)

SET_CREDENTIALS = Statement(
    "cpe.set_credentials",
    """
    UPDATE cpe SET acs_username = %(acs_username)s::text, acs_secret = %(acs_secret)s::bytea,
                   acs_next_secret = %(acs_next_secret)s::bytea,
                   request_username = %(request_username)s::text,
                   request_secret = %(request_secret)s::bytea, updated_at = now()
    WHERE id = %(id)s
    """,
)

_BOOTSTRAP = "id, tenant_id, username, secret, adopts"

PUT_BOOTSTRAP = Statement(
    "cpe.put_bootstrap",
    f"""
    INSERT INTO cpe_bootstrap AS b (id, tenant_id, username, secret, adopts)
    VALUES (%(id)s, %(tenant_id)s, %(username)s, %(secret)s, %(adopts)s)
    ON CONFLICT (username) DO UPDATE
        SET id = excluded.id, secret = excluded.secret, adopts = excluded.adopts
        WHERE b.tenant_id = excluded.tenant_id
    RETURNING {_BOOTSTRAP}
    """,
    Bootstrap,
)

FIND_BOOTSTRAP = Statement(
    "cpe.find_bootstrap",
    f"SELECT {_BOOTSTRAP} FROM cpe_bootstrap WHERE username = %(username)s",
    Bootstrap,
)

TOUCH = Statement(
    "cpe.touch",
    """
    INSERT INTO cpe_status AS s (cpe_id, tenant_id, contact_at, address, events, sessions)
    VALUES (%(cpe_id)s, %(tenant_id)s::uuid, %(at)s, %(address)s::text::inet,
            %(events)s::text[], 1)
    ON CONFLICT (cpe_id) DO UPDATE
        SET contact_at = excluded.contact_at, address = excluded.address,
            events = excluded.events, sessions = s.sessions + 1
    """,
)

HEARD = Statement(
    "cpe.heard",
    """
    UPDATE cpe_status SET contact_at = %(at)s, read_at = read_at || %(read_at)s::text::jsonb
    WHERE cpe_id = %(cpe_id)s
    """,
)


class StatusRow(msgspec.Struct, frozen=True):
    """A status as it is stored."""

    cpe_id: UUID
    contact_at: datetime | None
    address: str | None
    events: list[str]
    sessions: int
    called_at: datetime | None
    call_fault: str | None
    read_at: dict[str, Any]


STATUS = Statement(
    "cpe.status",
    """
    SELECT cpe_id, contact_at, host(address) AS address, events, sessions, called_at, call_fault,
           read_at
    FROM cpe_status WHERE cpe_id = %(cpe_id)s
    """,
    StatusRow,
)

CALLED = Statement(
    "cpe.called",
    """
    UPDATE cpe_status SET called_at = now(), call_fault = %(fault)s::text
    WHERE cpe_id = %(cpe_id)s
    """,
)

BEGIN_SESSION = Statement(
    "cpe.begin_session",
    """
    INSERT INTO cpe_session (cpe_id, token, node, expires_at)
    VALUES (%(cpe_id)s, %(token)s, %(node)s, %(expires_at)s)
    ON CONFLICT (cpe_id) DO UPDATE
        SET token = excluded.token, node = excluded.node, began_at = now(),
            expires_at = excluded.expires_at
    """,
)

SESSION_OF = Statement(
    "cpe.session_of",
    """
    SELECT cpe_id AS value FROM cpe_session
    WHERE cpe_id = %(cpe_id)s AND token = %(token)s AND expires_at > %(now)s
    """,
    Scalar,
)

END_SESSION = Statement(
    "cpe.end_session", "DELETE FROM cpe_session WHERE cpe_id = %(cpe_id)s AND token = %(token)s"
)


class BranchRow(msgspec.Struct, frozen=True):
    """A branch as it is stored."""

    path: str
    leaves: dict[str, Any]


BRANCHES = Statement(
    "cpe.branches",
    """
    SELECT path, leaves FROM cpe_branch
    WHERE cpe_id = %(cpe_id)s AND path = ANY(%(paths)s::text[])
    """,
    BranchRow,
)

ALL_BRANCHES = Statement(
    "cpe.all_branches",
    "SELECT path, leaves FROM cpe_branch WHERE cpe_id = %(cpe_id)s",
    BranchRow,
)

PUT_BRANCHES = Statement(
    "cpe.put_branches",
    """
    INSERT INTO cpe_branch (cpe_id, path, tenant_id, leaves)
    SELECT %(cpe_id)s, path, %(tenant_id)s::uuid, leaves
    FROM json_to_recordset(%(rows)s::text::json) AS r (path text, leaves jsonb)
    ON CONFLICT (cpe_id, path) DO UPDATE SET leaves = excluded.leaves
    """,
)

FORGET_BRANCHES = Statement(
    "cpe.forget_branches",
    "DELETE FROM cpe_branch WHERE cpe_id = %(cpe_id)s AND path = ANY(%(paths)s::text[])",
)


class SecretRow(msgspec.Struct, frozen=True):
    """A secret parameter as it is stored."""

    id: UUID
    path: str
    secret: bytes


SECRETS = Statement(
    "cpe.secrets",
    "SELECT id, path, secret FROM cpe_secret WHERE cpe_id = %(cpe_id)s",
    SecretRow,
)

PUT_SECRET = Statement(
    "cpe.put_secret",
    """
    INSERT INTO cpe_secret (id, cpe_id, path, tenant_id, secret)
    VALUES (%(id)s, %(cpe_id)s, %(path)s, %(tenant_id)s::uuid, %(secret)s)
    ON CONFLICT (cpe_id, path) DO UPDATE SET id = excluded.id, secret = excluded.secret
    """,
)

FORGET_SECRETS = Statement(
    "cpe.forget_secrets",
    "DELETE FROM cpe_secret WHERE cpe_id = %(cpe_id)s AND path = ANY(%(paths)s::text[])",
)


class WantedRow(msgspec.Struct, frozen=True):
    """A secret value that a command is to set."""

    id: UUID
    path: str
    type: str
    secret: bytes


WANT = Statement(
    "cpe.want",
    """
    INSERT INTO cpe_wanted (id, command_id, tenant_id, path, type, secret)
    VALUES (%(id)s, %(command_id)s, %(tenant_id)s, %(path)s, %(type)s, %(secret)s)
    """,
)

WANTED = Statement(
    "cpe.wanted",
    "SELECT id, path, type, secret FROM cpe_wanted WHERE command_id = %(command_id)s ORDER BY path",
    WantedRow,
)

NO_LONGER_WANTED = Statement(
    "cpe.no_longer_wanted", "DELETE FROM cpe_wanted WHERE command_id = %(command_id)s"
)

_ASSIGNMENT = "id, cpe_id, service_id, tenant_id, since, until"

ASSIGN = Statement(
    "cpe.assign",
    f"""
    INSERT INTO cpe_service (cpe_id, service_id, tenant_id)
    VALUES (%(cpe_id)s, %(service_id)s, %(tenant_id)s)
    RETURNING {_ASSIGNMENT}
    """,
    Assignment,
)

RELEASE = Statement(
    "cpe.release",
    f"""
    UPDATE cpe_service SET until = now() WHERE cpe_id = %(cpe_id)s AND until IS NULL
    RETURNING {_ASSIGNMENT}
    """,
    Assignment,
)

ASSIGNED = Statement(
    "cpe.assigned",
    f"SELECT {_ASSIGNMENT} FROM cpe_service WHERE cpe_id = %(cpe_id)s AND until IS NULL",
    Assignment,
)

CPES_OF_SERVICE = Statement(
    "cpe.of_service",
    f"""
    SELECT {", ".join("c." + name.strip() for name in _CPE.split(","))}
    FROM cpe_service s JOIN cpe c ON c.id = s.cpe_id
    WHERE s.service_id = %(service_id)s AND s.until IS NULL ORDER BY s.since, s.id
    """,
    Cpe,
)
