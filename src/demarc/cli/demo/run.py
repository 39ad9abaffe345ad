"""Bringing the demo up: serve, apply the network, sell services over the API, start the lab."""

import asyncio
import contextlib
import os
import signal
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import msgspec

from demarc.app.parts import Parts, opened
from demarc.app.serve import serving, until_told
from demarc.apply.applying import Domains, apply
from demarc.apply.parse import parse
from demarc.cli.demo import cpes, secrets
from demarc.cli.demo.certificate import certificate
from demarc.cli.demo.isp import Isp, Subscriber, is_first_isps
from demarc.cli.demo.lab import Lab, lab
from demarc.cli.demo.secrets import DemoSecrets, write_private
from demarc.cli.demo.show import NETWORK_ENDED, Progress, introduction, secure_url
from demarc.platform.clock import now
from demarc.platform.settings import ROLES, SettingError, Settings
from demarc.platform.telemetry import configure_logs

_PONS = 8
LOOPBACK = "127.0.0.0/8"


async def demo(settings: Settings) -> None:
    """Run the demo until Ctrl-C.

    Args:
        settings: as for serve; ``subscribers`` says how many are brought up.
    """
    if settings.log_level == "info":
        # what goes well is told by the progress line
        settings = msgspec.structs.replace(settings, log_level="warning")
    if set(settings.roles) != set(ROLES):
        raise SettingError("roles", "the demo has every role: leave out DEMARC_ROLES")
    configure_logs(settings, "demo")
    # SIGHUP: its terminal is gone
    await until_told(_demo(settings), signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def _demo(settings: Settings) -> None:
    settings.data.mkdir(parents=True, exist_ok=True)
    folder = settings.data / "demo"
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = secrets.load(folder / "secrets.json")
    settings = _with_acs(_with_https(settings, folder))
    async with serving(settings) as running, lab() as simulated:
        progress = Progress()
        served = asyncio.create_task(running.wait())
        background: list[asyncio.Task[Any]] = [served]
        try:
            kept = await _describe(running.settings, folder, kept)
            await _start_network(simulated, running.settings, kept)
            everybody = await _sell(running.settings, kept)
            await _start_subscribers(simulated, everybody)
            await cpes.start(simulated, running.settings, kept, everybody)
            file = _handed_out(running.settings, kept, everybody[0])
            written = settings.data / "demo.json"
            write_private(written, msgspec.json.format(msgspec.json.encode(file)) + b"\n")
            print(introduction(running.settings, file, str(written)), flush=True)  # noqa: T201
            background.append(asyncio.create_task(_follow(simulated, progress)))
            done, _ = await asyncio.wait(background, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if served not in done:
                await served  # a network whose devices are silent is served too
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            with contextlib.suppress(OSError):  # the terminal may be gone
                progress.end()


def _with_https(settings: Settings, folder: Path) -> Settings:
    """Serve HTTPS beside HTTP, with a certificate of the demo's own where none is given."""
    if settings.tls_cert is not None:
        return settings
    cert, key = certificate(folder, settings.http_host)
    port = 0 if settings.https_port is None else settings.https_port
    return msgspec.structs.replace(settings, tls_cert=cert, tls_key=key, https_port=port)


def _with_acs(settings: Settings) -> Settings:
    """Serve CPEs, and have those of the lab called."""
    networks = settings.cwmp_networks
    if LOOPBACK not in networks:
        networks = (*networks, LOOPBACK)
    port = 0 if settings.cwmp_port is None else settings.cwmp_port
    return msgspec.structs.replace(settings, cwmp_port=port, cwmp_networks=networks)


async def _follow(simulated: Lab, progress: Progress) -> None:
    """Show what the lab tells, and say so when it has ended."""
    await simulated.follow(progress.show)
    progress.end()
    print(NETWORK_ENDED, flush=True)  # noqa: T201


async def _describe(settings: Settings, folder: Path, kept: DemoSecrets) -> DemoSecrets:
    """Write the network file, apply it, and have tokens for the clients it names."""
    template = resources.files(__package__).joinpath("network.toml").read_text(encoding="utf-8")
    pool_bits = max(16, 31 - max(7, (4 * settings.subscribers).bit_length()))
    text = Template(template).substitute(
        msgspec.to_builtins(kept),
        admin_email=secrets.ADMIN_EMAIL,
        pool_bits=pool_bits,
        # 256 subscribers share a public address
        nat_bits=min(32, pool_bits + 8),
    )
    write_private(folder / "network.toml", text.encode())
    document = parse(text, os.environ)
    async with opened(settings) as parts:
        async with parts.db.system() as tx:
            await apply(
                tx,
                Domains(
                    identity=parts.identity,
                    catalog=parts.catalog,
                    subscribers=parts.subscribers,
                    access=parts.access,
                    aaa=parts.aaa,
                ),
                document,
            )
        if kept.fno_token is None:
            kept = msgspec.structs.replace(
                kept,
                aex_token=await _token(parts, "vula", "aex"),
                other_isp_token=await _token(parts, "ligeiro", "aex"),
                fno_token=await _token(parts, "metro", "fno"),
            )
            secrets.save(folder / "secrets.json", kept)
        await cpes.tell_words(parts, kept)
    return kept


async def _token(parts: Parts, slug: str, api: str) -> str:
    async with parts.db.system() as tx:
        tenant = await parts.identity.tenant_named(tx, slug)
        clients = await parts.identity.clients(tx, tenant.id)
        [client] = [each for each in clients if each.api == api and each.name == "demo"]
        token, _ = await parts.identity.issue_token(tx, client, now=now())
    return token


async def _start_network(simulated: Lab, settings: Settings, kept: DemoSecrets) -> None:
    for name, address, vendor, coa_port in (
        ("bng-1", "127.0.0.2", "mikrotik", kept.coa_port_1),
        ("bng-2", "127.0.0.3", "huawei", kept.coa_port_2),
    ):
        await simulated.order(
            "nas",
            name=name,
            secret=kept.nas_secret,
            vendor=vendor,
            host=address,
            coa_port=coa_port,
            server=settings.radius_host,
            auth_port=settings.radius_auth_port,
            acct_port=settings.radius_acct_port,
        )
    await simulated.order(
        "olt",
        name="olt-1",
        host="127.0.0.1",
        port=kept.olt_port,
        community=kept.community,
        ports=_PONS,
    )


async def _sell(settings: Settings, kept: DemoSecrets) -> list[Subscriber]:
    """Have both ISPs sell to their customers."""
    numbers = range(1, settings.subscribers + 1)
    first = [number for number in numbers if is_first_isps(number)]
    second = [number for number in numbers if number not in set(first)]
    everybody: list[Subscriber] = []
    for token, wanted in ((kept.aex_token, first), (kept.other_isp_token, second)):
        async with Isp(settings.public_url, token or "", kept.fno_token or "") as isp:
            everybody += await isp.subscribers(wanted, _serial)
    return everybody


def _serial(number: int) -> str:
    return f"HWTC{0x5EED0000 + number:08X}"


async def _start_subscribers(simulated: Lab, everybody: list[Subscriber]) -> None:
    for each in everybody:
        await simulated.order(
            "onu",
            olt="olt-1",
            serial=each.serial,
            port=each.number % _PONS,
            distance_m=400 + each.number * 53 % 9000,
        )
        await simulated.order(
            "subscriber",
            nas="bng-1" if each.number % 2 else "bng-2",
            username=each.username,
            password=each.password,
            station=f"02-00-5E-00-{each.number >> 8 & 255:02X}-{each.number & 255:02X}",
            protocol="pap" if each.number % 3 else "chap",
        )


def _handed_out(settings: Settings, kept: DemoSecrets, sample: Subscriber) -> dict[str, Any]:
    return {
        "http": settings.public_url,
        "https": secure_url(settings),
        "radius": {
            "host": settings.radius_host,
            "auth_port": settings.radius_auth_port,
            "acct_port": settings.radius_acct_port,
            "secret": kept.workbench_secret,
        },
        "aex": {
            "token": kept.aex_token,
            "other_isp_token": kept.other_isp_token,
            "fno_token": kept.fno_token,
        },
        "cwmp": {"url": cpes.acs_url(settings)},
        "admin": {"email": secrets.ADMIN_EMAIL, "password": kept.admin_password},
        "sample": {
            "customer_id": sample.customer_id,
            "service_id": sample.service_id,
            "product_id": sample.product_id,
            "premise_id": sample.premise_id,
            "pppoe_username": sample.username,
            "pppoe_password": sample.password,
            "cpe_mac": cpes.mac_of(sample.number),
        },
    }
