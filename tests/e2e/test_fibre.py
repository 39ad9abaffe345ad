"""The light of a subscriber's ONU, from the OLT to the API: polled, asked within a call, missing."""

import asyncio
from datetime import datetime

import msgspec
import pytest

from demarc.domains.access.live import LIVE_WITHIN
from demarc.lab.olt import Olt
from support.eventually import eventually

COMMUNITY = "a-community-of-tests"
ONE, TWO = "HWTC0A0B0C01", "HWTC0A0B0C02"
# the answer must be there before the caller gives up
PATIENCE = LIVE_WITHIN.total_seconds() + 4


class Line:
    """A service as its ISP and the network's owner see it."""

    def __init__(self, served, path):
        self.served, self.path = served, path

    async def cached(self):
        answer = await self.served.isp.get(f"{self.path}/device/status")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def live(self):
        return await self.served.isp.get(f"{self.path}/device/status/live", timeout=PATIENCE)

    async def status(self):
        return (await self.served.isp.get(self.path)).json()["status"]

    async def assign(self, serial):
        body = {"serial_number": serial, "model": "EG8145V5"}
        return await self.served.fno.put(f"/fno{self.path}/device", json=body)

    async def commands(self):
        """Give how the service's live readings ended, newest first."""
        async with self.served.house.db.system() as tx:
            cursor = await tx.conn.execute(
                "SELECT state, fault FROM command WHERE service_id = %s ORDER BY created_at DESC",
                [self.path.rpartition("/")[2]],
            )
            return await cursor.fetchall()


class Plant(msgspec.Struct):
    """The OLT of the lab, and the record of it that the workers poll by."""

    lab: Olt
    served: object
    olt_id: object

    async def olt(self):
        async with self.served.house.db.system() as tx:
            return await self.served.house.access.olt(tx, self.olt_id)

    async def poll(self):
        """Have the schedule poll the OLT now; give its record once it has been polled."""
        async with self.served.house.db.system() as tx:
            await tx.conn.execute(
                "UPDATE olt SET next_poll_at = now(), last_polled_at = NULL, last_fault = NULL"
            )
        return await eventually(self.olt, lambda olt: olt.last_polled_at or olt.last_fault)

    async def set_community(self, community):
        """Have Demarc ask with this community from now on, which it does at once."""
        house, olt = self.served.house, await self.olt()
        async with house.db.system() as tx:
            await house.access.put_olt(
                tx,
                owner_id=olt.owner_id,
                network_id=olt.network_id,
                name=olt.name,
                vendor=olt.vendor,
                address=olt.address,
                snmp_port=olt.snmp_port,
                community=community,
                poll_interval=olt.poll_interval,
            )
            await tx.conn.execute("UPDATE olt SET last_polled_at = NULL, last_fault = NULL")
        return await eventually(self.olt, lambda olt: olt.last_polled_at or olt.last_fault)


@pytest.fixture
async def plant(served):
    lab = Olt("olt-1", COMMUNITY, slots=(1,), ports=4, seed=7, drift_every=3600)
    lab.add_onu(1, 3, ONE, "EG8145V5", 2300)
    lab.add_onu(1, 2, TWO, "EG8145V5", 900)
    host, port = await lab.start("127.0.0.1", 0)
    house = served.house
    async with house.db.system() as tx:
        olt = await house.access.put_olt(
            tx,
            owner_id=house.fno.id,
            network_id=house.network.id,
            name="olt-1",
            vendor="huawei",
            address=host,
            snmp_port=port,
            community=COMMUNITY,
            poll_interval=86_400,  # only when a test says so
        )
    ready = Plant(lab, served, olt.id)
    # the first poll is due at once
    await eventually(ready.olt, lambda olt: olt.last_polled_at)
    yield ready
    await lab.stop()


@pytest.fixture
async def line(served):
    return await new_line(served, "Nomsa")


async def new_line(served, first_name):
    service = await served.house.service(first_name=first_name)
    return Line(served, f"/services/{service.id}")


async def test_a_poll_fills_the_cached_status_and_live_is_asked_within_the_call(plant, line):
    assert (await line.assign(ONE)).status_code == 200
    await plant.poll()
    light = plant.lab.onu(ONE).light
    first = await line.cached()
    assert first["rx_power"] == round(light.onu_rx_dbm, 2)
    assert (first["gpon_status"], first["distance"]) == ("online", 2300)
    assert (first["olt_port"], first["cpe"]) == ("0/1/3", "ONU 0 on olt-1 0/1/3")
    assert (first["rx_status"], first["alerts"], first["alarms"]) == ("ok", [], [])

    plant.lab.attenuate(ONE, 30 + light.onu_rx_dbm)  # to -30 dBm
    live = await line.live()
    assert live.status_code == 200
    assert live.json()["rx_power"] == -30.0
    assert live.json()["rx_status"] == "critical"
    assert "ONU receives -30.00 dBm, below the critical limit of -29 dBm" in live.json()["alarms"]
    assert moment(live) > datetime.fromisoformat(first["last_updated"])
    assert await line.commands() == [("done", None)]
    # what was asked within a call is not the poll's
    assert await line.cached() == first

    await plant.poll()
    second = await line.cached()
    assert (second["rx_power"], second["rx_status"]) == (-30.0, "critical")
    assert datetime.fromisoformat(second["last_updated"]) > moment(live)


@pytest.mark.parametrize(
    ("rx_dbm", "status", "told"),
    [(-26.0, "ok", [0, 0]), (-28.0, "warning", [1, 0]), (-29.5, "critical", [0, 1])],
)
async def test_weak_light_is_told_of_by_thresholds(plant, line, rx_dbm, status, told):
    await line.assign(ONE)
    light = plant.lab.onu(ONE).light
    plant.lab.attenuate(ONE, light.onu_rx_dbm - rx_dbm)
    said = (await line.live()).json()
    assert (said["rx_power"], said["rx_status"]) == (rx_dbm, status)
    of_the_onu = [
        [text for text in said[kind] if text.startswith("ONU receives")]
        for kind in ("alerts", "alarms")
    ]
    assert [len(texts) for texts in of_the_onu] == told


@pytest.mark.parametrize("how", ["closed", "silent", "wrong community"])
async def test_an_olt_that_does_not_answer_is_504_and_what_is_known_keeps_its_age(plant, line, how):
    await line.assign(ONE)
    await plant.poll()
    before = await line.cached()
    if how == "closed":
        await plant.lab.stop()
    elif how == "silent":
        plant.lab.unreachable(silent=True)
    else:
        await plant.set_community("another-community")
    answer = await line.live()
    assert answer.status_code == 504
    assert answer.headers["content-type"] == "application/problem+json"
    reason = "cannot be reached" if how == "closed" else "did not answer within"
    # the reason names where the OLT is, which is for its owner: it is on the command
    assert answer.json()["detail"] == "the OLT did not answer in time"
    for secret in (COMMUNITY, "another-community"):
        assert secret not in answer.text
    [(state, fault)] = await line.commands()
    assert state == "failed"
    assert reason in fault
    # a poll that fails says so, and changes nothing
    assert reason in (await plant.poll()).last_fault
    assert await line.cached() == before

    if how == "closed":
        olt = await plant.olt()
        await plant.lab.start(olt.address, olt.snmp_port)
    elif how == "silent":
        plant.lab.unreachable(silent=False)
    else:
        await plant.set_community(COMMUNITY)
    assert (await plant.poll()).last_fault is None
    assert (await line.cached())["last_updated"] > before["last_updated"]
    assert (await line.live()).status_code == 200


@pytest.mark.parametrize(
    ("failure", "alarm"),
    [
        ("los", "ONU is offline: loss of signal (fibre cut or unplugged)"),
        ("dying-gasp", "ONU is offline: dying gasp (power lost at the subscriber)"),
    ],
)
async def test_an_onu_that_is_offline_is_an_alarm(plant, line, failure, alarm):
    await line.assign(ONE)
    plant.lab.fail(ONE, failure)
    live = await line.live()
    assert live.status_code == 200
    await plant.poll()
    for said in (live.json(), await line.cached()):
        assert (said["gpon_status"], said["rx_power"], said["tx_power"]) == ("offline", None, None)
        assert (said["alarms"], said["alerts"], said["rx_status"]) == ([alarm], [], "unknown")
    plant.lab.restore(ONE)
    assert (await line.live()).json()["alarms"] == []


async def test_an_onu_that_no_olt_knows(plant, line):
    await line.assign("HWTC0A0B0C99")
    known = await line.cached()
    assert (known["serial_number"], known["gpon_status"], known["last_updated"]) == (
        "HWTC0A0B0C99",
        None,
        None,
    )
    assert (known["olt_port"], known["cpe"], known["rx_status"]) == (None, None, "unknown")
    answer = await line.live()
    assert answer.status_code == 504
    assert answer.json()["detail"] == "no OLT has reported ONU HWTC0A0B0C99 yet"

    # one that was there and was taken off the OLT
    await line.assign(ONE)
    await plant.poll()
    before = await line.cached()
    plant.lab.remove(ONE)
    answer = await line.live()
    assert answer.status_code == 504
    assert answer.json()["detail"] == "ONU 0 of PON 0/1/3 is not configured on the OLT"
    assert (await plant.poll()).last_fault is None
    assert await line.cached() == before


async def test_a_place_that_another_onu_has_taken_shows_nobody_its_light(plant, line):
    await line.assign(ONE)
    await plant.poll()
    plant.lab.remove(ONE)
    plant.lab.add_onu(1, 3, "HWTC0A0B0C77", "EG8145V5", 500)
    assert plant.lab.onu("HWTC0A0B0C77").number == 0
    answer = await line.live()
    assert answer.status_code == 504
    assert "HWTC0A0B0C77" not in answer.text
    assert answer.json()["detail"] == f"ONU {ONE} is no longer where it was"


async def test_an_onu_online_makes_a_service_active(plant, line):
    plant.lab.fail(ONE, "dying-gasp")
    await plant.poll()
    assert await line.status() == "Pending installation"
    await line.assign(ONE)
    await plant.poll()
    assert await line.status() == "Pending installation"
    plant.lab.restore(ONE)
    await plant.poll()
    await eventually(line.status, lambda status: status == "Active")


async def test_a_service_that_gets_an_onu_already_online_is_active_at_once(plant, line):
    await line.assign(ONE)
    await eventually(line.status, lambda status: status == "Active")


async def test_a_service_without_a_device_has_no_status(plant, line):
    for answer in (await served_get(line, "status"), await line.live()):
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


async def test_the_owner_gives_a_service_another_onu_and_the_old_one_is_free(served, plant, line):
    neighbour = await new_line(served, "Thabo")
    await line.assign(ONE)
    await plant.poll()
    assert (await neighbour.assign(ONE)).status_code == 409
    assert (await line.assign(TWO.lower())).json()["serial_number"] == TWO
    swapped = await line.cached()
    assert (swapped["serial_number"], swapped["last_updated"]) == (TWO, None)
    live = (await line.live()).json()
    assert (live["serial_number"], live["distance"]) == (TWO, 900)
    # freed, it serves another, who sees nothing read before
    assert (await neighbour.assign(ONE)).status_code == 200
    assert (await neighbour.cached())["last_updated"] is None
    await plant.poll()
    seen = await asyncio.gather(line.cached(), neighbour.cached())
    assert [each["serial_number"] for each in seen] == [TWO, ONE]
    assert [each["distance"] for each in seen] == [900, 2300]


async def test_another_isp_sees_no_device_and_no_isp_assigns_one(served, plant, line):
    await line.assign(ONE)
    asked = plant.lab.agent.counters.received
    for path in ("status", "status/live"):
        hidden = await served.other_isp.get(f"{line.path}/device/{path}")
        assert hidden.status_code == 404
        owner = await served.fno.get(f"/fno{line.path}/device/{path}")
        assert owner.status_code == 200
        asked += path == "status/live"
    for client in (served.isp, served.other_isp):
        refused = await client.put(f"/fno{line.path}/device", json={"serial_number": TWO})
        assert refused.status_code in {401, 403, 404}
    assert (await line.cached())["serial_number"] == ONE
    assert plant.lab.agent.counters.received == asked


def moment(answer):
    return datetime.fromisoformat(answer.json()["last_updated"])


async def served_get(line, path):
    return await line.served.isp.get(f"{line.path}/device/{path}")
