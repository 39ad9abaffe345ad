"""What devices try out: real transfers over the shaped line, pings, traces, surveys."""

from datetime import datetime

import pytest

from demarc.lab.cpe import Cpe, Rates
from demarc.protocols.cwmp import events, messages
from demarc.protocols.cwmp.messages import ParameterValue
from support.simulated_cpes import Bench, codes


async def diagnosed(bench: Bench, device: Cpe, place: str, **values: str) -> dict[str, str]:
    """Have a device try something out; give what it tells below its place."""
    await device.sessions_done(1)
    given = [
        ParameterValue(place + name, value, device.tree.find(place + name).type)
        for name, value in {"DiagnosticsState": "Requested", **values}.items()
    ]
    done = device.sessions.done
    await bench.asked(device, messages.SetParameterValues(tuple(given)))
    await device.sessions_done(done + 2)
    assert codes(bench.acs.informs[-1]) == [events.DIAGNOSTICS_COMPLETE]
    return {each.name[len(place) :]: each.value for each in device.tree.values([place])}


def seconds(told: dict[str, str], begin: str) -> float:
    began, ended = datetime.fromisoformat(told[begin]), datetime.fromisoformat(told["EOMTime"])
    return (ended - began).total_seconds()


async def test_a_download_comes_out_at_the_lines_rate(bench: Bench) -> None:
    bench.files.content["/m"] = bytes(400_000)
    device = await bench.device("tplink-xc220", rates=Rates(down_bps=16_000_000))
    place = device.home.make.places.download

    told = await diagnosed(
        bench, device, place, DownloadURL=f"{bench.files.url}/m", NumberOfConnections="3"
    )

    assert told["DiagnosticsState"] == "Complete"
    assert told["TestBytesReceived"] == "1200000"
    assert int(told["TotalBytesReceived"]) > 1_200_000
    assert 1_200_000 * 8 / seconds(told, "BOMTime") == pytest.approx(16_000_000, rel=0.1)
    full = int(told["TestBytesReceivedUnderFullLoading"]) * 8_000_000
    assert full / int(told["PeriodOfFullLoading"]) == pytest.approx(16_000_000, rel=0.1)


async def test_an_upload_comes_out_at_the_lines_rate(bench: Bench) -> None:
    device = await bench.device("unknown-tr181", rates=Rates(up_bps=8_000_000))
    place = device.home.make.places.upload

    told = await diagnosed(
        bench, device, place, UploadURL=f"{bench.files.url}/up", TestFileLength="500000"
    )

    assert len(bench.files.taken["/up"]) == 500_000
    assert 500_000 * 8 / seconds(told, "BOMTime") == pytest.approx(8_000_000, rel=0.1)


async def test_a_make_that_marks_the_beginning_late(bench: Bench) -> None:
    bench.files.content["/m"] = bytes(200_000)
    device = await bench.device("huawei-eg8145v5", rates=Rates(down_bps=16_000_000))
    place = device.home.make.places.download

    told = await diagnosed(bench, device, place, DownloadURL=f"{bench.files.url}/m")

    assert told["BOMTime"] == told["EOMTime"]
    assert 200_000 * 8 / seconds(told, "TCPOpenResponseTime") == pytest.approx(16e6, rel=0.1)


@pytest.mark.parametrize(
    ("url", "state"),
    [
        ("http://127.0.0.1:9/x", "Error_InitConnectionFailed"),
        ("nothing at all", "Error_InitConnectionFailed"),
        ("{files}/missing", "Error_TransferFailed"),
    ],
)
async def test_a_transfer_that_cannot_be_gives_no_figure(
    bench: Bench, url: str, state: str
) -> None:
    device = await bench.device("zte-f670l")
    place = device.home.make.places.download

    told = await diagnosed(bench, device, place, DownloadURL=url.format(files=bench.files.url))

    assert told["DiagnosticsState"] == state
    assert told["TestBytesReceived"] == "0"


async def test_pings_are_counted(bench: Bench) -> None:
    device = await bench.device("zte-f670l")
    place = device.home.make.places.ping

    told = await diagnosed(bench, device, place, Host="198.51.100.1", NumberOfRepetitions="4")
    assert told["DiagnosticsState"] == "Complete\n"
    assert (told["SuccessCount"], told["FailureCount"]) == ("4", "0")
    low, middle, high = (
        int(told[f"{each}ResponseTime"]) for each in ("Minimum", "Average", "Maximum")
    )
    assert 0 < low <= middle <= high

    told = await diagnosed(bench, device, place, Host="192.0.2.9", NumberOfRepetitions="2")
    assert (told["SuccessCount"], told["FailureCount"]) == ("0", "2")


async def test_one_make_pings_once_whatever_it_is_asked(bench: Bench) -> None:
    device = await bench.device("huawei-eg8145v5")
    place = device.home.make.places.ping

    told = await diagnosed(bench, device, place, Host="198.51.100.1", NumberOfRepetitions="4")

    assert told["SuccessCount"] == "1"


async def test_a_way_is_traced(bench: Bench) -> None:
    device = await bench.device("tplink-xc220")
    place = device.home.make.places.traceroute

    told = await diagnosed(bench, device, place, Host="198.51.100.1")

    hops = int(told["RouteHopsNumberOfEntries"])
    assert hops >= 3
    assert told["DiagnosticsState"] == "Completed"
    assert told[f"RouteHops.{hops}.HostAddress"] == "198.51.100.1"
    assert len(told["RouteHops.1.RTTimes"].split(",")) == 3


@pytest.mark.parametrize("make", ["huawei-eg8145v5", "zte-f670l", "nokia-g1425g", "unknown-tr181"])
async def test_the_neighbours_are_heard(bench: Bench, make: str) -> None:
    device = await bench.device(make)
    heard = 0
    for place in device.home.make.places.neighbours:
        told = await diagnosed(bench, device, place)
        heard += int(told["ResultNumberOfEntries"])

    assert heard >= 2


async def test_setting_anything_else_ends_what_was_asked(bench: Bench) -> None:
    device = await bench.device("zte-f670l")
    place = device.home.make.places.ping
    await diagnosed(bench, device, place, Host="198.51.100.1")
    await bench.asked(
        device, messages.SetParameterValues((ParameterValue(f"{place}Host", "192.0.2.1"),))
    )

    assert device.tree.get(f"{place}DiagnosticsState") == "None"
