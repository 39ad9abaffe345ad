"""What may be changed of a device, and which values can be taken: Flashman's rules, and its words.

Every field is looked at by itself, whatever others are given with it.
"""

import re
from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Any

import msgspec

from demarc.domains.cpe.changes import (
    Change,
    LanChange,
    PppoeChange,
    WanChange,
    WifiChange,
)
from demarc.domains.cpe.neutral import Band

REQUIRED = "Este campo é obrigatório"
TEXT_ONLY = "O valor passado deve ser uma string"
PLAIN = "Somente são aceitos: caracteres alfanuméricos, espaços, ponto, - e _"
NO_ACCENTS = "Letras com acento, cedilha, e alguns caracteres especiais não são aceitos"
NOT_ALLOWED = "O valor passado não é aceito"
CANNOT = "CPE não possui essa função!"

_SSID = re.compile(r"[a-zA-Z0-9.\-_# ]+")
_PASSWORD = re.compile(r"[a-zA-Z0-9.\-_#!@$%&*=+?]+")
_USER = re.compile(r"[a-zA-Z0-9@.\-_# ]+")
_CHANNELS_5 = ("36", "40", "44", "48", "149", "153", "157", "161", "165")
_CHANNELS_2 = tuple(str(each) for each in range(1, 14))
_BANDS = {"auto": 0, "HT20": 20, "HT40": 40, "VHT20": 20, "VHT40": 40, "VHT80": 80}
_MODES = {"11g": "g", "11n": "n", "11na": "n", "11ac": "ac", "11ax": "ax"}
_POWERS = {"25": 25, "50": 50, "75": 75, "100": 100}
_FLAGS = {"0": False, "1": True, "false": False, "true": True}
_VLANS = range(1, 4095)
_MTUS = range(576, 1501)
_PREFIXES = ("24", "25", "26")


class Wrong(Exception):
    """A value cannot be taken; says why in the API's words."""


class Wanted(msgspec.Struct):
    """What a request wants changed, and what is wrong with it.

    Attributes:
        values: by the field's name, as they are to be written.
        errors: by the name the API has for a field in its errors, in the order of the rules.
    """

    values: dict[str, Any]
    errors: list[dict[str, str]]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong(TEXT_ONLY)
    return value.strip()


def _loose(value: Any) -> str:
    """Give a number, a flag or text as text."""
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, int) else _text(value)


def _worded(pattern: re.Pattern[str], least: int, most: int, words: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        text = _text(value)
        if not text:
            raise Wrong(REQUIRED)
        if len(text) < least:
            raise Wrong(f"Este campo deve ter no mínimo {least} caracteres")
        if len(text) > most:
            raise Wrong(f"Este campo não pode ter mais de {most} caracteres")
        if not pattern.fullmatch(text):
            raise Wrong(words)
        return text

    return check


def _one_of(choices: dict[str, Any]) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        text = _loose(value)
        if text not in choices:
            raise Wrong(NOT_ALLOWED)
        return choices[text]

    return check


def _within(numbers: range) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        text = _loose(value)
        if not (text.isascii() and text.isdecimal()) or int(text) not in numbers:
            raise Wrong(NOT_ALLOWED)
        return int(text)

    return check


def _address(value: Any) -> str:
    text = _text(value)
    try:
        return str(IPv4Network(text).network_address)
    except ValueError:
        raise Wrong(NOT_ALLOWED) from None


def _channels(numbers: tuple[str, ...]) -> dict[str, Any]:
    return {"auto": "auto", **{each: int(each) for each in numbers}}


_ssid = _worded(_SSID, 1, 32, PLAIN)
_wifi_password = _worded(_PASSWORD, 8, 64, NO_ACCENTS)


def _wifi(suffix: str, channels: tuple[str, ...]) -> dict[str, tuple[str, Callable[[Any], Any]]]:
    named = suffix.replace("_", "")
    rules: dict[str, Callable[[Any], Any]] = {
        "ssid": _ssid,
        "password": _wifi_password,
        "channel": _one_of(_channels(channels)),
        "band": _one_of(_BANDS),
        "mode": _one_of(_MODES),
        "power": _one_of(_POWERS),
        "state": _one_of(_FLAGS),
        "hidden": _one_of(_FLAGS),
    }
    return {f"wifi_{name}{suffix}": (f"{name}{named}", rule) for name, rule in rules.items()}


# Field -> its name among errors, and its rule.
RULES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "pppoe_user": ("pppoe_user", _worded(_USER, 1, 64, NO_ACCENTS)),
    "pppoe_password": ("pppoe_password", _worded(_PASSWORD, 1, 64, NO_ACCENTS)),
    **_wifi("", _CHANNELS_2),
    **_wifi("_5ghz", _CHANNELS_5),
    "wan_mtu": ("mtu", _within(_MTUS)),
    "wan_vlan": ("vlan", _within(_VLANS)),
    "lan_subnet": ("lan_subnet", _address),
    "lan_netmask": ("lan_netmask", _one_of({each: int(each) for each in _PREFIXES})),
}

# Known to the API, but nothing that Demarc sets on a device.
FIXED = (
    "connection_type", "ipv6_enabled", "isSsidPrefixEnabled", "bridgeEnabled",
    "bridgeDisableSwitch", "bridgeFixIP", "bridgeFixGateway", "bridgeFixDNS", "mesh_mode",
    "external_reference", "slave_custom_configs",
)  # fmt: skip


def examine(content: dict[str, Any]) -> Wanted:
    """Look at what a request wants changed; fields that nobody knows are passed over."""
    found = Wanted({}, [])
    for name, (shown, rule) in RULES.items():
        if name not in content:
            continue
        try:
            found.values[name] = rule(content[name])
        except Wrong as wrong:
            found.errors.append({shown: str(wrong)})
    found.errors += [{name: CANNOT} for name in FIXED if name in content]
    return found


def changes(values: dict[str, Any]) -> list[tuple[str, Change]]:
    """Give what is to be done for values, each with the name of its first field among errors."""
    found: list[tuple[str, Change]] = []
    for band, suffix in ((2, ""), (5, "_5ghz")):
        if change := _wifi_change(2 if band == 2 else 5, suffix, values):  # noqa: PLR2004
            found.append(change)
    for kind, fields in (
        (PppoeChange, {"pppoe_user": "username", "pppoe_password": "password"}),
        (WanChange, {"wan_mtu": "mtu", "wan_vlan": "vlan"}),
        (LanChange, {"lan_subnet": "ipv4", "lan_netmask": "netmask"}),
    ):
        given = {to: values[name] for name, to in fields.items() if name in values}
        if "netmask" in given:
            given["netmask"] = str(IPv4Network(f"0.0.0.0/{given['netmask']}").netmask)
        if given:
            first = next(name for name in fields if name in values)
            found.append((RULES[first][0], kind(**given)))
    return found


def _wifi_change(band: Band, suffix: str, values: dict[str, Any]) -> tuple[str, Change] | None:
    fields = {
        "ssid": "ssid",
        "password": "passphrase",
        "channel": "channel",
        "band": "bandwidth",
        "mode": "standard",
        "power": "power_percent",
        "state": "enabled",
        "hidden": "hidden",
    }
    names = {f"wifi_{name}{suffix}": to for name, to in fields.items()}
    given = {to: values[name] for name, to in names.items() if name in values}
    if not given:
        return None
    first = next(name for name in names if name in values)
    return RULES[first][0], WifiChange(band=band, **given)


__all__ = ["CANNOT", "FIXED", "RULES", "Wanted", "changes", "examine"]
