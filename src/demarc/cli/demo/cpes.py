"""The subscribers' routers: what they know from the factory, and whose they are."""

from demarc.app.parts import Parts
from demarc.cli.demo.isp import Subscriber, is_first_isps
from demarc.cli.demo.lab import Lab
from demarc.cli.demo.secrets import DemoSecrets
from demarc.platform.settings import Settings

MAKES = ("huawei-eg8145v5", "zte-f670l", "nokia-g1425g", "tplink-xc220", "unknown-tr181")
"""What routers there are, as the lab names them; subscribers have them by turns."""

_FIRST, _SECOND = "vula", "ligeiro"
# so that they are not all learned in the same second
_APART_SECONDS = 0.1


def acs_url(settings: Settings) -> str:
    """Give where CPEs reach the ACS."""
    host = f"[{settings.cwmp_host}]" if ":" in settings.cwmp_host else settings.cwmp_host
    scheme = "http" if settings.tls_cert is None else "https"
    return f"{scheme}://{host}:{settings.cwmp_port}/cwmp"


def mac_of(number: int) -> str:
    """Give the address that stands on a subscriber's router; locally administered, nobody's."""
    return f"02:C0:FE:{number >> 8 & 255:02X}:{number & 255:02X}:00"


async def tell_words(parts: Parts, kept: DemoSecrets) -> None:
    """Have each ISP's routers let in by what they know from the factory."""
    async with parts.db.system() as tx:
        for slug, word in ((_FIRST, kept.cpe_word), (_SECOND, kept.other_cpe_word)):
            tenant = await parts.identity.tenant_named(tx, slug)
            await parts.cpes.put_bootstrap(
                tx, tenant_id=tenant.id, username=f"{slug}-cpe", password=word
            )


async def start(
    simulated: Lab, settings: Settings, kept: DemoSecrets, everybody: list[Subscriber]
) -> None:
    """Have the lab switch the subscribers' routers on."""
    for slug, word in ((_FIRST, kept.cpe_word), (_SECOND, kept.other_cpe_word)):
        await simulated.order(
            "acs",
            name=slug,
            url=acs_url(settings),
            username=f"{slug}-cpe",
            password=word,
            certificate=None if settings.tls_cert is None else str(settings.tls_cert),
        )
    for place, each in enumerate(everybody):
        make = MAKES[(each.number - 1) % len(MAKES)]
        await simulated.order(
            "cpe",
            acs=_FIRST if is_first_isps(each.number) else _SECOND,
            make=make,
            number=each.number,
            subscriber=each.username,
            mac=mac_of(each.number),
            onu=each.serial,
            # its optical part is the ONU itself, whose number is written in hexadecimal here
            serial=each.serial.encode()[:4].hex().upper() + each.serial[4:]
            if make == MAKES[0]
            else None,
            after=place * _APART_SECONDS,
        )
