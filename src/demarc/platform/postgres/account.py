"""As whom the server runs: never as root, which PostgreSQL refuses."""

import os
import pwd
import subprocess
from pathlib import Path

import msgspec

from demarc.platform.postgres.errors import NotOurs, ServerProblem

# Debian's own user for this purpose, else the one that owns nothing.
_UNPRIVILEGED = ("postgres", "nobody")


class Account(msgspec.Struct, frozen=True):
    """A user of the operating system.

    Attributes:
        name: as in the system's list of users.
        uid: its number.
        gid: its first group's number.
    """

    name: str
    uid: int
    gid: int

    @property
    def is_current(self) -> bool:
        """Whether this process is this user, so that nothing is to be given up or handed over."""
        return self.uid == os.geteuid()

    def own(self, path: Path) -> None:
        """Hand a file or folder of ours to this user; a link is never followed."""
        if not self.is_current:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def reaches(self, folder: Path) -> bool:
        """Tell whether this user can enter a folder, through all those above it."""
        # Asked of the kernel as that user, because rights may also come from access lists.
        return self._succeeds(["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)])

    def runs(self, program: Path) -> bool:
        """Tell whether this user can run a program."""
        return self._succeeds([str(program), "--version"])

    def barrier(self, folder: Path) -> Path:
        """Give the outermost folder on the way to this one that this user cannot enter."""
        way = [*reversed(folder.parents), folder]
        return next((step for step in way if not self.reaches(step)), folder)

    def _succeeds(self, command: list[str]) -> bool:
        foreign = not self.is_current
        try:
            done = subprocess.run(  # noqa: S603 - our own words
                command,
                cwd="/",
                user=self.uid if foreign else None,
                group=self.gid if foreign else None,
                extra_groups=[] if foreign else None,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=20,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0


def current() -> Account:
    """Give the user this process runs as.

    Raises:
        ServerProblem: it has a number only. Peer authentication goes by names.
    """
    return _named(os.geteuid())


def choose(cluster: Path) -> Account:
    """Give the user to run the server of this data folder.

    That is this process's own, unless it is root: then the one the data belong to already, or for
    new data the first unprivileged one there is.

    Raises:
        NotOurs: the data are there and belong to somebody else.
        ServerProblem: no fitting user exists.
    """
    owner = _owner(cluster)
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise NotOurs(
                f"{cluster} belongs to user {_label(owner)}, this process runs as"
                f" {_label(os.geteuid())}: start it as that user, or hand the folder over"
            )
        return current()
    if owner == 0:
        raise NotOurs(
            f"{cluster} belongs to root, as whom PostgreSQL does not run: hand the folder to the"
            " user who is to run it (chown -R)"
        )
    if owner is not None:
        return _named(owner)
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise ServerProblem(
        f"PostgreSQL does not run as root, and none of the users {', '.join(_UNPRIVILEGED)}"
        " exists: add one, or start Demarc as another user"
    )


def _owner(folder: Path) -> int | None:
    try:
        return folder.stat(follow_symlinks=False).st_uid
    except FileNotFoundError:
        return None


def _named(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise ServerProblem(
            f"user number {uid} has no name (no entry in /etc/passwd), and the private PostgreSQL"
            " lets people in by name: add an entry, or give a server by DEMARC_DATABASE_URL"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _label(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid).pw_name if uid is not None else "nobody at all"
    except KeyError:
        return str(uid)
