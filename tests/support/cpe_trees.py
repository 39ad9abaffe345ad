"""Trees of CPE parameters made from tests/contract/cpe-models.md, and what is to be read of them.

Nothing here knows the families' files. Where the text names no leaf (a station's MAC address, a
host's name) the standard's is taken. Paths that cannot be under their root are left out: in the
text TR-181 models keep some of TR-098 (``Device.LANDevice.1...``) for want of their own.
"""

import math
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from demarc.domains.cpe.tree import Parameter

TEXT = Path(__file__).parents[1] / "contract" / "cpe-models.md"

CABLE, WIFI_2, WIFI_5 = "02:00:5E:10:00:01", "02:00:5E:10:00:02", "02:00:5E:10:00:05"
RSSI, SNR, RATE = -61.0, 30.0, 144.0
NOISE = 95

ERRATA = {
    # AccessPoint.1 is the other band's; on all others of TR-181 SSID.3 is AccessPoint.3's
    "tplink-ex510": ("5", "Device.WiFi.AccessPoint.3.Security.KeyPassphrase"),
}


@dataclass
class Model:
    """A model as the text has it, with a tree and what is to be read of it."""

    name: str
    title: str
    root: str
    identities: list[dict[str, str]]
    flags: dict[str, str]
    tree: dict[str, Parameter] = field(default_factory=dict)
    expected: dict[str, object] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)

    def put(self, path: str | None, value: object, kind: str = "string") -> bool:
        if path is None:
            return False
        self.tree.setdefault(path, Parameter(str(value), kind, writable=True))
        return self.tree[path].value == str(value)

    def says(self, flag: str, default: bool) -> bool:
        return self.flags.get(flag, str(default)) == "True"


def _expand(path: str, root: str) -> str | None:
    """Give a whole path of the text's short form; None where it cannot be."""
    path = path.replace("IGD.", "InternetGatewayDevice.").replace(".WD1.", ".WANDevice.1.")
    path = path.replace(".WCD*.", ".WANConnectionDevice.*.").replace(
        ".PPP*.", ".WANPPPConnection.*."
    )
    path = re.sub(r"\.WLAN(\d+|\*)", r".LANDevice.1.WLANConfiguration.\1", path)
    if path == "-" or not path.startswith(root):
        return None
    if root == "Device." and (".LANDevice." in path or ".WANDevice." in path):
        return None
    return path


def _fields(text: str) -> dict[str, str]:
    return dict((part.strip().partition(" ")[::2]) for part in text.split(" ; "))


def _identities(text: str) -> list[dict[str, str]]:
    """Give every way a device of the model may name itself."""
    found = []
    for way in text.split(" or "):
        made: list[dict[str, str]] = [{}]
        for part in way.split(" and "):
            key, verb, value = re.fullmatch(r"(.+?) (is one of|is|has) (.+)", part.strip()).groups()  # type: ignore[union-attr]
            key = key.replace("product class", "product_class")
            values = value.split(", ") if verb == "is one of" else [value]
            if verb == "has":
                values = [f"HW {value}.1"]
            made = [each | {key: one} for each in made for one in values]
        found += made
    return found


def _wan(model: Model) -> None:
    text = _fields(model.sections["WAN"])
    expected = model.expected
    tr098 = model.root != "Device."

    def bound(path: str) -> str | None:
        whole = _expand(path, model.root)
        if whole is None:
            return None
        if tr098:
            whole = whole.replace("WANConnectionDevice.*", "WANConnectionDevice.2")
            return whole.replace("*", "1")
        # the home's interface is the first, the network's the last
        return whole.replace("IP.Interface.*", "IP.Interface.3").replace("*", "1")

    user = bound(text["user"])
    assert user is not None
    base = user.rpartition(".")[0] + "."
    expected["wan_key"] = base
    model.put(user, "casa-000123@example.net")
    model.put(f"{base}Password", "")
    model.put(f"{base}Enable", "1", "boolean")
    model.put(f"{base}ConnectionStatus", "Connected")
    expected["username"] = "casa-000123@example.net"
    if tr098:
        # the connection by which the device is managed, which is not the subscriber's
        other = "InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANIPConnection.1."
        model.put(f"{other}Name", "1_TR069_R_VID_7")
        model.put(f"{other}AddressingType", "DHCP")
        model.put(f"{other}ConnectionStatus", "Connected")
        model.put(f"{other}MaxMTUSize", "1500", "unsignedInt")
        model.put(f"{base}Name", "2_INTERNET_R_VID_100")
    else:
        for number, address in ((1, "192.168.1.1"), (2, "127.0.0.1"), (3, "198.51.100.7")):
            model.put(f"Device.IP.Interface.{number}.IPv4Address.1.IPAddress", address)
            model.put(f"Device.IP.Interface.{number}.Stats.BytesReceived", number, "unsignedLong")
            model.put(f"Device.IP.Interface.{number}.Stats.BytesSent", number, "unsignedLong")
    for key, value, kind in (
        ("vlan", 100, "unsignedInt"),
        ("uptime", 86_400, "unsignedInt"),
        ("mtu", 1492, "unsignedInt"),
    ):
        if model.put(bound(text[key]), value, kind):
            expected[key] = value
    received = bound(text["bytes"])
    assert received is not None
    swapped = received.endswith("BytesSent")
    sent = (
        received.replace("BytesSent", "BytesReceived")
        if swapped
        else (received.replace("Received", "Sent"))
    )
    for path, value in ((received, 7_000_000_001), (sent, 900_000_001)):
        model.tree[path] = Parameter(str(value), "unsignedLong", writable=False)
    expected["received"], expected["sent"] = 7_000_000_001, 900_000_001
    if model.put(bound(text["svc"]), "INTERNET"):
        expected["services"] = True


def _wifi(model: Model) -> dict[str, str]:
    text = re.fullmatch(
        r"(\S+) / (\S+) ; 5: (\S+) / (\S+) ; mode (\S+) ; band (\S+)", model.sections["WiFi 2.4"]
    )
    assert text is not None
    networks = {}
    for band, at in (("2", 1), ("5", 3)):
        ssid, passphrase = _expand(text[at], model.root), _expand(text[at + 1], model.root)
        assert ssid is not None
        assert passphrase is not None
        if ERRATA.get(model.name, ("", ""))[0] == band:
            passphrase = ERRATA[model.name][1]
        model.put(ssid, f"Casa do Vale {band}")
        model.put(passphrase, f"senha-da-casa-{band}")
        model.expected[f"ssid_{band}"] = f"Casa do Vale {band}"
        model.expected[f"passphrase_{band}"] = f"senha-da-casa-{band}"
        network = ssid.rpartition(".")[0] + "."
        networks[band] = network
        model.put(f"{network}Enable", "1", "boolean")
        model.expected[f"network_{band}"] = network
    mode, width = _expand(text[5], model.root), _expand(text[6], model.root)
    if model.put(mode, "b,g,n") and model.says("modeRead", True):
        model.expected["standard"] = "n"
    words_known = width is not None and width.endswith((".BandWidth", "OperatingChannelBandwidth"))
    if words_known and model.put(width, "40MHz") and model.says("bandRead2", True):
        model.expected["bandwidth"] = 40
    guests = networks["2"].replace(".1.", ".2.", 1) if model.root == "Device." else ""
    if guests and guests not in networks.values():
        model.put(f"{guests}SSID", "Visitas")
    return networks


def _lan(model: Model, networks: dict[str, str]) -> None:
    text = _fields(model.sections["LAN"])
    tr098 = model.root != "Device."
    hosts = _expand(text["hosts"], model.root)
    assert hosts is not None
    link = _expand(text["l2"], model.root)
    by_word = link is not None and link.endswith("InterfaceType")
    mac_leaf = "MACAddress" if tr098 else "PhysAddress"
    for number, mac, wire in ((1, CABLE, ""), (2, WIFI_2, "2"), (3, WIFI_5, "5")):
        host = f"{hosts}.Host.{number}."
        model.put(f"{host}{mac_leaf}", mac.lower().replace(":", "-") if number == 2 else mac)
        model.put(f"{host}IPAddress", f"192.168.1.{10 + number}")
        model.put(f"{host}HostName", f"aparelho-{number}")
        model.put(f"{host}Active", "1", "boolean")
        if link is not None and by_word:
            model.put(link.replace("*", str(number)), "802.11" if wire else "Ethernet")
        elif link is not None:
            cable = "InternetGatewayDevice.LANDevice.1.LANEthernetInterfaceConfig.1"
            told = networks[wire].rstrip(".") if wire else cable
            model.put(link.replace("*", str(number)), told)
    if link is not None:
        model.expected["cable"] = True
    _stations(model, text, networks)


def _stations(model: Model, text: dict[str, str], networks: dict[str, str]) -> None:
    tr098 = model.root != "Device."
    assoc = _expand(text["assoc"], model.root)
    assert assoc is not None
    rssi = _expand(text["rssi"], model.root)
    if rssi is None:
        return
    units = model.sections.get("rssi conv", "")
    raw = RSSI
    if "/ 2" in units:
        raw = (RSSI + 110) * 2
    elif "positive" in units:
        raw = -RSSI
    snr, rate = _expand(text["snr"], model.root), _expand(text["rate"], model.root)
    one_band = ".WLANConfiguration." in rssi and "WLANConfiguration.*" not in rssi
    bands = ["2"] if one_band or "AP.1." in assoc else ["2", "5"]
    for band in bands:
        number = networks[band].rstrip(".").rpartition(".")[2]
        station = re.sub(r"WLANConfiguration\.[*\d]+", f"WLANConfiguration.{number}", assoc)
        station = station.replace("AccessPoint.*", f"AccessPoint.{number}")
        station = station.replace("Radio.*", f"Radio.{1 if band == '2' else 2}") + ".1."
        mac = WIFI_2 if band == "2" else WIFI_5
        model.put(f"{station}{'AssociatedDeviceMACAddress' if tr098 else 'MACAddress'}", mac)
        host = re.sub(r"Host\.\*", f"Host.{2 if band == '2' else 3}", rssi)
        at_host = "Hosts.Host" in rssi
        path = host if at_host else station + rssi.rpartition(".")[2]
        model.put(path, int(raw), "int")
        model.expected[f"rssi_{band}"] = RSSI
        model.expected[f"snr_{band}"] = RSSI + NOISE
        if snr is not None:
            model.put(station + snr.rpartition(".")[2], int(SNR), "int")
            model.expected[f"snr_{band}"] = SNR
        if rate is None:
            # the standard's, in kbit/s
            model.put(f"{station}LastDataDownlinkRate", int(RATE * 1000), "unsignedInt")
        elif "Hosts.Host" in rate:
            model.put(re.sub(r"\*", "2" if band == "2" else "3", rate), int(RATE))
        else:
            # LastDataDownlinkRate is TR-181's name for kbit/s, wherever it stands
            factor = 1000 if rate.endswith("LastDataDownlinkRate") else 1
            model.put(station + rate.rpartition(".")[2], int(RATE * factor))
        model.expected[f"rate_{band}"] = RATE


def _pon(model: Model) -> None:
    text = model.sections.get("PON")
    if text is None:
        return
    found = re.match(r"(\S+) / (\S+)(?: ; EPON (\S+))? ; conv (.*)", text)
    assert found is not None
    rx, tx = _expand(found[1], model.root), _expand(found[2], model.root)
    units = found[4]
    if "log10" in units:
        for path, key, tenths in ((rx, "rx", 115), (tx, "tx", 16_982)):
            model.put(path and path.replace("*", "1"), tenths, "unsignedInt")
            model.expected[key] = 10 * math.log10(tenths * 1e-4)
        return
    for path, key, whole, text_ in ((rx, "rx", -19, "-20.1"), (tx, "tx", 2, "2.37")):
        unit = " dBm" if "strip unit" in units else ""
        value = str(whole) if units.startswith("dBm") else text_ + unit
        model.put(path and path.replace("*", "1"), value)
        model.expected[key] = float(whole if units.startswith("dBm") else text_)


def _web(model: Model) -> None:
    found = re.fullmatch(r"(\S+) / (\S+) ; mac (\S+) ; alt_uid (\S+)", model.sections["web admin"])
    assert found is not None
    if model.put(_expand(found[1], model.root), "administrador"):
        model.expected["web_username"] = "administrador"
    if model.put(_expand(found[2], model.root), "web-123456"):
        model.expected["web_password"] = "web-123456"
    mac = _expand(found[3], model.root)
    model.put(mac and mac.replace("*", "1"), "02-00-5e-00-53-01")
    model.expected["mac"] = "02:00:5E:00:53:01"
    alternative = _expand(found[4], model.root)
    if alternative is not None:
        model.put(alternative, "02:00:5E:00:53:02")
        told = model.tree[alternative].value
        model.expected["alternative_uid"] = told.upper().replace("-", ":")


def _model(section: str) -> Model:
    head, *lines = section.strip().splitlines()
    found = re.match(r"(\S+)  \[(.*)\]  (TR-\d+)", head)
    assert found is not None, head
    sections = dict(line[2:].split(": ", 1) for line in lines if line.startswith("- "))
    flags = dict(each.split("=") for each in sections["flags"].split(", "))
    root = "Device." if found[3] == "TR-181" else "InternetGatewayDevice."
    model = Model(found[1], found[2], root, _identities(sections["match"]), flags)
    model.sections = sections
    model.put(f"{root}DeviceInfo.Manufacturer", found[2].split()[0])
    model.put(f"{root}DeviceInfo.UpTime", 90_000, "unsignedInt")
    model.put(f"{root}DeviceInfo.SoftwareVersion", "1.0.7")
    _wan(model)
    _lan(model, _wifi(model))
    _pon(model)
    _web(model)
    return model


@cache
def models() -> tuple[Model, ...]:
    """Make all models of the text."""
    sections = re.split(r"^## ", TEXT.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return tuple(_model(each) for each in sections)


__all__ = ["CABLE", "RATE", "RSSI", "SNR", "WIFI_2", "WIFI_5", "Model", "models"]
