"""GPON's own notions that travel inside other protocols (ITU-T G.984.3)."""

from __future__ import annotations

from typing import Final

SERIAL_OCTETS: Final = 8
_VENDOR_OCTETS: Final = 4
_FORM_LENGTH: Final = 12


def format_serial(octets: bytes) -> str:
    """Write an ONU's serial number as it is printed on its label: `HWTC12345678`.

    G.984.3 section 9.2.4.1: four ASCII letters name the vendor, four octets number the device;
    the latter are written in hexadecimal. The whole is upper case, so that no serial number has
    two forms; a vendor code that is not made of capitals and digits cannot be written so, and
    all sixteen hexadecimal digits stand for it.

    Raises:
        ValueError: not 8 octets.
    """
    if len(octets) != SERIAL_OCTETS:
        raise ValueError(f"a GPON serial number has 8 octets, not {len(octets)}")
    vendor = octets[:_VENDOR_OCTETS]
    if vendor.isalnum() and vendor == vendor.upper():
        return vendor.decode("ascii") + octets[_VENDOR_OCTETS:].hex().upper()
    return octets.hex().upper()


def parse_serial(text: str) -> bytes:
    """Read a serial number: `HWTC12345678`, `HWTC-12345678` or sixteen hexadecimal digits.

    Raises:
        ValueError: none of these forms.
    """
    form = text.strip().replace("-", "")
    try:
        if len(form) == 2 * SERIAL_OCTETS:
            return bytes.fromhex(form)
        vendor, number = form[:_VENDOR_OCTETS], form[_VENDOR_OCTETS:]
        if len(form) == _FORM_LENGTH and vendor.isascii() and vendor.isalnum():
            return vendor.upper().encode("ascii") + bytes.fromhex(number)
    except ValueError:
        pass
    raise ValueError(f"{text!r} is no GPON serial number")
