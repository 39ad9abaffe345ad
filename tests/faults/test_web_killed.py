"""The web process is killed while clients call: its successor answers, and nothing is done twice."""

import asyncio

import httpx

from support.running import kill, quietly


async def test_a_service_asked_for_again_after_the_cut_is_created_once(running):
    estate = running.estate
    before = await running.value("SELECT count(*) FROM service")

    async def order(client, number):
        return await client.post(
            "/services",
            json={
                "customer_id": estate.customer_id,
                "product_id": estate.product_id,
                "premise_id": estate.premise_id,
                "isp_reference": f"order {number}",
            },
            headers={"Idempotency-Key": f"order-{number}"},
        )

    async with running.client(estate.isp_token) as client:
        first = await order(client, 0)
        assert first.status_code == 201, first.text
        # one waits in the middle of its transaction, the others for it or at their beginnings
        victim = running.pid("web")
        async with running.holding("service"):
            cut = [
                asyncio.create_task(quietly(lambda n=n: order(client, n), httpx.TransportError))
                for n in range(1, 7)
            ]
            await running.waits_for_lock("web")
            await kill(victim)
            assert await asyncio.gather(*cut) == [None] * 6

        # nobody has to wait until there is a successor: whoever calls now is answered by it
        answered = await client.get("/services", params={"page_size": 1})
        assert answered.status_code == 200
        assert await running.successor("web", of=victim) != victim

        again = await asyncio.gather(*(order(client, number) for number in range(7)))
        assert {answer.status_code for answer in again} == {201}
        assert again[0].json()["id"] == first.json()["id"]
        assert len({answer.json()["id"] for answer in again}) == 7
        assert await running.value("SELECT count(*) FROM service") == before + 7


async def test_whatever_moment_the_web_process_is_killed_an_order_is_carried_out_once(running):
    estate = running.estate
    before = await running.value("SELECT count(*) FROM service")

    async def order(client, number):
        """Ask until there is an answer, as a careful client does."""
        while True:
            answer = await quietly(
                lambda: client.post(
                    "/services",
                    json={
                        "customer_id": estate.customer_id,
                        "product_id": estate.product_id,
                        "premise_id": estate.premise_id,
                    },
                    headers={"Idempotency-Key": f"order-{number}"},
                ),
                httpx.TransportError,
            )
            if answer is not None:
                assert answer.status_code == 201, answer.text
                answered.set()
                return answer.json()["id"]

    answered = asyncio.Event()
    async with running.client(estate.isp_token) as client:
        orders = [asyncio.create_task(order(client, number)) for number in range(24)]
        await answered.wait()
        await kill(running.pid("web"))
        made = await asyncio.gather(*orders)
    assert len(set(made)) == 24
    assert await running.value("SELECT count(*) FROM service") == before + 24
