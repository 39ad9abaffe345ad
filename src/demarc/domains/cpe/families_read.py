"""Reading a device out of its parameters, by its family."""

from demarc.domains.cpe import families_values as values
from demarc.domains.cpe.families_hosts import read_hosts
from demarc.domains.cpe.families_schema import Leaf, Spec, many
from demarc.domains.cpe.families_view import View
from demarc.domains.cpe.families_wan import read_wans
from demarc.domains.cpe.families_wifi import places, read_wifi
from demarc.domains.cpe.neutral import Device, Info, Lan, Management, Pon, WebAccount
from demarc.domains.cpe.tree import Tree

_KIB = 1024
_MOST_MEMORY = 2**32
_LONGEST_INTERVAL = 2**32 - 1


def read_device(name: str, spec: Spec, tree: Tree) -> Device:
    """Read all that is understood of a device.

    What a device does not tell, or tells in a way that makes no sense, is None; no value makes
    this fail.
    """
    view = View(tree, spec.root, last=spec.quirks.wildcard_is_last)
    found = places(spec, view)
    radios, networks = read_wifi(spec, view, found)
    return Device(
        family=name,
        info=_info(spec, view),
        wans=read_wans(spec, view),
        radios=radios,
        networks=networks,
        hosts=read_hosts(spec, view, found),
        pon=_pon(spec, view),
        lan=_lan(spec, view),
        web=_web(spec, view),
        management=_management(view),
    )


def _info(spec: Spec, view: View) -> Info:
    data = spec.about

    def text(leaf: Leaf) -> str | None:
        return view.value(many(leaf))

    total = values.whole(text(data.memory_total), 1, _MOST_MEMORY)
    free = values.whole(text(data.memory_free), 0, _MOST_MEMORY)
    cpu = values.number(text(data.cpu))
    macs = (values.mac(view.value((leaf,))) for leaf in many(data.mac))
    uid = text(data.alternative_uid)
    return Info(
        manufacturer=values.word(text(data.manufacturer)),
        model=values.word(text(data.model)),
        serial_number=values.word(text(data.serial_number)),
        hardware_version=values.word(text(data.hardware_version)),
        software_version=values.word(text(data.software_version)),
        mac=next((each for each in macs if each is not None), None),
        alternative_uid=values.mac(uid) or values.word(uid),
        uptime_seconds=values.whole(text(data.uptime), 0, values.SECONDS_AT_MOST),
        cpu_percent=cpu if cpu is not None and 0 <= cpu <= 100 else None,  # noqa: PLR2004
        memory_total=None if total is None else total * _KIB,
        memory_free=None if free is None else free * _KIB,
    )


def _pon(spec: Spec, view: View) -> Pon | None:
    data = spec.pon
    rx_text, tx_text = view.value(many(data.rx)), view.value(many(data.tx))
    if rx_text is None and tx_text is None:
        return None
    return Pon(values.light(rx_text, data.unit), values.light(tx_text, data.unit))


def _lan(spec: Spec, view: View) -> Lan:
    data = spec.lan
    return Lan(
        ipv4=values.ipv4(view.value(many(data.ipv4))),
        netmask=values.ipv4(view.value(many(data.netmask))),
        dhcp_enabled=values.flag(view.value(many(data.dhcp))),
        dns=values.addresses(view.value(many(data.dns))),
    )


def _web(spec: Spec, view: View) -> WebAccount | None:
    data = spec.web
    if not data.username and not data.password:
        return None
    return WebAccount(
        username=values.word(view.value(many(data.username))),
        password=view.value(many(data.password)),
    )


def _management(view: View) -> Management:
    def text(leaf: str) -> str | None:
        return view.value((f"/ManagementServer.{leaf}",))

    return Management(
        acs_url=values.word(text("URL")),
        inform_enabled=values.flag(text("PeriodicInformEnable")),
        inform_interval=values.whole(text("PeriodicInformInterval"), 1, _LONGEST_INTERVAL),
        request_url=values.word(text("ConnectionRequestURL")),
    )


__all__ = ["read_device"]
