"""FreeRADIUS's tables as the command line names them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from demarc.domains.errors import Invalid
from demarc.imports import values
from demarc.imports.entry import Refused
from demarc.imports.files import ENCODINGS
from demarc.imports.freeradius.login import Wishes
from demarc.imports.freeradius.source import PARTS, Bring, FreeRadius
from demarc.imports.freeradius.tables import KNOWN, Csv, Dump, Live, Several, Tables

_KEPT = timedelta(days=396)


class Wanted(msgspec.Struct, frozen=True):
    """What the flags say, as it was typed."""

    only: Sequence[str]
    default_speed: str | None
    product_prefix: str
    premise_address: str
    history_since: str | None
    zone: str | None


def tables_of(sources: Sequence[str], encoding: str) -> tuple[Tables, list[str]]:
    """Give where the tables are, and the names of that for the record.

    Raises:
        Invalid: a source is none, or says a password.
        OSError: a file cannot be read.
    """
    if encoding not in ENCODINGS:
        raise Invalid("--encoding", f"is one of {', '.join(ENCODINGS)}")
    parts: list[Tables] = []
    tables: list[Path] = []
    names = []
    for source in sources:
        if source.startswith(("postgresql://", "postgres://")):
            parts.append(Live(_without_password(source)))
            names.append(source)
            continue
        path = Path(source)
        if path.is_dir():
            raise Invalid(source, "is a folder; name its files")
        names.append(path.name)
        if path.name.removesuffix(".gz").endswith(".csv"):
            if path.name.partition(".")[0].lower() not in KNOWN:
                raise Invalid(source, f"is named after no table; {', '.join(sorted(KNOWN))} are")
            tables.append(path)
        else:
            parts.append(Dump(path, encoding))
    if tables:
        parts.append(Csv(tables, encoding))
    return (parts[0] if len(parts) == 1 else Several(parts)), names


def _without_password(url: str) -> str:
    try:
        password = urlsplit(url).password
    except ValueError:
        raise Invalid("SOURCE", "is a URL that cannot be read") from None
    if password:
        raise Invalid(
            "SOURCE",
            "says a password, which others on this machine can see; set PGPASSWORD, or put it"
            " into ~/.pgpass",
        )
    return url


def reader_of(tables: Tables, wanted: Wanted, zone: str, realms: frozenset[str]) -> FreeRadius:
    """Give the source of lines.

    Raises:
        Invalid: a flag has a value that cannot be taken.
    """
    for part in wanted.only:
        if part not in PARTS:
            raise Invalid("--only", f"{part} is none of {', '.join(PARTS)}")
    try:
        of_tables = ZoneInfo(wanted.zone or zone)
    except (KeyError, ValueError, OSError):
        raise Invalid("--timezone", f"{wanted.zone} is not known") from None
    since = datetime.now(UTC) - _KEPT
    download = upload = None
    try:
        if wanted.history_since is not None:
            since = values.moment("--history-since", wanted.history_since, of_tables)
        if wanted.default_speed is not None:
            down, _, up = wanted.default_speed.partition("/")
            download = values.speed("--default-speed", down)
            upload = values.speed("--default-speed", up or down)
    except Refused as refused:
        raise Invalid(refused.field or "", refused.reason) from None
    wishes = Wishes(
        zone=of_tables,
        realms=realms,
        address=wanted.premise_address,
        download_bps=download,
        upload_bps=upload,
        prefix=wanted.product_prefix,
    )
    return FreeRadius(tables, wishes, Bring(frozenset(wanted.only or PARTS), since))


__all__ = ["Wanted", "reader_of", "tables_of"]
