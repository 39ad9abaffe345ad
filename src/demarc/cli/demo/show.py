"""What the demo prints: where everything is, one call per API, and what its subscribers do."""

import shutil
import sys
from typing import Any, TextIO
from urllib.parse import urlsplit

from demarc.platform.settings import Settings

NETWORK_ENDED = (
    "The simulated network has ended: its NASes and its OLT are silent. Demarc goes on; start the"
    " demo again to have them back."
)


def introduction(settings: Settings, file: dict[str, Any], written: str) -> str:
    """Say where everything is and what to try, in words."""
    radius = file["radius"]
    sample = file["sample"]
    url = file["http"]
    read = f'python3 -c \'import json;d=json.load(open("{written}"));print'
    return f"""
Demarc is up: two ISPs on one fibre network, their subscribers logging in over RADIUS.

  APIs            {url}
                  {file["https"]} (curl --cacert {settings.tls_cert})
  documentation   {url}/docs/aex
  RADIUS          {radius["host"]} authentication {radius["auth_port"]}, accounting {radius["acct_port"]}
  CWMP (TR-069)   {file["cwmp"]["url"]}
  data            {settings.data}
  what to use     {written} (tokens, secrets, a sample subscriber; for your eyes alone)

AEx, as the ISP:

  curl -s -H "Authorization: Bearer $({read}(d["aex"]["token"])')" \\
       {url}/services/{sample["service_id"]}/radius/status

The same service, as the owner of the network:

  curl -s -H "Authorization: Bearer $({read}(d["aex"]["fno_token"])')" \\
       {url}/fno/services/{sample["service_id"]}

The same subscriber over RADIUS (freeradius-utils):

  echo 'User-Name="{sample["pppoe_username"]}",User-Password='$({read}(d["sample"]["pppoe_password"])') | \\
       radclient {radius["host"]}:{radius["auth_port"]} auth "$({read}(d["radius"]["secret"])')"

Ctrl-C ends everything in order.
"""


def secure_url(settings: Settings) -> str:
    """Give the URL of the APIs over TLS."""
    if settings.https_port is None:
        return settings.public_url
    host = urlsplit(settings.public_url).hostname or settings.http_host
    return f"https://{f'[{host}]' if ':' in host else host}:{settings.https_port}"


class Progress:
    """A line on what the lab's subscribers do: renewed in place on a terminal."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._live = out.isatty()
        self._last = ""

    def show(self, status: dict[str, Any]) -> None:
        """Show a status of the lab."""
        line = (
            f"{status['online']}/{status['subscribers']} online"
            f" · {status['accepted']} accepted, {status['refused']} refused,"
            f" {status['disconnected']} disconnected"
            f" · {status['interims']} interims"
            f" · {_rate(status['down_bps'])} down, {_rate(status['up_bps'])} up"
            f" · ONUs {status['onus_online']}/{status['onus']} online"
            f" · CPEs {status['cpes_informed']}/{status['cpes']} managed"
        )
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            self._out.write(f"\r{line[:width]:<{width}}")
            self._out.flush()
        elif line != self._last:
            print(line, file=self._out, flush=True)
        self._last = line

    def end(self) -> None:
        """Leave the line."""
        if self._live:
            print(file=self._out)


def _rate(bps: float) -> str:
    """Write a rate with its SI prefix."""
    for unit, size in (("Gbit/s", 1e9), ("Mbit/s", 1e6), ("kbit/s", 1e3)):
        if bps >= size:
            return f"{bps / size:.1f} {unit}"
    return f"{bps:.0f} bit/s"
