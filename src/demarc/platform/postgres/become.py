"""Becomes another program: as an unprivileged user, and tied to the life of who started it.

Run by itself, as ``python -I -S become.py PARENT UID GID SIGNAL PROGRAM [ARGUMENT ...]``. All this
happens here, in a fresh process with one thread, because doing it between fork and exec of a
process with threads may deadlock.

PARENT is the starter's process id, UID and GID are numbers or ``-`` to stay, SIGNAL is what the
program is sent when the starter's thread is gone, however it went (Linux; elsewhere an orphan
stays, and the next start ends it).
"""

import os
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


def _main(parent: int, uid: str, gid: str, number: int, program: list[str]) -> None:
    prctl = None
    if sys.platform == "linux":
        try:
            import ctypes

            # Loaded now: the unprivileged user may be unable to read Python's own files.
            prctl = ctypes.CDLL(None, use_errno=True).prctl
        except (ImportError, OSError, AttributeError):
            prctl = None
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    os.chdir("/")
    os.umask(0o077)
    if prctl is not None:
        # After the change of user, which would have cleared it.
        prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if os.getppid() != parent:  # it went before it could be watched
            sys.exit(1)
    os.execv(program[0], program)  # noqa: S606 - what this is for


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5:])
