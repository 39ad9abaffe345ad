"""Settings: what may be decided about a process from outside, and how it is said.

A flag of the command line beats a variable of the environment (`DEMARC_HTTP_PORT`), which beats
the default. A variable that looks like ours and is not is an error, since it is most likely a
misspelling that would otherwise go unnoticed. `DEMARC_TEST_*` belongs to the test suite.
"""

import platform
import typing
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from demarc.platform import settings_values as values
from demarc.platform.settings_values import Kind
from demarc.platform.telemetry.redaction import MASK, is_secret_name

PREFIX: Final = "DEMARC_"
_OF_TESTS: Final = "DEMARC_TEST_"

ROLES: Final = ("web", "acs", "radius", "worker")
"""What a machine can do for the others, in the order it is shown."""

_WORKED_OUT: Final = Path()
_RADSEC_PORT: Final = 2083
_ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - replaced
_NODE: Final = platform.node().partition(".")[0] or "localhost"


class SettingError(Exception):
    """A setting is unknown or cannot have this value. The text names it.

    Attributes:
        name: the variable or flag as it was given.
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


class Setting(msgspec.Struct, frozen=True):
    """What a setting is, and how its text is read.

    Attributes:
        meaning: one sentence for a reader of `--help`.
        kind: reads its text.
        default: how the default is shown where it is worked out.
        secret: never shown, not even in an error.
    """

    meaning: str
    kind: Kind
    default: str | None = None
    secret: bool = False


class Described(msgspec.Struct, frozen=True):
    """A setting as the help and the documentation show it.

    Attributes:
        name: of the field; the flag is `--http-port` for `http_port`.
        variable: of the environment.
        default: as text; empty where there is none.
        expected: what a value must be.
        meaning: what it decides.
    """

    name: str
    variable: str
    default: str
    expected: str
    meaning: str


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of a process; each says what it means beside its type."""

    http_host: Annotated[
        str, Setting("Address the APIs and the console listen on.", values.HOST)
    ] = "127.0.0.1"
    http_port: Annotated[
        int,
        Setting("TCP port the APIs and the console listen on; 0 takes a free one.", values.PORT),
    ] = 8080
    https_port: Annotated[
        int | None,
        Setting(
            "TCP port for HTTPS beside the one for HTTP, which is HTTPS itself if this is left out "
            "and a certificate is given; 0 takes a free one.",
            values.PORT,
        ),
    ] = None
    tls_cert: Annotated[
        Path | None,
        Setting("File with the certificate for HTTPS and those above it, PEM.", values.PATH),
    ] = None
    tls_key: Annotated[
        Path | None, Setting("File with the certificate's private key, PEM.", values.PATH)
    ] = None
    hsts_max_age: Annotated[
        int,
        Setting(
            "Seconds for which browsers are told to come by HTTPS alone; 0 does not tell them.",
            values.whole(0, 63_072_000),
        ),
    ] = 0
    trusted_proxies: Annotated[
        tuple[str, ...],
        Setting(
            "Networks whose X-Forwarded-For and X-Forwarded-Proto are believed.",
            values.NETWORKS,
        ),
    ] = ()
    public_url: Annotated[
        str,
        Setting(
            "URL under which clients reach the APIs, for links in answers.",
            values.URL,
            default="http://<http_host>:<http_port>",
        ),
    ] = ""
    web_processes: Annotated[int, Setting("Processes that answer HTTP.", values.whole(1, 64))] = 1
    radius_host: Annotated[str, Setting("Address RADIUS listens on.", values.HOST)] = "127.0.0.1"
    radius_auth_port: Annotated[
        int, Setting("UDP port for Access-Request; 0 takes a free one.", values.PORT)
    ] = 1812
    radius_acct_port: Annotated[
        int, Setting("UDP port for Accounting-Request; 0 takes a free one.", values.PORT)
    ] = 1813
    metrics_host: Annotated[
        str, Setting("Address metrics for Prometheus are read from.", values.HOST)
    ] = "127.0.0.1"
    metrics_port: Annotated[
        int | None,
        Setting(
            "TCP port metrics for Prometheus are read from; none if left out, 0 takes a free one.",
            values.PORT,
        ),
    ] = None
    eap_cert: Annotated[
        Path | None,
        Setting(
            "File with the certificate stations are shown by EAP-TTLS and PEAP, and those above "
            "it, PEM; without it these methods are not offered.",
            values.PATH,
        ),
    ] = None
    eap_key: Annotated[
        Path | None, Setting("File with that certificate's private key, PEM.", values.PATH)
    ] = None
    cwmp_host: Annotated[str, Setting("Address CPEs reach the ACS at.", values.HOST)] = "127.0.0.1"
    cwmp_port: Annotated[
        int | None,
        Setting(
            "TCP port on which CPEs reach the ACS, 7547 by custom; 0 takes a free one.",
            values.PORT,
            default="no ACS",
        ),
    ] = None
    cwmp_https_port: Annotated[
        int | None,
        Setting(
            "TCP port on which CPEs reach the ACS by HTTPS while <cwmp_port> speaks HTTP; 0 takes "
            "a free one.",
            values.PORT,
            default="none: with a certificate <cwmp_port> speaks HTTPS",
        ),
    ] = None
    cwmp_networks: Annotated[
        tuple[str, ...],
        Setting(
            "Networks in which CPEs are called by connection requests; none is called elsewhere.",
            values.NETWORKS,
        ),
    ] = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
    radsec_port: Annotated[
        int | None,
        Setting(
            "TCP port for RADIUS over TLS; 0 takes a free one.",
            values.PORT,
            default="2083 where a certificate for it is given, else none",
        ),
    ] = None
    radsec_cert: Annotated[
        Path | None,
        Setting(
            "File with our certificate for RADIUS over TLS, towards clients and home servers, and "
            "those above it, PEM.",
            values.PATH,
        ),
    ] = None
    radsec_key: Annotated[
        Path | None, Setting("File with that certificate's private key, PEM.", values.PATH)
    ] = None
    radsec_ca: Annotated[
        Path | None,
        Setting(
            "File with the authorities that clients' and home servers' certificates are from, PEM; "
            "no others are trusted.",
            values.PATH,
        ),
    ] = None
    credential_cache_size: Annotated[
        int,
        Setting("Credentials a RADIUS process keeps in memory.", values.whole(1, 10_000_000)),
    ] = 100_000
    credential_cache_max_age: Annotated[
        int,
        Setting(
            "Seconds after which a credential in memory is read again, even if no change to it "
            "was announced.",
            values.whole(1, 3600),
        ),
    ] = 30
    olt_poll_interval: Annotated[
        int, Setting("Seconds between two polls of an OLT.", values.whole(5, 86_400))
    ] = 300
    data: Annotated[
        Path, Setting("Folder for the private database, the keys and what is written.", values.PATH)
    ] = Path("data")
    database_url: Annotated[
        str | None,
        Setting(
            "PostgreSQL to use, as a URL or libpq connection string.",
            values.DATABASE,
            default="a private server under <data>",
            secret=True,
        ),
    ] = None
    pg_bin: Annotated[
        Path | None,
        Setting(
            "Folder with the programs of PostgreSQL for the private server.",
            values.PATH,
            default="those installed with Demarc, else the system's",
        ),
    ] = None
    key_file: Annotated[
        Path,
        Setting(
            "File with the keys that stored secrets are encrypted with.",
            values.PATH,
            default="<data>/keys.toml",
        ),
    ] = _WORKED_OUT
    accounting_spool: Annotated[
        Path,
        Setting(
            "Folder where RADIUS accounting is kept, and acknowledged, while the database is away; "
            "each node needs its own, on a disk that keeps what is synced.",
            values.PATH,
            default="<data>/spool",
        ),
    ] = _WORKED_OUT
    accounting_spool_size: Annotated[
        int,
        Setting(
            "Size of that spool at most, MiB: about 3,000 packets each. 0 keeps none there.",
            values.whole(0, 1_048_576),
        ),
    ] = 256
    log_format: Annotated[
        Literal["json", "console", "auto"],
        Setting(
            "How log lines look; auto is a console on a terminal and JSON elsewhere.",
            values.one_of("json", "console", "auto"),
        ),
    ] = "auto"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Setting(
            "The least severe log lines that are written.",
            values.one_of("debug", "info", "warning", "error"),
        ),
    ] = "info"
    node: Annotated[
        str,
        Setting(
            "Name of this machine, in logs and beside the jobs it takes.",
            values.NAME,
            default="the host's name",
        ),
    ] = _NODE
    roles: Annotated[
        tuple[str, ...],
        Setting(
            "What this machine does: web answers the APIs, acs speaks with CPEs, radius answers "
            "NASes, worker runs jobs and polls.",
            values.some_of(*ROLES),
        ),
    ] = ROLES
    reach: Annotated[
        tuple[str, ...],
        Setting(
            "Reaches this machine serves: it polls and commands the devices of these.",
            values.NAMES,
        ),
    ] = ("default",)
    subscribers: Annotated[
        int, Setting("Subscribers the demo brings up.", values.whole(1, 100_000))
    ] = 50

    @classmethod
    def load(cls, environ: Mapping[str, str], **flags: object) -> Self:
        """Put the settings together.

        Args:
            environ: the environment; an empty variable counts as not set.
            **flags: settings by field name, as text or as their type; None counts as not given.

        Raises:
            SettingError: a variable or flag is unknown, a value is not what is expected, or two
                values do not go together.
        """
        known = _SETTINGS
        chosen: dict[str, Any] = {}
        for variable in _ours(environ):
            name = variable.removeprefix(PREFIX).lower()
            if name not in known or variable != variable_of(name):
                raise _unknown(variable, map(variable_of, known))
            if environ[variable].strip():
                chosen[name] = _read(variable, known[name], environ[variable])
        for name, value in flags.items():
            if name not in known:
                raise _unknown(flag_of(name), map(flag_of, known))
            if value is not None:
                chosen[name] = _read(flag_of(name), known[name], _text(value))
        settings = cls(**chosen)
        settings._check()
        return settings

    def __post_init__(self) -> None:
        """Work out what follows from other settings."""
        if self.key_file == _WORKED_OUT:
            msgspec.structs.force_setattr(self, "key_file", self.data / "keys.toml")
        if self.accounting_spool == _WORKED_OUT:
            msgspec.structs.force_setattr(self, "accounting_spool", self.data / "spool")
        if self.radsec_port is None and self.radsec_cert is not None:
            msgspec.structs.force_setattr(self, "radsec_port", _RADSEC_PORT)
        if not self.public_url:
            msgspec.structs.force_setattr(self, "public_url", self._own_url)

    @property
    def _own_url(self) -> str:
        # no client can reach "any address"
        host = _ANY_ADDRESS.get(self.http_host, self.http_host)
        host = f"[{host}]" if ":" in host else host
        scheme = "https" if self.tls_cert is not None and self.https_port is None else "http"
        return f"{scheme}://{host}:{self.http_port}"

    @property
    def given_url(self) -> str | None:
        """The public URL where it was said; None where it is but made of host and port."""
        return None if self.public_url == self._own_url else self.public_url

    def to_json(self) -> str:
        """Give all settings, the secret ones too, for a child process to read with `from_json`."""
        return msgspec.json.encode(self, enc_hook=str).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` gave.

        Raises:
            msgspec.ValidationError: it is something else.
        """
        return msgspec.json.decode(text, type=cls, dec_hook=lambda kind, value: kind(value))

    def _check(self) -> None:
        if self.radius_auth_port and self.radius_auth_port == self.radius_acct_port:
            raise SettingError(
                variable_of("radius_acct_port"),
                f"{variable_of('radius_auth_port')} and {variable_of('radius_acct_port')} are both "
                f"{self.radius_auth_port}: authentication and accounting need a port each",
            )
        if (self.tls_cert is None) != (self.tls_key is None):
            given, lacking = ("tls_cert", "tls_key") if self.tls_cert else ("tls_key", "tls_cert")
            raise SettingError(
                variable_of(lacking),
                f"{variable_of(given)} needs {variable_of(lacking)}: HTTPS takes both files",
            )
        if (self.eap_cert is None) != (self.eap_key is None):
            given, lacking = ("eap_cert", "eap_key") if self.eap_cert else ("eap_key", "eap_cert")
            raise SettingError(
                variable_of(lacking),
                f"{variable_of(given)} needs {variable_of(lacking)}: EAP takes both files",
            )
        radsec = ("radsec_cert", "radsec_key", "radsec_ca")
        missing = [name for name in radsec if getattr(self, name) is None]
        if missing and (len(missing) < len(radsec) or self.radsec_port is not None):
            raise SettingError(
                variable_of(missing[0]),
                f"RADIUS over TLS needs {', '.join(map(variable_of, radsec))}: "
                f"{variable_of(missing[0])} is missing",
            )
        if self.https_port and self.https_port == self.http_port:
            raise SettingError(
                variable_of("https_port"),
                f"{variable_of('http_port')} and {variable_of('https_port')} are both "
                f"{self.https_port}: leave out {variable_of('https_port')} for HTTPS alone",
            )
        if self.cwmp_https_port is not None and None in {self.cwmp_port, self.tls_cert}:
            lacking = "cwmp_port" if self.cwmp_port is None else "tls_cert"
            raise SettingError(
                variable_of("cwmp_https_port"),
                f"{variable_of('cwmp_https_port')} needs {variable_of(lacking)}",
            )
        wanted = set(ROLES) if self.cwmp_port is not None else set(ROLES) - {"acs"}
        if not wanted <= set(self.roles) and self.database_url is None:
            raise SettingError(
                variable_of("roles"),
                f"{variable_of('roles')} needs {variable_of('database_url')}: without it the "
                "database is this machine's alone, and nobody else could do the rest",
            )

    def _items(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in self.__struct_fields__]

    def _shown(self) -> list[tuple[str, Any]]:
        return [
            (name, _without_password(value) if _SETTINGS[name].secret and value else value)
            for name, value in self._items()
        ]

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in self._shown())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return self._shown()


def describe() -> list[Described]:
    """Give all settings as the help shows them, in the order of the fields."""
    settings = Settings()
    found = []
    for name, setting in _SETTINGS.items():
        value = getattr(settings, name)
        default = setting.default
        if default is None:
            default = "" if value is None else _text(value)
        found.append(
            Described(name, variable_of(name), default, setting.kind.expected, setting.meaning)
        )
    return found


def variable_of(name: str) -> str:
    """Give the variable of the environment for a field: `DEMARC_HTTP_PORT` for `http_port`."""
    return PREFIX + name.upper()


def flag_of(name: str) -> str:
    """Give the flag of the command line for a field: `--http-port` for `http_port`."""
    return "--" + name.replace("_", "-")


def _of_fields() -> dict[str, Setting]:
    hints = typing.get_type_hints(Settings, include_extras=True)
    return {name: hints[name].__metadata__[0] for name in Settings.__struct_fields__}


_SETTINGS: Final = _of_fields()


def _ours(environ: Mapping[str, str]) -> list[str]:
    return sorted(
        name for name in environ if name.startswith(PREFIX) and not name.startswith(_OF_TESTS)
    )


def _unknown(name: str, known: Iterable[str]) -> SettingError:
    near = get_close_matches(name, list(known), n=1, cutoff=0.75)
    hint = f"; did you mean {near[0]}?" if near else ""
    return SettingError(name, f"{name} is not a setting{hint}")


def _read(name: str, setting: Setting, text: str) -> Any:
    try:
        return setting.kind.read(text.strip())
    except ValueError:
        given = "its value" if setting.secret else repr(text)
        # without the cause, which could show the value
        raise SettingError(name, f"{name}: {given} is not {setting.kind.expected}") from None


def _text(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    return str(value)


def _without_password(conninfo: str) -> str:
    try:
        parts = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError:
        return MASK
    return make_conninfo(
        "", **{name: MASK if is_secret_name(name) else part for name, part in parts.items()}
    )


__all__ = [
    "PREFIX",
    "ROLES",
    "Described",
    "SettingError",
    "Settings",
    "describe",
    "flag_of",
    "variable_of",
]
