"""The AEx API behind a real HTTP server on loopback, for clients that bring no event loop."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import uvicorn

from demarc.platform.database import Database
from demarc.platform.secrets import FailureLimiter
from demarc.platform.secrets.failures import Limit
from support.aex import open_office
from support.house import build


class Served(msgspec.Struct):
    """Where the API is, who may call it, and what there is to name."""

    url: str
    tokens: dict[str, str]
    service_id: str
    customer_id: str
    premise_id: str
    product_id: str
    area_id: str


@contextmanager
def serve(conninfo: str, folder: Path) -> Iterator[Served]:
    """Serve a house with one service in a thread until the block ends."""
    started = threading.Event()
    found: list[Served] = []
    servers: list[uvicorn.Server] = []
    failed: list[BaseException] = []

    async def run() -> None:
        db = await Database.open(conninfo)
        try:
            house = await build(db, folder)
            # whoever tries all paths without a credential is no attacker here
            many = Limit(1_000_000, 900.0)
            patient = FailureLimiter(per_account=many, per_address=many)
            office = await open_office(house, failures=patient)
            service = await house.service()
            server = uvicorn.Server(
                uvicorn.Config(office.app, port=0, log_config=None, lifespan="off", workers=1)
            )
            servers.append(server)
            serving = asyncio.create_task(server.serve())
            while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            found.append(
                Served(
                    url=f"http://127.0.0.1:{port}",
                    tokens=office.tokens,
                    service_id=str(service.id),
                    customer_id=str(service.customer_id),
                    premise_id=str(service.premise_id),
                    product_id=str(service.product_id),
                    area_id=str(house.area.id),
                )
            )
            started.set()
            await serving
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            started.set()
            await db.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    started.wait(30)
    if failed:
        raise failed[0]
    try:
        yield found[0]
    finally:
        servers[0].should_exit = True
        thread.join(30)
