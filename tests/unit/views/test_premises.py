"""The box that surely holds a circle on the globe."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.views.premises import EARTH_RADIUS_M, box_around


def destination(latitude: float, longitude: float, bearing: float, metres: float):
    """Where one gets from a point, going straight on (the great circle)."""
    phi, lam, theta = map(math.radians, (latitude, longitude, bearing))
    angle = metres / EARTH_RADIUS_M
    there = math.asin(
        math.sin(phi) * math.cos(angle) + math.cos(phi) * math.sin(angle) * math.cos(theta)
    )
    turn = math.atan2(
        math.sin(theta) * math.sin(angle) * math.cos(phi),
        math.cos(angle) - math.sin(phi) * math.sin(there),
    )
    return math.degrees(there), (math.degrees(lam + turn) + 540) % 360 - 180


def holds(box, latitude: float, longitude: float) -> bool:
    return box.south <= latitude <= box.north and (
        box.west <= longitude <= box.east or box.west2 <= longitude <= box.east2
    )


@given(
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.floats(0, 360),
    st.floats(0, 499.9),
)
def test_the_box_holds_everything_within_the_circle(latitude, longitude, bearing, metres):
    box = box_around(latitude, longitude, 500)
    assert holds(box, *destination(latitude, longitude, bearing, metres))


@pytest.mark.parametrize("latitude", [0, 45, -60])
def test_the_box_is_hardly_larger_than_the_circle(latitude):
    box = box_around(latitude, 10, 500)
    height = math.radians(box.north - box.south) * EARTH_RADIUS_M
    width = math.radians(box.east - box.west) * EARTH_RADIUS_M * math.cos(math.radians(latitude))
    assert height == pytest.approx(1000, rel=1e-3)
    assert width == pytest.approx(1000, rel=1e-2)


def test_the_box_has_two_parts_where_the_longitude_changes_its_sign():
    east = box_around(0, 179.999, 500)
    assert holds(east, 0, 179.999)
    assert holds(east, 0, -179.998)
    assert not holds(east, 0, 0)
    west = box_around(0, -179.999, 500)
    assert holds(west, 0, 179.998)
    assert not holds(west, 0, 0)
