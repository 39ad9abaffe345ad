"""A PostgreSQL server of our own, for where no server is given.

`locate` finds the programs, `PrivateServer` runs them: initialised once, listening on a socket in a
private folder, started again when it ends, never as root. `conninfo_of` tells others of this
machine how to reach it.
"""

from demarc.platform.postgres.binaries import Binaries, fitting, locate
from demarc.platform.postgres.errors import (
    AlreadyRunning,
    BinariesMissing,
    NotOurs,
    NotRunning,
    ServerProblem,
    StartFailed,
    Unreachable,
    VersionMismatch,
)
from demarc.platform.postgres.server import DATABASE, PrivateServer, conninfo_of

__all__ = [
    "DATABASE",
    "AlreadyRunning",
    "Binaries",
    "BinariesMissing",
    "NotOurs",
    "NotRunning",
    "PrivateServer",
    "ServerProblem",
    "StartFailed",
    "Unreachable",
    "VersionMismatch",
    "conninfo_of",
    "fitting",
    "locate",
]
