"""All SQL of the services domain."""

from uuid import UUID

import msgspec

from demarc.domains.services.model import Service, ServiceChange, Transition
from demarc.platform.statements import Scalar, Statement

SERVICE_COLUMNS = """id, tenant_id, owner_id, network_id, number, customer_id, product_id, premise_id,
    state, reason, provisioned_at, sales_agent, isp_reference, wifi_username, wifi_password,
    created_by, created_at, updated_at, cancel_at"""


class Cursor(msgspec.Struct, frozen=True):
    """Where an ISP's view of changes stands; seconds since it last asked."""

    tenant_id: UUID
    seconds_ago: float | None


CREATE = Statement(
    "services.create",
    f"""
    INSERT INTO service (tenant_id, owner_id, network_id, number, customer_id, product_id,
                         premise_id, state, reason, sales_agent, isp_reference, created_by)
    VALUES (%(tenant_id)s, %(owner_id)s, %(network_id)s, %(number)s, %(customer_id)s,
            %(product_id)s, %(premise_id)s, 'pending_installation', 'new', %(sales_agent)s::text,
            %(isp_reference)s::text, %(created_by)s::uuid)
    RETURNING {SERVICE_COLUMNS}
    """,
    Service,
)

FIND = Statement(
    "services.find", f"SELECT {SERVICE_COLUMNS} FROM service WHERE id = %(id)s", Service
)

LOCK = Statement(
    "services.lock", f"SELECT {SERVICE_COLUMNS} FROM service WHERE id = %(id)s FOR UPDATE", Service
)

MOVE = Statement(
    "services.move",
    f"""
    UPDATE service SET state = %(state)s, reason = %(reason)s::text,
        cancel_at = %(cancel_at)s::timestamptz,
        provisioned_at = CASE WHEN %(works)s::boolean THEN coalesce(provisioned_at, now())
                              ELSE provisioned_at END
    WHERE id = %(id)s RETURNING {SERVICE_COLUMNS}
    """,
    Service,
)

UPDATE = Statement(
    "services.update",
    f"""
    UPDATE service SET isp_reference = %(isp_reference)s::text,
        wifi_username = %(wifi_username)s::text, wifi_password = %(wifi_password)s::bytea
    WHERE id = %(id)s RETURNING {SERVICE_COLUMNS}
    """,
    Service,
)

CHANGE_PRODUCT = Statement(
    "services.change_product",
    f"UPDATE service SET product_id = %(product_id)s WHERE id = %(id)s RETURNING {SERVICE_COLUMNS}",
    Service,
)

OF_PRODUCT = Statement(
    "services.of_product",
    "SELECT id AS value FROM service WHERE product_id = %(product_id)s AND state <> 'cancelled'",
    Scalar,
)

RECORD = Statement(
    "services.record_transition",
    """
    INSERT INTO service_transition (tenant_id, owner_id, service_id, from_state, to_state, reason,
                                    actor_kind, actor_id, actor_name)
    VALUES (%(tenant_id)s, %(owner_id)s, %(service_id)s, %(from_state)s::text, %(to_state)s,
            %(reason)s::text, %(actor_kind)s, %(actor_id)s::uuid, %(actor_name)s)
    """,
)

HISTORY = Statement(
    "services.history",
    """
    SELECT id, at, from_state, to_state, reason, actor_kind, actor_name FROM service_transition
    WHERE service_id = %(service_id)s ORDER BY id
    """,
    Transition,
)

OPEN_CURSOR = Statement(
    "services.open_snapshot_cursor",
    """
    INSERT INTO snapshot_cursor (tenant_id, api, cursor, called_at)
    VALUES (%(tenant_id)s, %(api)s, '1:1:', '-infinity') ON CONFLICT DO NOTHING
    """,
)

LOCK_CURSOR = Statement(
    "services.lock_snapshot_cursor",
    """
    SELECT tenant_id, CASE WHEN isfinite(called_at)
        THEN extract(epoch FROM clock_timestamp() - called_at)::float8 END AS seconds_ago
    FROM snapshot_cursor WHERE tenant_id = %(tenant_id)s AND api = %(api)s FOR UPDATE
    """,
    Cursor,
)

# One statement, so that what is given and where the cursor then stands are of one snapshot: a
# change is given exactly once, even if its transaction was open during the call before.
#
# A database may be restored into a server that has counted fewer transactions: there a cursor
# from before lies in the future, and would take every change as given. It starts anew, as the one
# that was just opened does, with all services. Those that were last changed in transactions still to come on this server are given
# then, and not again until they change.
TAKE_CHANGES = Statement(
    "services.take_changes",
    """
    WITH here AS MATERIALIZED (
        SELECT pg_snapshot_xmax(pg_current_snapshot()) AS until
    ), held AS MATERIALIZED (
        SELECT cursor, pg_snapshot_xmax(cursor) = '1'::xid8
                       OR pg_snapshot_xmax(cursor) > here.until AS anew
        FROM snapshot_cursor, here WHERE tenant_id = %(tenant_id)s AND api = %(api)s
    ), moved AS (
        UPDATE snapshot_cursor SET cursor = pg_current_snapshot(), called_at = clock_timestamp()
        WHERE tenant_id = %(tenant_id)s AND api = %(api)s
    ), changed AS (
        SELECT s.* FROM service s, held
        WHERE held.anew AND s.tenant_id = %(tenant_id)s
        UNION ALL
        SELECT s.* FROM service s, held, here
        WHERE NOT held.anew AND s.tenant_id = %(tenant_id)s
          AND s.changed_xid >= pg_snapshot_xmin(held.cursor) AND s.changed_xid < here.until
          AND NOT pg_visible_in_snapshot(s.changed_xid, held.cursor)
    )
    SELECT s.id AS service_id, c.name AS customer_name,
           a.full_address || coalesce(', ' || p.unit, '') AS full_address,
           s.state, d.name AS product, s.updated_at
    FROM changed s
    JOIN customer c ON c.id = s.customer_id
    JOIN premise p ON p.id = s.premise_id
    JOIN address a ON a.id = p.address_id
    JOIN product d ON d.id = s.product_id
    ORDER BY s.updated_at, s.id
    """,
    ServiceChange,
)
