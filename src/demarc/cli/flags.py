"""Flags of the command line that are settings, known without loading the platform.

A test holds these texts to those of `demarc.platform.settings`, whose import would take longer
than showing help may.
"""

import inspect
from collections.abc import Iterable, Mapping
from typing import Annotated, Final

import typer

SETTINGS: Final[Mapping[str, str]] = {
    "http_host": "Address the APIs and the console listen on.",
    "http_port": "TCP port the APIs and the console listen on; 0 takes a free one.",
    "https_port": (
        "TCP port for HTTPS beside the one for HTTP, which is HTTPS itself if this is left out "
        "and a certificate is given; 0 takes a free one."
    ),
    "tls_cert": "File with the certificate for HTTPS and those above it, PEM.",
    "tls_key": "File with the certificate's private key, PEM.",
    "hsts_max_age": (
        "Seconds for which browsers are told to come by HTTPS alone; 0 does not tell them."
    ),
    "trusted_proxies": "Networks whose X-Forwarded-For and X-Forwarded-Proto are believed.",
    "public_url": "URL under which clients reach the APIs, for links in answers.",
    "web_processes": "Processes that answer HTTP.",
    "radius_host": "Address RADIUS listens on.",
    "radius_auth_port": "UDP port for Access-Request; 0 takes a free one.",
    "radius_acct_port": "UDP port for Accounting-Request; 0 takes a free one.",
    "metrics_host": "Address metrics for Prometheus are read from.",
    "metrics_port": (
        "TCP port metrics for Prometheus are read from; none if left out, 0 takes a free one."
    ),
    "eap_cert": (
        "File with the certificate stations are shown by EAP-TTLS and PEAP, and those above it,"
        " PEM; without it these methods are not offered."
    ),
    "eap_key": "File with that certificate's private key, PEM.",
    "cwmp_host": "Address CPEs reach the ACS at.",
    "cwmp_port": "TCP port on which CPEs reach the ACS, 7547 by custom; 0 takes a free one.",
    "cwmp_https_port": (
        "TCP port on which CPEs reach the ACS by HTTPS while <cwmp_port> speaks HTTP; 0 takes "
        "a free one."
    ),
    "cwmp_networks": (
        "Networks in which CPEs are called by connection requests; none is called elsewhere."
    ),
    "radsec_port": "TCP port for RADIUS over TLS; 0 takes a free one.",
    "radsec_cert": (
        "File with our certificate for RADIUS over TLS, towards clients and home servers, and "
        "those above it, PEM."
    ),
    "radsec_key": "File with that certificate's private key, PEM.",
    "radsec_ca": (
        "File with the authorities that clients' and home servers' certificates are from, PEM; "
        "no others are trusted."
    ),
    "credential_cache_size": "Credentials a RADIUS process keeps in memory.",
    "credential_cache_max_age": (
        "Seconds after which a credential in memory is read again, even if no change to it "
        "was announced."
    ),
    "olt_poll_interval": "Seconds between two polls of an OLT.",
    "data": "Folder for the private database, the keys and what is written.",
    "database_url": "PostgreSQL to use, as a URL or libpq connection string.",
    "pg_bin": "Folder with the programs of PostgreSQL for the private server.",
    "key_file": "File with the keys that stored secrets are encrypted with.",
    "accounting_spool": (
        "Folder where RADIUS accounting is kept, and acknowledged, while the database is away; "
        "each node needs its own, on a disk that keeps what is synced."
    ),
    "accounting_spool_size": (
        "Size of that spool at most, MiB: about 3,000 packets each. 0 keeps none there."
    ),
    "log_format": "How log lines look; auto is a console on a terminal and JSON elsewhere.",
    "log_level": "The least severe log lines that are written.",
    "node": "Name of this machine, in logs and beside the jobs it takes.",
    "roles": (
        "What this machine does: web answers the APIs, acs speaks with CPEs, radius answers "
        "NASes, worker runs jobs and polls."
    ),
    "reach": "Reaches this machine serves: it polls and commands the devices of these.",
    "subscribers": "Subscribers the demo brings up.",
}
"""What each setting decides, by the name of its field."""

#: where the database and the keys are: of use with every command
COMMON: Final = ("data", "database_url", "key_file", "pg_bin")
#: what a server is started with
SERVER: Final = tuple(name for name in SETTINGS if name != "subscribers")
#: what the demo is started with
DEMO: Final = tuple(SETTINGS)


def parameters(names: Iterable[str]) -> list[inspect.Parameter]:
    """Give the parameters of a command for these settings; all are text and may be left out."""
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None,
                typer.Option(
                    "--" + name.replace("_", "-"),
                    help=f"{SETTINGS[name]} [DEMARC_{name.upper()}]",
                    metavar=_METAVARS.get(name, "TEXT"),
                    show_default=False,
                ),
            ],
        )
        for name in names
    ]


_METAVARS = {
    "data": "FOLDER",
    "pg_bin": "FOLDER",
    "key_file": "FILE",
    "tls_cert": "FILE",
    "tls_key": "FILE",
    "http_port": "PORT",
    "https_port": "PORT",
    "metrics_port": "PORT",
    "radius_auth_port": "PORT",
    "radius_acct_port": "PORT",
    "radsec_cert": "FILE",
    "radsec_key": "FILE",
    "radsec_ca": "FILE",
    "eap_cert": "FILE",
    "eap_key": "FILE",
    "cwmp_host": "HOST",
    "cwmp_port": "PORT",
    "cwmp_https_port": "PORT",
    "cwmp_networks": "NETWORKS",
    "radsec_port": "PORT",
    "accounting_spool": "FOLDER",
    "subscribers": "N",
}

__all__ = ["COMMON", "DEMO", "SERVER", "SETTINGS", "parameters"]
