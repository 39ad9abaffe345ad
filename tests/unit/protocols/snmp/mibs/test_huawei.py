import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.snmp.ber import format_oid
from demarc.protocols.snmp.mibs import huawei


@pytest.mark.parametrize(
    ("oid", "text"),
    [
        (huawei.ONT_SN, "43.1.3"),
        (huawei.ONT_LINE_PROFILE, "43.1.7"),
        (huawei.ONT_SERVICE_PROFILE, "43.1.8"),
        (huawei.ONT_DESCRIPTION, "43.1.9"),
        (huawei.ONT_ROW_STATUS, "43.1.10"),
        (huawei.ONT_RESET, "46.1.2"),
        (huawei.ONT_RUN_STATUS, "46.1.15"),
        (huawei.ONT_DISTANCE, "46.1.20"),
        (huawei.ONT_LAST_UP_TIME, "46.1.22"),
        (huawei.ONT_LAST_DOWN_TIME, "46.1.23"),
        (huawei.ONT_LAST_DOWN_CAUSE, "46.1.24"),
        (huawei.ONT_TEMPERATURE, "51.1.1"),
        (huawei.ONT_TX_POWER, "51.1.3"),
        (huawei.ONT_RX_POWER, "51.1.4"),
        (huawei.OLT_RX_POWER, "51.1.6"),
        (huawei.ONT_CATV_RX_POWER, "51.1.7"),
        (huawei.AUTOFIND_SN, "48.1.2"),
        (huawei.AUTOFIND_MODEL, "48.1.7"),
        (huawei.AUTOFIND_TIME, "48.1.8"),
    ],
)
def test_the_columns_stand_where_huawei_puts_them(oid: tuple[int, ...], text: str) -> None:
    assert format_oid(oid) == f"1.3.6.1.4.1.2011.6.128.1.1.2.{text}"


@pytest.mark.parametrize(
    ("slot", "port", "if_index"),
    [(0, 0, 4194304000), (0, 15, 4194307840), (1, 0, 4194312192), (2, 7, 4194322176)],
)
def test_if_indices_known_from_devices(slot: int, port: int, if_index: int) -> None:
    assert huawei.pon_if_index(slot, port) == if_index
    assert huawei.pon_of_if_index(if_index) == (slot, port)


@given(st.integers(0, 63), st.integers(0, 31))
def test_a_pon_is_found_again_from_its_if_index(slot: int, port: int) -> None:
    assert huawei.pon_of_if_index(huawei.pon_if_index(slot, port)) == (slot, port)


@pytest.mark.parametrize("if_index", [0, 1, 4194304001, 4194303744, 2**32 - 1])
def test_other_interfaces_are_no_pon(if_index: int) -> None:
    with pytest.raises(ValueError, match="GPON port"):
        huawei.pon_of_if_index(if_index)


@pytest.mark.parametrize(("slot", "port"), [(-1, 0), (64, 0), (0, 32), (0, -1)])
def test_a_port_that_cannot_exist_has_no_if_index(slot: int, port: int) -> None:
    with pytest.raises(ValueError, match="no GPON port"):
        huawei.pon_if_index(slot, port)


def test_powers_are_in_hundredths_of_dbm() -> None:
    assert huawei.power_of_raw(-2415) == -24.15
    assert huawei.power_of_raw(245) == 2.45
    assert huawei.olt_rx_of_raw(7400) == -26.0
    assert huawei.power_of_raw(2147483647) is None
    assert huawei.olt_rx_of_raw(2147483647) is None


@given(st.floats(-40, 10))
def test_powers_survive_to_the_hundredth(dbm: float) -> None:
    read = huawei.power_of_raw(huawei.raw_of_power(dbm))
    assert read == pytest.approx(dbm, abs=0.0051)
    olt = huawei.olt_rx_of_raw(huawei.raw_of_olt_rx(dbm))
    assert olt == pytest.approx(dbm, abs=0.0051)
