"""Where the private server keeps its data, its configuration and its socket.

In a home of its own, which is the folder asked for. Started by root that is::

    home/                  root's, 0711: others may pass, not look
      cluster/             the server user's, 0700: the data
      log/                 the server user's, 0700
      socket/              the server user's, 0700, where the path is short enough
      postgresql.conf ...  root's: the server reads them and cannot change them
      lock  server.json    root's: who runs it, and how to connect

Started by anybody else, all of it is theirs and the home is 0700. Rights outside the home are
never changed. Where root asks for a folder below one that the server's user may not enter (a
checkout under /root is the usual case), the home is made in `REFUGE` instead, and the folder asked
for holds one file, ``elsewhere``, that names it.
"""

import os
import secrets
import shutil
import stat
import tempfile
from pathlib import Path

import msgspec

from demarc.platform.postgres.account import Account, choose
from demarc.platform.postgres.binaries import Binaries
from demarc.platform.postgres.configuration import PORT, Files
from demarc.platform.postgres.errors import NotOurs, ServerProblem, Unreachable

REFUGE = Path("/var/lib/demarc-postgres")
"""Where root's private servers live whose own folder their user cannot enter."""

# A socket's path may have 107 octets on Linux, 103 on the systems that have fewer.
_LONGEST = 103
_SOCKET = f".s.PGSQL.{PORT}"
_POINTER = "elsewhere"
_PASSABLE = 0o711
_PRIVATE = 0o700


class Home(msgspec.Struct, frozen=True):
    """The files of one private server."""

    root: Path

    @property
    def cluster(self) -> Path:
        """The data, as initdb makes them."""
        return self.root / "cluster"

    @property
    def log(self) -> Path:
        """What the server writes about itself, a file a day of the week."""
        return self.root / "log"

    @property
    def start_log(self) -> Path:
        """What initdb says, and the server before it has a log."""
        return self.root / "start.log"

    @property
    def lock(self) -> Path:
        """Held by the process that runs the server."""
        return self.root / "lock"

    @property
    def state(self) -> Path:
        """How to connect, while it runs."""
        return self.root / "server.json"

    @property
    def files(self) -> Files:
        """The server's configuration."""
        return Files(
            self.root / "postgresql.conf", self.root / "pg_hba.conf", self.root / "pg_ident.conf"
        )


def find(folder: Path) -> Home:
    """Give the home of a folder asked for, as it is now; nothing is made.

    Raises:
        NotOurs: the folder names a home that is gone, or that is not safe to trust.
    """
    folder = folder.absolute()
    pointer = folder / _POINTER
    try:
        named = Path(pointer.read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        return Home(folder)
    try:
        there = named.lstat()
    except FileNotFoundError:
        raise NotOurs(
            f"the data of {folder} are kept in {named}, which is gone: bring it back from a backup,"
            f" or remove {pointer} to begin anew"
        ) from None
    if not stat.S_ISDIR(there.st_mode) or there.st_uid not in (0, os.geteuid()):
        raise NotOurs(f"{pointer} names {named}, which is not a folder of root's")
    return Home(named)


def settle(folder: Path, refuge: Path = REFUGE) -> tuple[Home, Account]:
    """Make, or find again, the home for a folder, and choose the user to run the server.

    Args:
        folder: where the data are wanted; made where it is missing.
        refuge: where they are put instead if that user cannot come in there.

    Raises:
        NotOurs: something in the way belongs to somebody else.
        Unreachable: data that are there already are behind a folder that is now closed.
        ServerProblem: there is no user to run the server, or the folder cannot be made.
    """
    folder = folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ServerProblem(f"{folder} cannot be made: {error.strerror}") from error
    home = find(folder)
    account = choose(home.cluster)
    if not home.cluster.exists():
        _refuse_foreign(folder)
    _claim(home.root, account)
    if not account.is_current and not account.reaches(home.root):
        if home.cluster.exists() or home.root != folder:
            barrier = account.barrier(home.root)
            raise Unreachable(
                f"user {account.name}, who runs PostgreSQL, cannot enter {barrier} on the way to"
                f" its data in {home.root}: allow passing through (chmod o+x {barrier}), or move"
                " the data folder elsewhere"
            )
        home = Home(_take_refuge(folder, account, refuge))
    for private in (home.log,):
        private.mkdir(mode=_PRIVATE, exist_ok=True)
        account.own(private)
    return home, account


def _refuse_foreign(folder: Path) -> None:
    ours = {"cluster.new", "log", "socket", "lock", "server.json", "start.log"}
    ours |= {"postgresql.conf", "pg_hba.conf", "pg_ident.conf"}
    foreign = sorted(entry.name for entry in folder.iterdir() if entry.name not in ours)
    if foreign:
        what = "a PostgreSQL of its own" if "PG_VERSION" in foreign else f"{foreign[0]!r} in it"
        raise NotOurs(f"{folder} is not empty, it has {what}: choose a folder for Demarc alone")


def _claim(root: Path, account: Account) -> None:
    """See to the rights of the home itself."""
    there = root.stat()
    if os.geteuid() == 0:
        if there.st_uid == 0:
            root.chmod(_PASSABLE)
        elif there.st_uid != account.uid:
            os.chown(root, 0, 0)
            root.chmod(_PASSABLE)
    elif there.st_uid == os.geteuid():
        root.chmod(_PRIVATE)
    else:
        raise NotOurs(f"{root} belongs to another user")


def _take_refuge(folder: Path, account: Account, refuge: Path) -> Path:
    home = refuge / f"data-{secrets.token_hex(4)}"
    _open_refuge(refuge, account)
    home.mkdir(mode=_PASSABLE)
    home.chmod(_PASSABLE)
    (home / "belongs-to").write_text(f"{folder}\n", encoding="utf-8")
    replace(folder / _POINTER, f"{home}\n")
    return home


def _open_refuge(refuge: Path, account: Account) -> None:
    try:
        refuge.mkdir(mode=_PASSABLE, parents=True, exist_ok=True)
    except OSError as error:
        raise ServerProblem(f"{refuge} cannot be made: {error.strerror}") from error
    if not account.reaches(refuge):
        barrier = account.barrier(refuge)
        raise Unreachable(
            f"user {account.name}, who runs PostgreSQL, can neither enter the data folder nor"
            f" {barrier}: allow passing through one of them (chmod o+x)"
        )


def runnable(binaries: Binaries, account: Account, refuge: Path = REFUGE) -> Binaries:
    """Give the programs where the server's user can run them.

    Those that came as a wheel may lie in a virtual environment the user cannot enter; they are
    then copied to the refuge, once a version.

    Raises:
        Unreachable: others cannot be run by the user.
    """
    if account.is_current or account.runs(binaries.bin_dir / "postgres"):
        return binaries
    if not binaries.bundled:
        raise Unreachable(
            f"user {account.name}, who is to run PostgreSQL, cannot run the programs in"
            f" {binaries.bin_dir}: allow it, or name others by DEMARC_PG_BIN"
        )
    _open_refuge(refuge, account)
    made = (binaries.bin_dir / "postgres").stat()
    version = ".".join(map(str, binaries.version))
    copy = refuge / f"programs-{version}-{made.st_size:x}-{int(made.st_mtime):x}"
    prefix = binaries.bin_dir.parent
    package = prefix.parent
    within = Path(package.name, prefix.name)
    if not copy.exists():
        work = Path(tempfile.mkdtemp(prefix=".copy-", dir=refuge))
        for name in ("bin", "lib", "share"):
            shutil.copytree(prefix / name, work / within / name, symlinks=True)
        # Libraries that the wheel's builder put beside the package, and the programs look for there.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, work / libraries.name, symlinks=True)
        for step in (work, work / within.parts[0], work / within):
            step.chmod(0o755)
        try:
            work.rename(copy)
        except OSError:  # another start was faster
            shutil.rmtree(work)
    found = Binaries(copy / within / "bin", binaries.version)
    if not account.runs(found.bin_dir / "postgres"):
        raise Unreachable(
            f"user {account.name} cannot run the copy of PostgreSQL in {copy}: it may be on a disk"
            " mounted noexec; name other programs by DEMARC_PG_BIN"
        )
    return found


def socket_folder(home: Home, account: Account, last: Path | None) -> Path:
    """Give a private folder whose path is short enough for a socket.

    Args:
        home: the server's home, which has it if it can.
        account: the server's user, whose folder it will be.
        last: the one of the last start, which is kept if it is still there and right.

    Raises:
        NotOurs: the folder in the home belongs to somebody else.
        ServerProblem: there is no place for it.
    """
    own = home.root / "socket"
    if _fits(own):
        own.mkdir(mode=_PRIVATE, exist_ok=True)
        if not own.is_symlink():
            account.own(own)
        if not _private(own, account):
            raise NotOurs(f"{own} is not a private folder of user {account.name}")
        return own
    if last is not None and _fits(last) and _private(last, account):
        return last
    for place in _runtime_folders():
        try:
            made = Path(tempfile.mkdtemp(prefix="demarc-", dir=place))
        except OSError:
            continue
        account.own(made)
        if _fits(made) and (account.is_current or account.reaches(made)):
            return made
        made.rmdir()
    raise ServerProblem(
        f"{home.root} is too long a path for a socket, and no shorter folder can be made in /run or"
        " /tmp: move the data folder"
    )


def _runtime_folders() -> list[str]:
    places = ["/run"] if os.geteuid() == 0 else []
    if session := os.environ.get("XDG_RUNTIME_DIR"):
        places.append(session)
    return [*places, tempfile.gettempdir(), "/tmp"]  # noqa: S108 - mkdtemp makes it private


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / _SOCKET)) <= _LONGEST


def _private(folder: Path, account: Account) -> bool:
    try:
        there = folder.lstat()
    except FileNotFoundError:
        return False
    return (
        stat.S_ISDIR(there.st_mode)
        and there.st_uid == account.uid
        and stat.S_IMODE(there.st_mode) == _PRIVATE
    )


def replace(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a small file whole or not at all, following no link that lies in its place."""
    work = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(handle, mode)
        file.write(text)
    work.replace(path)
