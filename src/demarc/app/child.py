"""A child of ``demarc serve``: one role in a process of its own.

Run as ``python -m demarc.app.child ROLE`` by the parent, which hands down the sockets and, in the
environment, the settings it has resolved.
"""

import asyncio
import os
import sys

import uvloop

from demarc.app.parts import assemble
from demarc.app.telling import tell_of_pools, tell_of_process, watch_loop
from demarc.platform.database import Database
from demarc.platform.processes import Child
from demarc.platform.secrets import KeyRing
from demarc.platform.settings import Settings
from demarc.platform.telemetry import configure_logs
from demarc.platform.telemetry.metrics import METRICS

SETTINGS = "DEMARC_CHILD_SETTINGS"
CONNINFO = "DEMARC_CHILD_DATABASE"

# Connections a role needs: (of tenants, of the system).
_POOLS = {"web": (10, 4), "worker": (1, 8), "radius": (1, 5), "acs": (1, 8)}


async def run(role: str) -> None:
    """Run one role until the parent says stop, or is gone."""
    child = Child.inherit()
    settings = Settings.from_json(os.environ.pop(SETTINGS))
    conninfo = os.environ.pop(CONNINFO)
    configure_logs(settings, role)
    tenants, system = _POOLS[role]
    db = await Database.open(
        conninfo,
        tenant_pool=tenants,
        system_pool=system,
        name=f"demarc/{role}",
        timeout=30,
        # it can do without for a while
        wait=role != "radius",
    )
    parts = assemble(settings, db, KeyRing.open(settings.key_file, create=False))
    stop = child.stop_event()
    tell_of_process()
    tell_of_pools(db)
    telling = [
        asyncio.create_task(watch_loop()),
        asyncio.create_task(child.answer(lambda: METRICS.read().encode())),
    ]
    try:
        if role == "web":
            from demarc.app.web import web

            await web(parts, child.sockets("http"), child.sockets("https"), stop, child.ready)
        elif role == "acs":
            from demarc.app.acs import acs

            await acs(parts, child.sockets("cwmp"), child.sockets("cwmps"), stop, child.ready)
        elif role == "worker":
            from demarc.app.worker import worker

            await worker(parts, stop, child.ready)
        elif role == "radius":
            from demarc.app.radius import radius

            await radius(parts, child.sockets, stop, child.ready)
        else:
            raise SystemExit(f"there is no role {role!r}")
    finally:
        for task in telling:
            task.cancel()
        await asyncio.gather(*telling, return_exceptions=True)
        await db.close()


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1]))
