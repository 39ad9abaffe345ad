"""Domain to wire: times, statuses, names, octets."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.aaa.model import UsageDay
from demarc.domains.access.model import DeviceStatus
from demarc.domains.services.states import State
from demarc.domains.subscribers.model import Customer
from demarc.northbound.aex import mapping, wire
from demarc.views.products import ProductRow

MOMENTS = st.datetimes(timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("moment", "offset", "zulu"),
    [
        (
            datetime(2021, 4, 28, 15, 13, tzinfo=UTC),
            "2021-04-28T15:13:00+00:00",
            "2021-04-28T15:13:00.000Z",
        ),
        (
            datetime(2021, 4, 16, 10, 55, 53, 623_000, tzinfo=UTC),
            "2021-04-16T10:55:53.623+00:00",
            "2021-04-16T10:55:53.623Z",
        ),
        (
            datetime(2023, 11, 2, 10, 28, 57, 390_999, tzinfo=UTC),
            "2023-11-02T10:28:57.39+00:00",
            "2023-11-02T10:28:57.390Z",
        ),
        (
            datetime(2024, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))),
            "2023-12-31T23:30:00+00:00",
            "2023-12-31T23:30:00.000Z",
        ),
        (datetime(130, 3, 17, tzinfo=UTC), "0130-03-17T00:00:00+00:00", "0130-03-17T00:00:00.000Z"),
    ],
)
def test_times_are_written_as_the_document_writes_them(moment, offset, zulu):
    assert mapping.offset_time(moment) == offset
    assert mapping.zulu_time(moment) == zulu


@given(MOMENTS)
def test_times_can_be_read_again_to_the_millisecond(moment):
    exact = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert datetime.fromisoformat(mapping.offset_time(moment)) == exact
    assert datetime.fromisoformat(mapping.zulu_time(moment)) == exact


def test_every_state_has_a_status_of_its_own():
    assert set(mapping.STATUS) == set(State)
    assert len(set(mapping.STATUS.values())) == len(State)
    for state in State:
        shown = mapping.status(state.value)
        assert mapping.state(shown) is state
        assert mapping.state(f"  {shown.upper()} ") is state
    assert mapping.state("On fire") is None


def customer(**more) -> Customer:
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    fields = dict.fromkeys(Customer.__struct_fields__)
    return Customer(
        **fields
        | {"id": uuid4(), "kind": "person", "name": "x", "created_at": moment, "updated_at": moment}
        | more
    )


@pytest.mark.parametrize(
    ("known", "first", "last"),
    [
        (customer(name="Ana Lima", first_name="Ana", last_name="Lima"), "Ana", "Lima"),
        (customer(name="Lima", last_name="Lima"), "", "Lima"),
        (customer(name="Ana Maria Lima"), "Ana Maria Lima", ""),
        (customer(kind="company", name="Padaria Ltda"), "Padaria Ltda", ""),
    ],
)
def test_a_name_is_shown_in_parts_or_whole(known, first, last):
    shown = mapping.customer(known, "7")
    assert (shown.id, shown.first_name, shown.last_name) == ("7", first, last)


def test_usage_stands_apart_by_protocol_and_never_below_zero():
    assert mapping.usage_day(UsageDay(date(2024, 12, 17), 100, 50, 30, 20)) == wire.UsageDay(
        "2024-12-17", 70, 30, 30, 20, 100, 50
    )
    # a NAS that counts IPv6 apart and not within
    odd = mapping.usage_day(UsageDay(date(2024, 12, 17), 10, 0, 30, 5))
    assert (odd.bytes_downloaded, odd.bytes_uploaded) == (0, 0)


def test_an_onu_that_no_olt_has_shown_yet():
    fields = dict.fromkeys(DeviceStatus.__struct_fields__)
    status = mapping.device_status(
        DeviceStatus(
            **fields
            | {
                "serial": "HWTC0A0B0C01",
                "network": "Metro",
                "rx_status": "unknown",
                "tx_status": "unknown",
                "alerts": [],
                "alarms": [],
            }
        ),
        "s-1",
    )
    assert (status.cpe, status.olt_port, status.last_updated) == (None, None, None)
    assert (status.service, status.serial_number) == ("s-1", "HWTC0A0B0C01")


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        (None, None),
        (Decimal("499.9000"), "499.9"),
        (Decimal("500.0000"), "500"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.0001"), "0.0001"),
    ],
)
def test_a_price_is_a_plain_decimal_number(price, shown):
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    row = ProductRow(
        id="p",
        entity_id=uuid4(),
        network_id=uuid4(),
        code="c",
        name="n",
        description=None,
        technology="gpon",
        download_bps=1_500_000,
        upload_bps=64_000,
        monthly_price=price,
        currency=None,
        active=True,
        areas=[],
        created_at=moment,
        updated_at=moment,
    )
    product = mapping.product(row)
    assert product.monthly_price == shown
    assert (product.download_speed, product.upload_speed) == (1.5, 0.064)
    msgspec.json.encode(product)
