"""What stands around a device: its line, its light, and what hangs on its network."""

import math
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, Protocol

import msgspec

from demarc.lab.cpe.model import Model
from demarc.lab.cpe.tree import Tree
from demarc.lab.nas.traffic import Household, Limits
from demarc.lab.olt.light import Light

_SLOT: Final = 1800.0
_PACKET: Final = 900
_OLT_TX_DBM: Final = 4.0
_NEVER: Final = "0001-01-01T00:00:00Z"
_THINGS: Final = (
    *("iPhone", "Galaxy-A54", "notebook", "SmartTV", "PS5", "printer", "camera", "echo"),
    *("desktop", "moto-g", "chromecast", "tablet"),
)
_NAMES: Final = ("Familia", "Casa", "Apto", "Rede", "Loja", "Vila")


class Online(msgspec.Struct):
    """A PPPoE session.

    Attributes:
        address: the subscriber's.
        seconds: it has lasted.
        down: octets towards the subscriber so far; ``up`` from it.
        gateway: the other end.
    """

    address: str
    seconds: float
    down: int
    up: int
    gateway: str = "100.64.0.1"


class Line(Protocol):
    """What a router dials over."""

    def dial(self, username: str, password: str) -> None:
        """Log in anew with what the router has now; also said when it starts."""
        ...

    def hang_up(self) -> None:
        """Lose the session, as a router does that is switched off."""
        ...

    def session(self) -> Online | None:
        """Give the session as it is now; None while there is none."""
        ...


class OwnLine:
    """A line that ends nowhere: it lets its subscriber in and counts what a household carries.

    Args:
        username: who is let in.
        password: with what.
        seed: of its traffic and address.
        limits: its rates.
    """

    def __init__(
        self, username: str, password: str, *, seed: str, limits: Limits | None = None
    ) -> None:
        self._right = (username, password)
        self._demand = Household(seed)
        self._limits = limits or Limits()
        number = zlib.crc32(seed.encode())
        self._address = f"100.{64 + number % 64}.{number >> 8 & 255}.{number >> 16 & 255}"
        self._since: float | None = None
        self._counted = 0.0
        self._down = self._up = 0

    def dial(self, username: str, password: str) -> None:
        """Let the subscriber in, or not."""
        self._down = self._up = 0
        self._since = self._counted = time.monotonic()
        if (username, password) != self._right:
            self._since = None

    def hang_up(self) -> None:
        """Have no session until it is dialled anew."""
        self._since = None

    def session(self) -> Online | None:
        """Give the session as it is now."""
        if self._since is None:
            return None
        now = time.monotonic()
        if now - self._counted >= 1:
            carried = self._demand.carry(now - self._counted, self._limits)
            self._counted = now
            self._down += carried.down_octets
            self._up += carried.up_octets
        return Online(self._address, now - self._since, self._down, self._up)


class Host:
    """Something in the home.

    Args:
        seed: what it is like.
        number: which of the home's.
        band: of Wi-Fi it is on, GHz; None for a cable.
        link: how the make names what it hangs on.
    """

    def __init__(self, seed: str, number: int, *, band: int | None, link: str) -> None:
        rng = Random(f"{seed}/host/{number}")
        self.seed = f"{seed}/{number}"
        self.band = band
        self.name = f"{rng.choice(_THINGS)}-{number}"
        # locally administered, so nobody's
        self.mac = ":".join(["02", *(f"{rng.randrange(256):02X}" for _ in range(5))])
        self._level = rng.uniform(-78, -42)
        self._number = number
        self._link = link
        self.since = time.time()

    def present(self, now: float) -> bool:
        """Tell whether it is at home; wall clock seconds."""
        return self._number == 1 or _chance(f"{self.seed}/{int(now // _SLOT)}") < 0.7  # noqa: PLR2004

    def rssi(self) -> float:
        """Give its signal now, dBm."""
        return self._level + 4 * math.sin(time.time() / 97 + self._number)

    def facts(self, name: str) -> str | None:
        """Answer for its place in a tree."""
        told = _OF_A_HOST.get(name)
        return None if told is None else told(self)

    @property
    def ip(self) -> str:
        """Its address in the home."""
        return f"192.168.1.{self._number + 9}"

    @property
    def link(self) -> str:
        """How the make names what it hangs on."""
        return self._link

    def rate(self) -> int:
        """Give how fast it speaks, Mbit/s."""
        if self.band is None:
            return 1000
        most = 144 if self.band == 2 else 780  # noqa: PLR2004 - GHz
        return max(6, round(most * (self.rssi() + 90) / 50))


_OF_A_HOST: Final[dict[str, Callable[[Host], str]]] = {
    "host_mac": lambda host: host.mac,
    "host_ip": lambda host: host.ip,
    "host_name": lambda host: host.name,
    "host_link": lambda host: host.link,
    "host_interface": lambda host: "Ethernet" if host.band is None else "802.11",
    "host_active": lambda host: str(int(host.present(time.time()))),
    "host_rssi": lambda host: str(round(host.rssi())),
    # what the make's own formula, value / 2 - 110, is undone by
    "host_rssi_tplink": lambda host: str(round((host.rssi() + 110) * 2)),
    "host_snr": lambda host: str(round(host.rssi() + 95)),
    "host_rate": lambda host: str(host.rate()),
    "host_rate_kbps": lambda host: str(host.rate() * 1000),
    "host_standard": lambda host: "ac" if host.band == 5 else "n",  # noqa: PLR2004 - GHz
    "host_seconds": lambda host: str(int(time.time() - host.since)),
    "host_since": lambda host: iso(datetime.fromtimestamp(host.since, UTC)),
}


class Home:
    """Answers what stands in braces in a device's tree.

    Args:
        make: of the device.
        number: of the device; the same number and seed are the same home.
        seed: of the fleet.
        line: what it dials over; one of its own by default.
        light: received and sent, dBm; one of its own by default.
        serial: the device's serial number, instead of one made of its number.
        mac: the device's first address, likewise.
        wan_mac: the address it dials with, likewise.
        pppoe: user name and password from the factory's or the installer's hand.
        hosts: how many things there are.
    """

    def __init__(
        self,
        make: Model,
        number: int,
        *,
        seed: str = "lab",
        line: Line | None = None,
        light: Callable[[], tuple[float, float]] | None = None,
        serial: str | None = None,
        mac: str | None = None,
        wan_mac: str | None = None,
        pppoe: tuple[str, str] | None = None,
        hosts: int | None = None,
    ) -> None:
        self.make = make
        name = f"{seed}/{make.name}/{number}"
        rng = Random(name)
        self.number = number
        self.serial = serial or make.serial.replace("{n}", f"{number:08X}")
        octets = number.to_bytes(4, "big")[-3:]
        # sixteen addresses of each device: the low digit counts them
        first = int.from_bytes(bytes.fromhex(make.mac.replace(":", ""))) << 24
        self._mac = (
            int(mac.replace(":", ""), 16)
            if mac
            else first | (int.from_bytes(octets) << 4) & 0xFFFFFF
        )
        username, password = pppoe or (f"cpe-{number}@lab.example", _word(rng, 10))
        self.line: Line = line or OwnLine(username, password, seed=name)
        self._light = Light(rng, rng.randrange(400, 9000), _OLT_TX_DBM)
        self._lit = time.monotonic()
        self._given_light = light
        self.booted = time.monotonic()
        self.software = make.software
        self.clock_offset = timedelta()
        self._noise = name
        links = [(None, make.places.cable), *_radios(make)]
        many = rng.randrange(2, 9) if hosts is None else hosts
        self.hosts = [
            Host(name, each, band=(link := rng.choice(links))[0], link=link[1])
            for each in range(1, many + 1)
        ]
        self._placed: set[tuple[str, int]] = set()
        self._fixed: dict[str, str] = {
            "manufacturer": make.manufacturer,
            "oui": make.oui,
            "product_class": make.product_class,
            "model": make.model,
            "hardware": make.hardware,
            "serial": self.serial,
            "mac": self.mac(),
            "wan_mac": wan_mac or self.mac(2),
            "ssid": f"{rng.choice(_NAMES)}_{self.serial[-4:]}",
            "passphrase": _word(rng, 12),
            "web_password": _word(rng, 10),
            "ppp_username": username,
            "ppp_password": password,
            "channel_2": str(rng.choice((1, 6, 11))),
            "channel_5": str(rng.choice((36, 44, 149, 157))),
            "wan_dns": "100.64.0.53,100.64.1.53",
            "wan_dns_1": "100.64.0.53",
            "wan_dns_2": "100.64.1.53",
            "management_ip": f"10.64.{number >> 8 & 15}.{number & 255}",
            "ipv6": f"2001:db8:{number & 0xFFFF:x}::1",
            "ipv6_prefix": f"2001:db8:{number & 0xFFFF:x}:100::/56",
            "inform_interval": "3600",
            "acs_url": "",
            "acs_username": "",
            "acs_password": "",
            "request_url": "",
        }

    def mac(self, offset: int = 0) -> str:
        """Give one of the device's addresses."""
        return ":".join(f"{octet:02X}" for octet in (self._mac + offset).to_bytes(6, "big"))

    def fix(self, name: str, value: str) -> None:
        """Have something answered so from now on."""
        self._fixed[name] = value

    def now(self) -> datetime:
        """Give what the device's clock shows."""
        return datetime.now(UTC) + self.clock_offset

    def ask(self, name: str) -> str:
        """Answer a question of the tree.

        Raises:
            KeyError: nothing is known of it.
        """
        fixed = self._fixed.get(name)
        if fixed is not None:
            return fixed
        if name.startswith("mac+"):
            return self.mac(int(name[4:]))
        live = _LIVE.get(name)
        if live is None:
            raise KeyError(name)
        return live(self)

    def light(self) -> tuple[float, float]:
        """Give what is received and what is sent, dBm."""
        if self._given_light is not None:
            return self._given_light()
        now = time.monotonic()
        self._light.advance(now - self._lit)
        self._lit = now
        return self._light.onu_rx_dbm, self._light.onu_tx_dbm

    def temperature(self) -> float:
        """Give the optical module's temperature, Celsius."""
        return self._light.temperature_c

    def uptime(self) -> int:
        """Give seconds since it started."""
        return int(time.monotonic() - self.booted)

    def settle(self, tree: Tree) -> None:
        """Have the tree's hosts and stations be those that are there now."""
        now = time.time()
        stations: dict[int, str] = {each.band: each.stations for each in self.make.places.networks}
        for place, host in enumerate(self.hosts, 1):
            here = host.present(now)
            tables = [(self.make.places.hosts, True)]
            if host.band is not None:
                tables.append((stations[host.band], here))
            for table, wanted in tables:
                key = (table, place)
                if wanted and key not in self._placed:
                    if here and table != self.make.places.hosts:
                        host.since = now
                    tree.put_instance(table, host.facts, place)
                    self._placed.add(key)
                elif not wanted and key in self._placed:
                    tree.drop(f"{table}{place}.")
                    self._placed.discard(key)

    def unsettle(self) -> None:
        """Know that the tree has none of the hosts any more."""
        self._placed.clear()

    def load(self) -> int:
        """Give how busy the processor is, per cent."""
        return 5 + int(30 * _chance(f"{self._noise}/{int(time.time() // 10)}"))


def _online(home: Home) -> Online:
    return home.line.session() or Online("0.0.0.0", 0, 0, 0, "0.0.0.0")  # noqa: S104 - no address


def _tenth_uw(dbm: float) -> str:
    return str(max(0, round(10 ** (dbm / 10) * 10_000)))


_LIVE: Final[dict[str, Callable[[Home], str]]] = {
    "uptime": lambda home: str(home.uptime()),
    "started": lambda home: iso(home.now() - timedelta(seconds=home.uptime())),
    "now": lambda home: iso(home.now()),
    "software": lambda home: home.software,
    "cpu": lambda home: str(home.load()),
    "memory_free": lambda home: str(90_000 + 300 * home.load()),
    "memory_used": lambda home: str(40 + home.load() // 2),
    "ppp_status": lambda home: "Connecting" if home.line.session() is None else "Connected",
    "ppp_interface": lambda home: "Dormant" if home.line.session() is None else "Up",
    "ppp_error": lambda home: (
        "ERROR_AUTHENTICATION_FAILURE" if home.line.session() is None else "ERROR_NONE"
    ),
    "ppp_uptime": lambda home: str(int(_online(home).seconds)),
    "wan_ip": lambda home: _online(home).address,
    "wan_gateway": lambda home: _online(home).gateway,
    "down": lambda home: str(_online(home).down),
    "up": lambda home: str(_online(home).up),
    "down_packets": lambda home: str(_online(home).down // _PACKET),
    "up_packets": lambda home: str(_online(home).up // _PACKET),
    "rx_dbm": lambda home: str(round(home.light()[0])),
    "tx_dbm": lambda home: str(round(home.light()[1])),
    "rx_tenth_uw": lambda home: _tenth_uw(home.light()[0]),
    "tx_tenth_uw": lambda home: _tenth_uw(home.light()[1]),
    "rx_thousandth_dbm": lambda home: str(round(home.light()[0] * 1000)),
    "tx_thousandth_dbm": lambda home: str(round(home.light()[1] * 1000)),
    "temperature": lambda home: str(round(home.temperature())),
}


def iso(moment: datetime, *, micros: bool = False) -> str:
    """Write a time as devices do."""
    exact = moment if micros else moment.replace(microsecond=0)
    text = (
        exact.astimezone(UTC)
        .replace(tzinfo=None)
        .isoformat(timespec="microseconds" if micros else "seconds")
    )
    return f"{text}Z"


def _radios(make: Model) -> list[tuple[int | None, str]]:
    return [(each.band, each.ssid.rpartition(".")[0]) for each in make.places.networks]


def _word(rng: Random, length: int) -> str:
    return "".join(rng.choices("abcdefghjkmnpqrstuvwxyz23456789", k=length))


def _chance(of: str) -> float:
    return zlib.crc32(of.encode()) / 2**32


__all__ = ["Home", "Host", "Line", "Online", "OwnLine", "iso"]
