"""What an ISP's own software does: customers, services and what became of them, over the API."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from demarc.cli.demo.people import customer

_AT_ONCE = 8
# Three of five subscribers are the first ISP's.
_FIRST_OF_FIVE = 3
ONU_MODEL = "EG8145V5"


class Subscriber(msgspec.Struct, frozen=True):
    """A subscriber as an ISP knows it: what the installer takes along.

    Attributes:
        number: counts the subscribers of the demo.
        username: the log-in, with its realm.
        serial: of the ONU that was put up.
    """

    number: int
    service_id: str
    customer_id: str
    product_id: str
    premise_id: str
    username: str
    password: str
    serial: str


def is_first_isps(number: int) -> bool:
    """Tell whether a subscriber is the first ISP's; else it is the second's."""
    return number % 5 < _FIRST_OF_FIVE or number == 1


class Isp:
    """An ISP that sells on the network, through the AEx API alone."""

    def __init__(self, url: str, token: str, fno_token: str) -> None:
        self._isp = _client(url, token)
        self._fno = _client(url, fno_token)

    async def __aenter__(self) -> Self:
        """Open the connections."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self._isp.aclose()
        await self._fno.aclose()

    async def subscribers(
        self, numbers: list[int], serial: Callable[[int], str]
    ) -> list[Subscriber]:
        """Give the subscribers of these numbers, creating those who are not there yet.

        Args:
            numbers: of the demo's subscribers; the ISP's reference of a service is made of it.
            serial: gives the ONU of a number.
        """
        services = await self._all("/services")
        # the list does not tell the ISP's reference: ask each service for it
        found: dict[int, dict[str, Any]] = {}

        async def look(service: dict[str, Any]) -> None:
            whole = await _get(self._isp, f"/services/{service['id']}")
            reference = whole.get("isp_reference") or ""
            if reference.startswith("demo-") and whole["status"] != "Cancelled":
                found[int(reference.removeprefix("demo-"))] = whole

        await _together([look(service) for service in services])
        products = await self._all("/products")
        buildings = await self._all("/premises/predefined")
        made: list[Subscriber] = []

        async def bring(number: int) -> None:
            service = found.get(number)
            if service is None:
                building = buildings[number % len(buildings)]
                offers = [p for p in products if building["area_id"] in p["area_ids"]]
                service = await self._sell(number, building, offers[number % len(offers)])
                await _put(
                    self._fno,
                    f"/fno/services/{service['id']}/device",
                    {"serial_number": serial(number), "model": ONU_MODEL},
                )
            status = await _get(self._isp, f"/services/{service['id']}/radius/status")
            made.append(
                Subscriber(
                    number=number,
                    service_id=service["id"],
                    customer_id=service["customer_id"],
                    product_id=service["product_id"],
                    premise_id=service["premise_id"],
                    username=status["username"],
                    password=status["password"],
                    serial=serial(number),
                )
            )

        await _together([bring(number) for number in numbers])
        return sorted(made, key=lambda subscriber: subscriber.number)

    async def _sell(
        self, number: int, building: dict[str, Any], product: dict[str, Any]
    ) -> dict[str, Any]:
        buyer = await self._post("/customers", f"customer-{number}", customer(number))
        flat = await self._post(
            "/premises",
            f"premise-{number}",
            {
                "full_address": building["full_address"],
                "area_id": building["area_id"],
                "unit": f"Flat {number}",
            },
        )
        return await self._post(
            "/services",
            f"service-{number}",
            {
                "customer_id": buyer["id"],
                "product_id": product["id"],
                "premise_id": flat["id"],
                "isp_reference": f"demo-{number}",
            },
        )

    async def _post(self, path: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create something; asked again with the same key, it is not created twice."""
        answer = await self._isp.post(path, json=body, headers={"Idempotency-Key": f"demo-{key}"})
        answer.raise_for_status()
        made: dict[str, Any] = answer.json()
        return made

    async def _all(self, path: str, **filters: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        page = 1
        while True:
            found = await _get(self._isp, path, page=str(page), page_size="100", **filters)
            items += found["items"]
            if not found["items"] or len(items) >= found["total"]:
                return items
            page += 1


def _client(url: str, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=url,
        headers={"Authorization": f"Bearer {token}"},
        timeout=20,
        trust_env=False,
        limits=httpx.Limits(max_connections=_AT_ONCE),
    )


async def _get(client: httpx.AsyncClient, path: str, **query: str) -> dict[str, Any]:
    answer = await client.get(path, params=query)
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    return body


async def _put(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.put(path, json=body)
    answer.raise_for_status()
    whole: dict[str, Any] = answer.json()
    return whole


async def _together(work: list[Awaitable[None]]) -> None:
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(task: Awaitable[None]) -> None:
        async with room:
            await task

    async with asyncio.TaskGroup() as group:
        for task in work:
            group.create_task(one(task))
