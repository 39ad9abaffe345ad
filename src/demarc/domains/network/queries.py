"""All SQL of the network domain."""

from demarc.domains.network.model import Command, Pop
from demarc.platform.statements import Statement

_COMMAND = """id, tenant_id, owner_id, service_id, kind, target_kind, target_id, reach, state,
    request, answer, fault, created_at, deadline, sent_at, finished_at"""

CREATE_COMMAND = Statement(
    "network.create_command",
    f"""
    INSERT INTO command (tenant_id, owner_id, service_id, kind, target_kind, target_id, reach,
                         request, created_by, deadline)
    VALUES (%(tenant_id)s, %(owner_id)s, %(service_id)s::uuid, %(kind)s, %(target_kind)s,
            %(target_id)s::uuid, %(reach)s, %(request)s::text::jsonb, %(created_by)s::uuid,
            now() + %(within)s::interval)
    RETURNING {_COMMAND}
    """,
    Command,
)

FIND_COMMAND = Statement(
    "network.find_command", f"SELECT {_COMMAND} FROM command WHERE id = %(id)s", Command
)

COMMANDS_OF_SERVICE = Statement(
    "network.commands_of_service",
    f"""
    SELECT {_COMMAND} FROM command WHERE service_id = %(service_id)s
    ORDER BY created_at DESC, id LIMIT %(limit)s::integer
    """,
    Command,
)

# A final command stays as it is: a late second answer must not rewrite the first.
MARK_SENT = Statement(
    "network.mark_command_sent",
    f"""
    UPDATE command SET state = 'sent', sent_at = coalesce(sent_at, now())
    WHERE id = %(id)s AND state IN ('queued', 'sent') RETURNING {_COMMAND}
    """,
    Command,
)

FINISH_COMMAND = Statement(
    "network.finish_command",
    f"""
    UPDATE command SET state = %(state)s, answer = %(answer)s::text::jsonb, fault = %(fault)s::text,
                       finished_at = now()
    WHERE id = %(id)s AND state IN ('queued', 'sent') RETURNING {_COMMAND}
    """,
    Command,
)

# In the order they were asked for.
OPEN_COMMANDS = Statement(
    "network.open_commands",
    f"""
    SELECT {_COMMAND} FROM command
    WHERE target_id = %(target_id)s AND state IN ('queued', 'sent') AND deadline > now()
    ORDER BY created_at, id LIMIT 50
    """,
    Command,
)

COMMANDS_OF_CPE = Statement(
    "network.commands_of_cpe",
    f"""
    SELECT {_COMMAND} FROM command WHERE target_id = %(target_id)s AND target_kind = 'cpe'
    ORDER BY created_at DESC, id DESC LIMIT %(limit)s
    """,
    Command,
)

EXPIRE_COMMANDS = Statement(
    "network.expire_commands",
    """
    UPDATE command SET state = 'expired', finished_at = now(),
                       fault = 'nobody answered before the deadline'
    WHERE state IN ('queued', 'sent') AND deadline < now() AND kind <> ALL(%(patient)s::text[])
    """,
)

PUT_POP = Statement(
    "network.put_pop",
    """
    INSERT INTO pop (owner_id, network_id, code, name, latitude, longitude)
    VALUES (%(owner_id)s, %(network_id)s, %(code)s, %(name)s, %(latitude)s::float8, %(longitude)s::float8)
    ON CONFLICT (network_id, code) DO UPDATE
        SET name = excluded.name, latitude = excluded.latitude, longitude = excluded.longitude
    RETURNING id, owner_id, network_id, code, name, latitude, longitude
    """,
    Pop,
)

POPS = Statement(
    "network.pops",
    """
    SELECT id, owner_id, network_id, code, name, latitude, longitude FROM pop
    WHERE network_id = %(network_id)s ORDER BY code
    """,
    Pop,
)

FIND_POP = Statement(
    "network.find_pop",
    """
    SELECT id, owner_id, network_id, code, name, latitude, longitude FROM pop
    WHERE network_id = %(network_id)s AND code = %(code)s
    """,
    Pop,
)
