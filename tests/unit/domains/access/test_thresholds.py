import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.access.thresholds import OLT_RX, ONU_RX, ONU_TX, Limits, assess, status_of


@pytest.mark.parametrize(
    ("limits", "dbm", "status"),
    [
        (ONU_RX, -29.01, "critical"),
        (ONU_RX, -29, "warning"),
        (ONU_RX, -27.01, "warning"),
        (ONU_RX, -27, "ok"),
        (ONU_RX, -20, "ok"),
        (ONU_RX, -11, "ok"),
        (ONU_RX, -10.99, "warning"),
        (ONU_RX, -8, "warning"),
        (ONU_RX, -7.99, "critical"),
        (OLT_RX, -32.01, "critical"),
        (OLT_RX, -30.5, "warning"),
        (OLT_RX, -30, "ok"),
        (OLT_RX, -12, "ok"),
        (OLT_RX, -11.5, "warning"),
        (OLT_RX, -8.99, "critical"),
        (ONU_TX, -0.51, "critical"),
        (ONU_TX, 0.49, "warning"),
        (ONU_TX, 0.5, "ok"),
        (ONU_TX, 5, "ok"),
        (ONU_TX, 5.01, "warning"),
        (ONU_TX, 6.01, "critical"),
        (ONU_RX, None, "unknown"),
        (ONU_RX, math.nan, "unknown"),
        (ONU_RX, -50.01, "unknown"),
        (ONU_TX, 10.01, "unknown"),
    ],
)
def test_a_power_is_judged_by_its_limits(limits: Limits, dbm: float | None, status: str) -> None:
    assert status_of(dbm, limits) == status


def test_good_light_says_nothing() -> None:
    verdict = assess(
        state="online", last_down_cause="los", rx_dbm=-19.5, tx_dbm=2.3, olt_rx_dbm=-21.0
    )
    assert (verdict.rx_status, verdict.tx_status) == ("ok", "ok")
    assert (verdict.alerts, verdict.alarms) == ((), ())


def test_weak_light_is_named_with_figure_and_limit() -> None:
    verdict = assess(
        state="online", last_down_cause=None, rx_dbm=-27.43, tx_dbm=6.4, olt_rx_dbm=-33
    )
    assert (verdict.rx_status, verdict.tx_status) == ("warning", "critical")
    assert verdict.alerts == ("ONU receives -27.43 dBm, below the warning limit of -27 dBm",)
    assert verdict.alarms == (
        "ONU sends 6.40 dBm, above the critical limit of 6 dBm",
        "OLT receives -33.00 dBm, below the critical limit of -32 dBm",
    )


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        ("los", "ONU is offline: loss of signal (fibre cut or unplugged)"),
        ("dying_gasp", "ONU is offline: dying gasp (power lost at the subscriber)"),
        ("other:9", "ONU is offline: cause 9"),
        (None, "ONU is offline"),
    ],
)
def test_an_offline_onu_is_an_alarm_with_its_cause(cause: str | None, sentence: str) -> None:
    verdict = assess(
        state="offline", last_down_cause=cause, rx_dbm=None, tx_dbm=None, olt_rx_dbm=None
    )
    assert verdict.alarms == (sentence,)
    assert verdict.alerts == ()
    assert (verdict.rx_status, verdict.tx_status) == ("unknown", "unknown")


def test_an_onu_that_was_never_read_is_unknown_and_no_alarm() -> None:
    verdict = assess(state=None, last_down_cause=None, rx_dbm=None, tx_dbm=None, olt_rx_dbm=None)
    assert (verdict.rx_status, verdict.tx_status) == ("unknown", "unknown")
    assert (verdict.alerts, verdict.alarms) == ((), ())


powers = st.none() | st.floats(-60, 20)


@given(powers, powers, powers)
def test_every_warning_is_an_alert_and_every_critical_an_alarm(
    rx: float | None, tx: float | None, olt_rx: float | None
) -> None:
    verdict = assess(state="online", last_down_cause=None, rx_dbm=rx, tx_dbm=tx, olt_rx_dbm=olt_rx)
    statuses = [verdict.rx_status, verdict.tx_status, status_of(olt_rx, OLT_RX)]
    assert len(verdict.alerts) == statuses.count("warning")
    assert len(verdict.alarms) == statuses.count("critical")


@given(st.floats(-50, -19), st.floats(0, 20))
def test_weaker_light_is_never_better(dbm: float, less: float) -> None:
    order = ["ok", "warning", "critical", "unknown"]
    assert order.index(status_of(dbm - less, ONU_RX)) >= order.index(status_of(dbm, ONU_RX))
