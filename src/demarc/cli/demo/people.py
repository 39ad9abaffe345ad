"""Invented customers: names, mails of example.net, and numbers nobody has."""

from itertools import product

_FIRST = (
    "Ayanda", "Bongani", "Carla", "Dineo", "Edson", "Fatima", "Gugu", "Helder", "Imani", "Joana",
    "Kagiso", "Lerato", "Mateus", "Naledi", "Olivia", "Palesa", "Quintino", "Rafael", "Sizwe",
    "Thandi", "Ursula", "Vusi", "Wilma", "Xolani", "Yara", "Zanele",
)  # fmt: skip
_LAST = (
    "Adams", "Botha", "Cele", "Dube", "Esteves", "Fortuin", "Gomes", "Hendricks", "Isaacs",
    "Jacobs", "Khumalo", "Lopes", "Mahlangu", "Ndlovu", "Oliveira", "Petersen", "Radebe",
    "Sithole", "Tavares", "Vilakazi", "Williams", "Xaba", "Zulu",
)  # fmt: skip
_NAMES = tuple(product(_LAST, _FIRST))


def customer(number: int) -> dict[str, str]:
    """Give the customer of a number, always the same one."""
    last, first = _NAMES[number * 37 % len(_NAMES)]
    return {
        "first_name": first,
        "last_name": last,
        "email": f"{first}.{last}.{number}@example.net".lower(),
        "mobile_number": f"+27 60 555 {number % 10000:04d}",
    }
