"""The web process is killed while clients call: its successor answers, and nothing is done twice."""

import asyncio

import httpx

from support.running import kill, quietly

COMMITTING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'demarc/web/app' AND state = 'active' AND query = 'COMMIT'
"""


async def order(running, client, number):
    """Ask for a service; None if the connection was cut."""
    estate = running.estate
    return await quietly(
        lambda: client.post(
            "/services",
            json={
                "customer_id": estate.customer_id,
                "product_id": estate.product_id,
                "premise_id": estate.premise_id,
                "isp_reference": f"order {number}",
            },
            headers={"Idempotency-Key": f"order-{number}"},
        ),
        httpx.TransportError,
    )


async def services(running):
    return await running.value("SELECT count(*) FROM service")


async def test_what_was_cut_off_is_asked_for_again_and_done_once(running):
    before = await services(running)
    async with running.client(running.estate.isp_token) as client:
        first = await order(running, client, 0)
        assert first.status_code == 201, first.text
        victim = running.pid("web")
        async with running.holding("service"):
            # in the middle of their transactions, or at their beginnings
            cut = [asyncio.create_task(order(running, client, number)) for number in range(1, 7)]
            await running.waits_for_lock("web")
            await kill(victim)
            assert await asyncio.gather(*cut) == [None] * 6

        # nobody has to wait until there is a successor: whoever calls now is answered by it
        answered = await client.get("/services", params={"page_size": 1})
        assert answered.status_code == 200
        assert await running.successor("web", of=victim) != victim

        again = await asyncio.gather(*(order(running, client, number) for number in range(7)))
        assert {answer.status_code for answer in again} == {201}
        assert again[0].json()["id"] == first.json()["id"]
        assert len({answer.json()["id"] for answer in again}) == 7
    assert await services(running) == before + 7


async def test_what_was_done_but_not_answered_is_not_done_again(running):
    before = await services(running)
    async with await running.connect() as conn:
        # each commit takes a tenth of a second, in which its client can be lost
        await conn.execute("ALTER SYSTEM SET commit_delay = 100000")
        await conn.execute("ALTER SYSTEM SET commit_siblings = 0")
        await conn.execute("SELECT pg_reload_conf()")

        async def committing():
            while not await (await conn.execute(COMMITTING)).fetchone() > (0,):
                pass

        async with running.client(running.estate.isp_token) as client:
            for number in range(1, 6):
                asked = asyncio.create_task(order(running, client, number))
                await asyncio.wait_for(committing(), 20)
                await kill(running.pid("web"))
                cut = await asked is None
                again = await order(running, client, number)
                assert again.status_code == 201, again.text
                assert await services(running) == before + number
                if cut:
                    break
            assert cut
