"""The list of models with what works on each, as docs/cpe-models.md has it.

python -m demarc.domains.cpe.families_listing
"""

import sys
from collections.abc import Iterable

from demarc.domains.cpe.families_schema import many
from demarc.domains.cpe.family import Families, Family

_COLUMNS = (
    "model",
    "names itself",
    "light",
    "VLAN",
    "MTU",
    "stations",
    "web password",
    "ping",
    "route",
    "speed",
    "survey",
    "habits",
)
_HABITS = {
    "resend_passphrase": "forgets the passphrase with the SSID",
    "reboot_after_pppoe_change": "reboots for a PPPoE account",
    "reboot_after_ssid_change": "reboots for an SSID",
    "enabled_to_configure": "takes no settings of Wi-Fi that is off",
    "one_ping": "one ping",
    "active_untrusted": "hosts' state not to be trusted",
    "survey_one_by_one": "surveys one band a time",
    "survey_polled": "its survey is polled",
    "online_after_reset": "stays online through a reset",
}


def rows(families: Iterable[Family]) -> list[tuple[str, ...]]:
    """Give a row for each model, in the order of ``_COLUMNS``."""
    return [_row(each) for each in sorted(families, key=lambda f: f.name) if _is_model(each)]


def markdown(families: Iterable[Family]) -> str:
    """Give the whole table."""
    lines = [_COLUMNS, tuple("---" for _ in _COLUMNS), *rows(families)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _is_model(family: Family) -> bool:
    """Tell a model from what models are like."""
    return any(rule.model or rule.product_class for rule in family.spec.match)


def _row(family: Family) -> tuple[str, ...]:
    spec, can = family.spec, family.capabilities

    def tick(*names: str) -> str:
        return "✓" if all(name in can for name in names) else ""

    unit = "✓ (0.1 µW)" if spec.pon.unit == "tenth_microwatt" else "✓"
    vlan = "read, set" if "wan_vlan_write" in can else "read" if "wan_vlan_read" in can else ""
    mtu = "read, set" if "wan_mtu_write" in can else "read" if "wan_mtu_read" in can else ""
    quirks = family.quirks
    habits = [words for name, words in _HABITS.items() if quirks.get(name)]
    if quirks.get("speed_limit_mbps"):
        habits.append(f"measures up to {quirks['speed_limit_mbps']} Mbit/s")
    if "Sent" in "".join(many(spec.wan.received)):
        habits.append("counts octets the other way round")
    return (
        f"`{family.name}`",
        "; ".join(_named(family)),
        unit if "pon" in can else "",
        vlan,
        mtu,
        tick("stations"),
        "✓" if many(spec.web.password) else "",
        tick("ping"),
        tick("traceroute"),
        tick("speed_test"),
        "✓" if many(spec.diagnostics.neighbours) else "",
        "; ".join(habits),
    )


def _named(family: Family) -> list[str]:
    found = []
    for rule in family.spec.match:
        said = [" or ".join(many(rule.model))] if rule.model else []
        if rule.product_class:
            said.append(f"class {' or '.join(many(rule.product_class))}")
        if rule.hardware or rule.hardware_has:
            said.append(f"hardware {' or '.join(many(rule.hardware)) or rule.hardware_has}")
        found.append(", ".join(said))
    return found


def _main() -> None:
    sys.stdout.write(markdown(Families.load()))


if __name__ == "__main__":
    _main()


__all__ = ["markdown", "rows"]
