"""What msgspec says of a body, told by the field's name."""

import msgspec
import pytest

from demarc.northbound.aex import wire
from demarc.northbound.aex.errors import field_error


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        (b"{}", "customer_id", "is required"),
        (b'{"colour": 1}', "colour", "is not a field that can be given here"),
        (b'{"customer_id": 7}', "customer_id", "expected `str`, got `int`"),
        (b'{"customer_id": ""}', "customer_id", "expected `str` of length >= 1"),
        (b"[]", "body", "expected `object`, got `array`"),
    ],
)
def test_the_field_is_named(body, field, message):
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(body, type=wire.NewService)
    assert field_error(str(refused.value)) == wire.FieldError(field, message)


def test_a_field_deep_inside_is_named_with_its_path():
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(b'{"items": [{"id": 7}]}', type=wire.Page[wire.Service])
    assert field_error(str(refused.value)).field.startswith("items")
