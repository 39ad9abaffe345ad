"""All SQL of the access domain."""

from uuid import UUID

import msgspec

from demarc.domains.access.model import DeviceRow, Olt, OltSecrets, OnuPlace, OnuRow
from demarc.domains.access.places import Standing
from demarc.platform.statements import Scalar, Statement


class Due(msgspec.Struct, frozen=True):
    """An OLT whose poll is due."""

    id: UUID
    reach: str


class Identified(msgspec.Struct, frozen=True):
    """An id."""

    id: UUID


_OLT = """id, owner_id, network_id, pop_id, name, vendor, model, host(address) AS address, snmp_port,
    reach, poll_interval, next_poll_at, last_polled_at, last_fault"""

PUT_OLT = Statement(
    "access.put_olt",
    f"""
    INSERT INTO olt (id, owner_id, network_id, pop_id, name, vendor, model, address, snmp_port,
                     community, reach, poll_interval)
    VALUES (%(id)s, %(owner_id)s, %(network_id)s, %(pop_id)s::uuid, %(name)s, %(vendor)s,
            %(model)s::text, %(address)s::text::inet, %(snmp_port)s, %(community)s, %(reach)s,
            %(poll_interval)s::integer)
    ON CONFLICT (id) DO UPDATE SET pop_id = excluded.pop_id, name = excluded.name,
        vendor = excluded.vendor, model = excluded.model, address = excluded.address,
        snmp_port = excluded.snmp_port, community = excluded.community, reach = excluded.reach,
        poll_interval = excluded.poll_interval, next_poll_at = now(), updated_at = now()
    RETURNING {_OLT}
    """,
    Olt,
)

OLTS = Statement(
    "access.olts",
    f"SELECT {_OLT} FROM olt WHERE network_id = %(network_id)s ORDER BY name",
    Olt,
)

FIND_OLT = Statement(
    "access.find_olt",
    f"SELECT {_OLT} FROM olt WHERE network_id = %(network_id)s AND name = %(name)s",
    Olt,
)

GET_OLT = Statement("access.get_olt", f"SELECT {_OLT} FROM olt WHERE id = %(id)s", Olt)

OLT_SECRETS = Statement(
    "access.olt_secrets",
    """
    SELECT id, vendor, host(address) AS address, snmp_port, community FROM olt WHERE id = %(id)s
    """,
    OltSecrets,
)

# The next time is set before the poll is run: a poll that hangs does not stop those after it.
TAKE_DUE = Statement(
    "access.take_due",
    """
    UPDATE olt SET next_poll_at = now() + make_interval(
        secs => coalesce(poll_interval, %(interval)s::integer) * (0.95 + random() / 10))
    WHERE id IN (SELECT id FROM olt WHERE next_poll_at <= now()
                 ORDER BY next_poll_at LIMIT 100 FOR UPDATE SKIP LOCKED)
    RETURNING id, reach
    """,
    Due,
)

POLLED = Statement(
    "access.polled",
    """
    UPDATE olt SET last_polled_at = CASE WHEN %(answered)s::boolean THEN now() ELSE last_polled_at END,
                   last_fault = %(fault)s::text,
                   next_poll_at = CASE WHEN %(again)s::boolean THEN now() ELSE next_poll_at END
    WHERE id = %(id)s
    """,
)

PLACE_OF_SERVICE = Statement(
    "access.place_of_service",
    """
    SELECT u.id AS onu_id, u.serial, s.tenant_id, s.owner_id, o.id AS olt_id, o.reach,
           p.if_index, w.onu_index
    FROM onu_service s
    JOIN onu u ON u.id = s.onu_id
    LEFT JOIN onu_port w ON w.onu_id = u.id AND w.until IS NULL
    LEFT JOIN pon p ON p.id = w.pon_id
    LEFT JOIN olt o ON o.id = p.olt_id
    WHERE s.service_id = %(service_id)s AND s.until IS NULL
    """,
    OnuPlace,
)

# A device that changed hands shows its new tenant nothing older than the assignment.
DEVICE_OF_SERVICE = Statement(
    "access.device_of_service",
    """
    SELECT u.id AS onu_id, u.serial, u.model, n.name AS network, o.name AS olt,
           q.code AS pop_code, q.name AS pop_name, p.frame, p.slot, p.port, w.onu_index,
           r.read_at, r.state, r.last_down_cause, r.distance_m, r.tx_dbm, r.rx_dbm, r.olt_rx_dbm,
           r.temperature_c
    FROM onu_service s
    JOIN onu u ON u.id = s.onu_id
    JOIN network n ON n.id = u.network_id
    LEFT JOIN onu_port w ON w.onu_id = u.id AND w.until IS NULL
    LEFT JOIN pon p ON p.id = w.pon_id
    LEFT JOIN olt o ON o.id = p.olt_id
    LEFT JOIN pop q ON q.id = o.pop_id
    LEFT JOIN onu_reading r ON r.onu_id = u.id AND r.read_at >= s.since
    WHERE s.service_id = %(service_id)s AND s.until IS NULL
    """,
    DeviceRow,
)

ONUS_OF_OLT = Statement(
    "access.onus_of_olt",
    """
    SELECT u.serial, u.model, p.slot, p.port, w.onu_index, r.state, r.rx_dbm, r.tx_dbm,
           r.distance_m, r.read_at, s.service_id
    FROM pon p
    JOIN onu_port w ON w.pon_id = p.id AND w.until IS NULL
    JOIN onu u ON u.id = w.onu_id
    LEFT JOIN onu_reading r ON r.onu_id = u.id
    LEFT JOIN onu_service s ON s.onu_id = u.id AND s.until IS NULL
    WHERE p.olt_id = %(olt_id)s
    ORDER BY p.slot, p.port, w.onu_index LIMIT %(limit)s::integer OFFSET %(offset)s::integer
    """,
    OnuRow,
)

PUT_ONU = Statement(
    "access.put_onu",
    """
    INSERT INTO onu (owner_id, network_id, serial, model)
    VALUES (%(owner_id)s, %(network_id)s, %(serial)s, %(model)s::text)
    ON CONFLICT (network_id, serial) DO UPDATE SET model = coalesce(excluded.model, onu.model)
    RETURNING id
    """,
    Identified,
)

HOLDER_OF_ONU = Statement(
    "access.holder_of_onu",
    "SELECT service_id AS id FROM onu_service WHERE onu_id = %(onu_id)s AND until IS NULL",
    Identified,
)

END_SERVICE_OF_ONU = Statement(
    "access.end_assignment",
    """
    UPDATE onu_service SET until = greatest(now(), since)
    WHERE service_id = %(service_id)s AND until IS NULL
    """,
)

ASSIGN = Statement(
    "access.assign",
    """
    INSERT INTO onu_service (owner_id, tenant_id, onu_id, service_id)
    VALUES (%(owner_id)s, %(tenant_id)s, %(onu_id)s, %(service_id)s)
    ON CONFLICT DO NOTHING
    """,
)

IS_ONLINE = Statement(
    "access.is_online",
    "SELECT state = 'online' AS value FROM onu_reading WHERE onu_id = %(onu_id)s",
    Scalar,
)

# What one PON answered is stored by the statements below, each for all its ONUs at once.
PUT_PONS = Statement(
    "access.put_pons",
    """
    INSERT INTO pon (owner_id, olt_id, frame, slot, port, if_index)
    SELECT o.owner_id, o.id, 0, t.slot, t.port, t.if_index
    FROM olt o, unnest(%(slots)s::integer[], %(ports)s::integer[], %(if_indexes)s::bigint[])
        AS t (slot, port, if_index)
    WHERE o.id = %(olt_id)s
    ON CONFLICT DO NOTHING
    """,
)

PUT_ONUS = Statement(
    "access.put_onus",
    """
    INSERT INTO onu (owner_id, network_id, serial)
    SELECT o.owner_id, o.network_id, t.serial FROM olt o, unnest(%(serials)s::text[]) AS t (serial)
    WHERE o.id = %(olt_id)s
    ON CONFLICT (network_id, serial) DO NOTHING
    """,
)

# Always in this order, so that polls of two OLTs that name the same ONUs do not lock each other
# out; an assignment takes the same lock (PUT_ONU), so that none misses that its ONU is online.
LOCK_ONUS = Statement(
    "access.lock_onus",
    """
    SELECT u.id FROM onu u JOIN olt o ON o.network_id = u.network_id
    WHERE o.id = %(olt_id)s AND u.serial = ANY(%(serials)s::text[])
    ORDER BY u.serial FOR NO KEY UPDATE OF u
    """,
    Identified,
)

STANDING = Statement(
    "access.standing",
    """
    SELECT u.serial, p.olt_id, p.if_index, w.onu_index, r.state, r.read_at
    FROM olt o
    JOIN onu u ON u.network_id = o.network_id
    JOIN onu_port w ON w.onu_id = u.id AND w.until IS NULL
    JOIN pon p ON p.id = w.pon_id
    LEFT JOIN onu_reading r ON r.onu_id = u.id
    WHERE o.id = %(olt_id)s AND u.serial = ANY(%(serials)s::text[])
    """,
    Standing,
)

_SEEN = """
    seen AS (
        SELECT u.id AS onu_id, p.id AS pon_id, t.onu_index
        FROM unnest(%(serials)s::text[], %(if_indexes)s::bigint[], %(onu_indexes)s::integer[])
            AS t (serial, if_index, onu_index)
        JOIN olt o ON o.id = %(olt_id)s
        JOIN onu u ON u.network_id = o.network_id AND u.serial = t.serial
        JOIN pon p ON p.olt_id = o.id AND p.if_index = t.if_index
    )
"""

LEAVE_PORTS = Statement(
    "access.leave_ports",
    f"""
    WITH {_SEEN}
    UPDATE onu_port w SET until = greatest(now(), w.since) FROM seen
    WHERE w.until IS NULL AND (
        (w.onu_id = seen.onu_id AND (w.pon_id, w.onu_index) <> (seen.pon_id, seen.onu_index))
        OR (w.pon_id = seen.pon_id AND w.onu_index = seen.onu_index AND w.onu_id <> seen.onu_id))
    """,
)

TAKE_PORTS = Statement(
    "access.take_ports",
    f"""
    WITH {_SEEN}
    INSERT INTO onu_port (owner_id, onu_id, pon_id, onu_index)
    SELECT o.owner_id, seen.onu_id, seen.pon_id, seen.onu_index
    FROM seen JOIN olt o ON o.id = %(olt_id)s
    ON CONFLICT DO NOTHING
    """,
)

# Gives the services whose ONU was not online before and is now.
PUT_READINGS = Statement(
    "access.put_readings",
    """
    WITH t AS (
        SELECT * FROM unnest(%(serials)s::text[], %(states)s::text[], %(causes)s::text[],
            %(distances)s::integer[], %(tx)s::float8[], %(rx)s::float8[], %(olt_rx)s::float8[],
            %(temperatures)s::float8[], %(ups)s::timestamptz[], %(downs)s::timestamptz[])
            AS t (serial, state, cause, distance_m, tx_dbm, rx_dbm, olt_rx_dbm, temperature_c,
                  up_at, down_at)
    ), named AS (
        SELECT u.id AS onu_id, u.owner_id, t.*, r.state AS was
        FROM t JOIN olt o ON o.id = %(olt_id)s
        JOIN onu u ON u.network_id = o.network_id AND u.serial = t.serial
        LEFT JOIN onu_reading r ON r.onu_id = u.id
    ), kept AS (
        INSERT INTO onu_reading (onu_id, owner_id, read_at, state, last_down_cause, distance_m,
            tx_dbm, rx_dbm, olt_rx_dbm, temperature_c, last_up_at, last_down_at)
        SELECT onu_id, owner_id, %(read_at)s, state, cause, distance_m, tx_dbm, rx_dbm, olt_rx_dbm,
               temperature_c, up_at, down_at FROM named
        ON CONFLICT (onu_id) DO UPDATE SET read_at = excluded.read_at, state = excluded.state,
            last_down_cause = excluded.last_down_cause, distance_m = excluded.distance_m,
            tx_dbm = excluded.tx_dbm, rx_dbm = excluded.rx_dbm, olt_rx_dbm = excluded.olt_rx_dbm,
            temperature_c = excluded.temperature_c, last_up_at = excluded.last_up_at,
            last_down_at = excluded.last_down_at
        WHERE onu_reading.read_at <= excluded.read_at
        RETURNING onu_id
    ), series AS (
        INSERT INTO onu_metric (onu_id, owner_id, at, online, tx_dbm, rx_dbm, olt_rx_dbm,
                                temperature_c, distance_m)
        SELECT onu_id, owner_id, %(read_at)s, state = 'online', tx_dbm, rx_dbm, olt_rx_dbm,
               temperature_c, distance_m FROM named
    )
    SELECT s.service_id AS id FROM named JOIN kept ON kept.onu_id = named.onu_id
    JOIN onu_service s ON s.onu_id = named.onu_id AND s.until IS NULL
    WHERE named.state = 'online' AND named.was IS DISTINCT FROM 'online'
    """,
    Identified,
)
