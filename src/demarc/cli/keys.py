"""Commands for the keys that stored secrets are encrypted with."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from demarc.cli.frame import command, group
from demarc.cli.secrets import FROM_ENVIRONMENT, secret

if TYPE_CHECKING:
    from demarc.cli.answers import Shown
    from demarc.platform.settings import Settings

keys = group(
    "keys",
    """Keys of all stored secrets: which there are, new ones, old ones away, copies.

\b
The key file stands apart from the database (DEMARC_KEY_FILE). A new key encrypts from then on;
the old ones go on decrypting until nothing is under them any more and they are retired. Where
several machines have copies of the file: keys add, copy it to all of them, keys use, copy it
again, keys rotate --resume.""",
)


class KeyShown(msgspec.Struct, frozen=True):
    """A key and how many values are under it; one that is missing from the file has no time."""

    id: str
    created_at: datetime | None
    current: bool
    values: int
    columns: dict[str, int]


@command(keys, "list")
async def list_keys(settings: "Settings") -> list[KeyShown]:
    """List the keys, and what is encrypted with each.

    Examples:
        demarc keys list
    """
    from demarc.app import rotation
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        used = await rotation.uses(desk.parts.db)
        ring = desk.parts.keys
        return [
            KeyShown(
                id=key_id,
                created_at=ring.created.get(key_id),
                current=key_id == ring.current,
                values=sum(used.get(key_id, {}).values()),
                columns=used.get(key_id, {}),
            )
            for key_id in dict.fromkeys([*ring.created, *used])
        ]


@command(keys, "rotate")
async def rotate(
    settings: "Settings",
    *,
    resume: Annotated[
        bool, typer.Option("--resume", help="Make no new key; go on with what is under old ones.")
    ] = False,
) -> "Shown":
    """Make a new key, and encrypt every stored secret anew with it while everything runs.

    It can be interrupted: --resume goes on. The old key stays in the file until it is retired.

    Examples:
        demarc keys rotate
        demarc keys rotate --resume
    """
    from demarc.app import rotation
    from demarc.cli.answers import Shown
    from demarc.cli.backup import progress_shown
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        db, ring = desk.parts.db, desk.parts.keys
        if not resume:
            await rotation.begin(db, ring, desk.actor)
        done = await rotation.reencrypt(db, ring, desk.actor, progress_shown())
    lines = [f"{sum(done.reencrypted.values())} secrets are under key {done.current} now"]
    lines += [
        f"{number} in {column} cannot be read: their keys are not in the key file"
        for column, number in done.unreadable.items()
    ]
    return Shown(done, "\n".join(lines), 1 if done.unreadable else 0)


@command(keys, "add")
async def add_key(settings: "Settings") -> KeyShown:
    """Add a key without using it yet, for machines that hold copies of the file.

    Examples:
        demarc keys add
    """
    from demarc.app import rotation
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        ring = desk.parts.keys
        made = await rotation.add(desk.parts.db, ring, desk.actor)
        return KeyShown(made, ring.created[made], current=False, values=0, columns={})


@command(keys, "use")
async def use_key(
    settings: "Settings",
    *,
    key: Annotated[str, typer.Argument(metavar="ID", help="Its id in `demarc keys list`.")],
) -> None:
    """Encrypt with this key from now on; then: demarc keys rotate --resume.

    Examples:
        demarc keys use 9f31c2aa
    """
    from demarc.app import rotation
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        await rotation.use(desk.parts.db, desk.parts.keys, key, desk.actor)


@command(keys, "retire")
async def retire(
    settings: "Settings",
    *,
    key: Annotated[str, typer.Argument(metavar="ID", help="Its id in `demarc keys list`.")],
) -> "Shown":
    """Take a key out of the key file; refused while anything is encrypted with it.

    Backups made before it was rotated out need it still: keep an export of it with them.

    Examples:
        demarc keys retire 9f31c2aa
    """
    from demarc.app import rotation
    from demarc.cli.answers import Shown
    from demarc.cli.desk import opened

    async with opened(settings) as desk:
        await rotation.retire(
            desk.parts.db,
            desk.parts.keys,
            key,
            desk.actor,
            # read again at the latest then, and kept as long again through an outage
            quiet_for=2.0 * settings.credential_cache_max_age,
            changed_at=settings.key_file.stat().st_mtime,
        )
    said = f"key {key} is retired; backups from before its rotation can be restored with it alone"
    return Shown({"retired": key}, said)


@command(keys, "export")
def export(
    settings: "Settings",
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A new file.")],
    password_env: FROM_ENVIRONMENT = None,
) -> "Shown":
    """Write the keys into a file that a passphrase opens, to be kept apart from the backups.

    Examples:
        demarc keys export /mnt/safe/demarc-keys.json
    """
    from pathlib import Path

    from demarc.cli.answers import Shown
    from demarc.platform.secrets import exported

    passphrase = secret("Passphrase", password_env)
    ids = exported.write(Path(file), settings.key_file, passphrase)
    return Shown({"file": file, "keys": ids}, f"{file}: key(s) {', '.join(ids)}")


@command(keys, "import")
def put_back(
    settings: "Settings",
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="As `demarc keys export` wrote it.")],
    password_env: FROM_ENVIRONMENT = None,
) -> "Shown":
    """Make the key file of an export, where there is none yet.

    Examples:
        demarc keys import /mnt/safe/demarc-keys.json --data /var/lib/demarc
    """
    from pathlib import Path

    from demarc.cli.answers import Shown
    from demarc.platform.secrets import exported

    passphrase = secret("Passphrase", password_env)
    ids = exported.put_back(Path(file), settings.key_file, passphrase)
    return Shown(
        {"file": str(settings.key_file), "keys": ids},
        f"{settings.key_file}: key(s) {', '.join(ids)}",
    )


__all__ = ["keys"]
