"""Calling the AEx API in tests: the application in this process, with real tokens."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import msgspec

from demarc.domains.access.live import LiveStatus
from demarc.domains.identity.authentication import Authenticator
from demarc.domains.identity.model import Tenant
from demarc.domains.network.commands import CommandWaiter
from demarc.northbound.aex.app import AexApp, aex_app
from demarc.platform.secrets import FailureLimiter, PasswordPool, VerifiedMemory
from support.house import House

BASE_URL = "http://aex.example.net"
PASSWORD = "correct horse battery"


class Office(msgspec.Struct):
    """The API on a house, and a client for each who calls."""

    house: House
    app: AexApp
    isp: httpx.AsyncClient
    other_isp: httpx.AsyncClient
    fno: httpx.AsyncClient
    tokens: dict[str, str]

    def client(self, **headers: str) -> httpx.AsyncClient:
        """Give a client that says nothing of who calls, unless the headers do."""
        return client(self.app, headers)

    async def token(
        self, tenant: Tenant, api: str = "aex", scopes: tuple[str, ...] = ("read", "write")
    ) -> str:
        """Issue one more token."""
        return await issue(self.house, tenant, api, scopes, name=f"more-{'-'.join(scopes)}")

    async def new_service(self, caller: httpx.AsyncClient | None = None, **more: Any) -> str:
        """Order a service by the API alone, for a customer of its own; give its id."""
        caller = caller or self.isp
        customer = await self.new_customer(caller)
        answer = await caller.post(
            "/services",
            json={
                "customer_id": customer,
                "product_id": str(self.house.product.id),
                "premise_id": str(self.house.premise_id),
                **more,
            },
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def new_customer(self, caller: httpx.AsyncClient | None = None, **more: Any) -> str:
        """Create a customer by the API; give the id."""
        answer = await (caller or self.isp).post(
            "/customers",
            json={
                "first_name": "Thandi",
                "last_name": "Nkosi",
                "email": "thandi@example.net",
                "mobile_number": "082 555 0144",
                **more,
            },
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


def client(app: AexApp, headers: dict[str, str]) -> httpx.AsyncClient:
    """Give a client of the application."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=("127.0.0.1", 1))
    return httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers)


async def issue(
    house: House, tenant: Tenant, api: str, scopes: tuple[str, ...], name: str = "tests"
) -> str:
    """Issue a token of a tenant."""
    async with house.db.system() as tx:
        made = await house.identity.put_client(
            tx, tenant_id=tenant.id, api=api, name=name, scopes=scopes
        )
        token, _ = await house.identity.issue_token(tx, made, now=datetime.now(UTC))
    return token


async def person(house: House, tenant: Tenant, role: str, email: str) -> UUID:
    """Create somebody with a role at an organisation; they log in with ``PASSWORD``."""
    async with house.db.system() as tx:
        made = await house.identity.put_person(tx, email=email, name="Tests", password=PASSWORD)
        await house.identity.give_role(tx, person_id=made.id, tenant_id=tenant.id, role=role)
    return made.id


async def open_office(
    house: House,
    public_url: str | None = None,
    failures: FailureLimiter | None = None,
    waiter: CommandWaiter | None = None,
) -> Office:
    """Open the API on a house.

    Args:
        public_url: what absolute URLs begin with.
        failures: limits who guesses; as the platform does if not given.
        waiter: one that runs, where devices are asked.
    """
    app = aex_app(
        db=house.db,
        authenticator=Authenticator(
            house.db, PasswordPool(), VerifiedMemory(), failures or FailureLimiter()
        ),
        identity=house.identity,
        catalog=house.catalog,
        subscribers=house.subscribers,
        services=house.services,
        aaa=house.aaa,
        access=house.access,
        live=LiveStatus(house.db, house.access, waiter or CommandWaiter(house.db)),
        public_url=public_url,
    )
    tokens = {
        "isp": await issue(house, house.isp, "aex", ("read", "write")),
        "other_isp": await issue(house, house.other_isp, "aex", ("read", "write")),
        "fno": await issue(house, house.fno, "fno", ("read", "write")),
    }
    callers = {
        name: client(app, {"Authorization": f"Bearer {token}"}) for name, token in tokens.items()
    }
    return Office(house=house, app=app, tokens=tokens, **callers)
