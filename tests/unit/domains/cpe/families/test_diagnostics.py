"""Diagnostics: how they are begun, and what is read of what devices make of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.cpe.changes import Unsupported
from demarc.domains.cpe.family import Diagnostic, Families, Result
from demarc.domains.cpe.neutral import Hop, Neighbour, PingResult, SpeedResult
from demarc.domains.cpe.tree import Parameter
from demarc.domains.errors import Invalid

URL = "http://measure.example.net/m/x"


def answered(made: Diagnostic, state: str = "Complete", **leaves: object) -> Result:
    base = made.state.rpartition(".")[0] + "."
    tree = {base + leaf.replace("__", "."): Parameter(str(v)) for leaf, v in leaves.items()}
    tree[made.state] = Parameter(state)
    return made.result(tree)


def made(kind: str, family: str = "tr181", **arguments: object) -> Diagnostic:
    return Families.load()[family].diagnostic(kind, arguments)  # type: ignore[arg-type]


def set_by(diagnostic: Diagnostic) -> dict[str, str]:
    return {each.name.rpartition(".")[2]: each.value for each in diagnostic.set}


def test_a_ping_is_begun_and_read() -> None:
    ping = made("ping", host="a.example", count=4)
    assert ping.state == "Device.IP.Diagnostics.IPPing.DiagnosticsState"
    assert set_by(ping) == {
        "Host": "a.example",
        "NumberOfRepetitions": "4",
        "Timeout": "1000",
        "DataBlockSize": "64",
        "DiagnosticsState": "Requested",
    }
    assert answered(
        ping,
        SuccessCount=3,
        FailureCount=1,
        AverageResponseTime=12,
        MinimumResponseTime=9,
        MaximumResponseTime=20,
    ) == PingResult("a.example", 4, 3, 12, 9, 20)


def test_a_ping_that_nobody_answers_has_no_times() -> None:
    lost = answered(
        made("ping", host="a.example"), SuccessCount=0, FailureCount=4, AverageResponseTime=0
    )
    assert lost == PingResult("a.example", 4, 0)


def test_a_device_that_answers_one_ping_is_asked_for_one() -> None:
    ping = made("ping", "huawei-eg8145v5", host="a.example", count=10)
    assert set_by(ping)["NumberOfRepetitions"] == "1"


@pytest.mark.parametrize("state", ["Complete", "Completed", "Complete\n", " complete"])
def test_it_is_over_however_that_is_said(state: str) -> None:
    assert isinstance(answered(made("ping", host="a"), state, SuccessCount=1), PingResult)


@pytest.mark.parametrize("state", ["Requested", "InProgress", ""])
def test_it_is_not_over(state: str) -> None:
    assert answered(made("ping", host="a"), state) is None
    assert made("ping", host="a").result({}) is None


@pytest.mark.parametrize("state", ["Error_CannotResolveHostName", "Error_Internal", "None"])
def test_a_failure_is_in_the_devices_words(state: str) -> None:
    assert answered(made("ping", host="a"), state) == state
    assert answered(made("download", url=URL), state) == state


def test_hops_are_read_under_either_name() -> None:
    leaves = {
        "RouteHops__2__HopHost": "b",
        "RouteHops__2__HopHostAddress": "192.0.2.2",
        "RouteHops__2__HopRTTimes": "7,8",
        "RouteHops__10__HopHost": "",
        "RouteHops__10__HopRTTimes": "*",
        "RouteHops__1__HopHost": "a",
        "RouteHops__1__HopRTTimes": "1, x,2",
    }
    hops = [Hop("a", None, (1, 2)), Hop("b", "192.0.2.2", (7, 8)), Hop("", None)]
    assert answered(made("traceroute", "tr098", host="x"), **leaves) == hops
    new = {key.replace("Hop", "").replace("Routes", "RouteHops"): v for key, v in leaves.items()}
    assert answered(made("traceroute", host="x"), **new) == hops


def test_a_traceroute_that_went_as_far_as_it_may_has_hops() -> None:
    trace = made("traceroute", host="x")
    assert answered(trace, "Error_MaxHopCountExceeded", RouteHops__1__Host="a") == [Hop("a", None)]
    # and on one model that is said so
    parks = made("traceroute", "parks-fiberlink-501", host="x")
    assert answered(parks, "Error_Other", RouteHops__1__HopHost="a") == [Hop("a", None)]
    assert answered(parks, "Error_Other") == "Error_Other"
    assert set_by(parks)["NumberOfTries"] == "3"


def test_a_download_is_begun() -> None:
    down = made("download", url=URL, connections=5)
    assert set_by(down) == {
        "DownloadURL": URL,
        "NumberOfConnections": "5",
        "DiagnosticsState": "Requested",
    }
    up = set_by(made("upload", url=URL, octets=1000))
    assert (up["UploadURL"], up["TestFileLength"]) == (URL, "1000")


def test_a_device_that_knows_no_connections_is_not_told_of_them() -> None:
    tree = {"Device.IP.Diagnostics.DownloadDiagnostics.DiagnosticsState": Parameter("None")}
    down = Families.load()["tr181"].diagnostic("download", {"url": URL}, tree)
    assert "NumberOfConnections" not in set_by(down)


def test_a_speed_is_si_megabits() -> None:
    speed = answered(
        made("download", url=URL),
        BOMTime="2026-05-01T10:00:00.000000Z",
        EOMTime="2026-05-01T10:00:10.000000Z",
        TestBytesReceived=125_000_000,
        TotalBytesReceived=999_999_999,
    )
    assert isinstance(speed, SpeedResult)
    assert (speed.bps, speed.octets, speed.seconds) == (100_000_000, 125_000_000, 10)


def test_full_load_goes_before_times() -> None:
    speed = answered(
        made("download", url=URL),
        BOMTime="2026-05-01T10:00:00Z",
        EOMTime="2026-05-01T10:00:10Z",
        TestBytesReceived=1,
        TestBytesReceivedUnderFullLoading=62_500_000,
        PeriodOfFullLoading=5_000_000,
    )
    assert isinstance(speed, SpeedResult)
    assert speed.bps == 100_000_000


@pytest.mark.parametrize("earlier", ["TCPOpenResponseTime", "ROMTime"])
def test_a_beginning_that_is_the_end_is_looked_for_earlier(earlier: str) -> None:
    speed = answered(
        made("download", url=URL),
        BOMTime="2026-05-01T10:00:10Z",
        EOMTime="2026-05-01T10:00:10Z",
        TestBytesReceived=125_000_000,
        **{earlier: "2026-05-01T10:00:00Z"},
    )
    assert isinstance(speed, SpeedResult)
    assert speed.bps == 100_000_000


def test_a_speed_without_a_time_is_none() -> None:
    down = made("download", url=URL)
    same = "2026-05-01T10:00:10Z"
    told = answered(down, BOMTime=same, EOMTime=same, TestBytesReceived=5)
    assert told == "the device tells no time that the transfer took"
    assert answered(down, TestBytesReceived=0) == "the device tells no octets that were transferred"


def test_an_upload_counts_what_was_sent() -> None:
    speed = answered(
        made("upload", url=URL),
        BOMTime="2026-05-01T10:00:00Z",
        EOMTime="2026-05-01T10:00:01Z",
        TotalBytesSent=1_250_000,
    )
    assert isinstance(speed, SpeedResult)
    assert speed.bps == 10_000_000


def test_neighbours_are_read() -> None:
    survey = made("neighbours")
    assert answered(
        survey,
        Result__1__BSSID="02:00:5e:00:00:01",
        Result__1__SSID="Vizinho",
        Result__1__Channel=6,
        Result__1__SignalStrength=-70,
        Result__1__OperatingFrequencyBand="2.4GHz",
        Result__2__BSSID="junk",
        Result__3__BSSID="02-00-5E-00-00-02",
        Result__3__Channel=149,
    ) == [
        Neighbour("02:00:5E:00:00:01", "Vizinho", 6, -70, 2),
        Neighbour("02:00:5E:00:00:02", "", 149, None, 5),
    ]


def test_a_survey_is_begun_where_the_device_has_it() -> None:
    base = "InternetGatewayDevice.LANDevice.1.WIFI.Radio"
    family = Families.load()["multilaser-f670l"]
    survey = family.diagnostic("neighbours", {})
    states = [f"{base}.{number}.DiagnosticsState" for number in (1, 2)]
    assert [each.name for each in survey.set] == states
    assert survey.poll
    assert survey.one_by_one
    tree = {f"{base}.7.DiagnosticsState": Parameter("None")}
    (alone,) = family.diagnostic("neighbours", {}, tree).set
    assert alone.name == f"{base}.7.DiagnosticsState"


def test_a_state_that_stands_elsewhere_is_read_too() -> None:
    survey = made("neighbours", "intelbras-w5-2100g")
    state = "InternetGatewayDevice.WiFi.X_ITBS_NeighboringWiFiDiagnosticState"
    assert survey.state == state
    assert survey.read == ["InternetGatewayDevice.WiFi.NeighboringWiFiDiagnostic.", state]


def test_a_survey_is_over_when_all_transmitters_have_done_theirs() -> None:
    base = "InternetGatewayDevice.LANDevice.1.WIFI.Radio"
    survey = Families.load()["multilaser-f670l"].diagnostic("neighbours", {})
    heard = {
        f"{base}.1.X_ZTE-COM_NeighborAP.1.BSSID": Parameter("02:00:5e:00:00:01"),
        f"{base}.1.X_ZTE-COM_NeighborAP.1.Channel": Parameter("1"),
    }

    def over(first: str, second: str) -> Result:
        states = {f"{base}.1.DiagnosticsState": first, f"{base}.2.DiagnosticsState": second}
        return survey.result(heard | {path: Parameter(v) for path, v in states.items()})

    assert over("Complete", "Requested") is None
    assert over("Error_Other", "Error_Internal") == "Error_Other"
    assert over("Error_Other", "Complete") == [Neighbour("02:00:5E:00:00:01", "", 1, None, 2)]


def test_what_cannot_be_begun_is_said() -> None:
    with pytest.raises(Unsupported):
        made("neighbours", "tr098")
    with pytest.raises(Invalid):
        made("ping")
    with pytest.raises(Invalid):
        made("download", host="a")
    with pytest.raises(Invalid):
        made("ping", host="a", wrong=1)


def test_a_device_that_needs_its_interface_is_told_it() -> None:
    tree = {
        "InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.Username": (
            Parameter("casa@example.net")
        )
    }
    ping = Families.load()["e4l-h5410wa"].diagnostic("ping", {"host": "a"}, tree)
    assert set_by(ping)["Interface"].endswith("WANConnectionDevice.2.WANPPPConnection.1.")


LEAVES = st.sampled_from(
    [
        "SuccessCount",
        "FailureCount",
        "AverageResponseTime",
        "BOMTime",
        "EOMTime",
        "ROMTime",
        "TestBytesReceived",
        "PeriodOfFullLoading",
        "TestBytesReceivedUnderFullLoading",
        "RouteHops.1.Host",
        "RouteHops.1.RTTimes",
        "Result.1.BSSID",
        "Result.1.SignalStrength",
    ]
)


@given(
    st.sampled_from(["ping", "traceroute", "download", "upload", "neighbours"]),
    st.dictionaries(LEAVES, st.text(max_size=30)),
    st.sampled_from(["Complete", "Error_Internal", "x"]),
)
def test_no_answer_makes_it_fail(kind: str, leaves: dict[str, str], state: str) -> None:
    diagnostic = made(kind, host="a", url=URL)
    base = diagnostic.state.rpartition(".")[0] + "."
    tree = {base + leaf: Parameter(value) for leaf, value in leaves.items()}
    assert diagnostic.result(tree | {diagnostic.state: Parameter(state)}) is not None
