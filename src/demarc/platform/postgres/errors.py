"""Why the private server does not run, each in words an operator can act on."""


class ServerProblem(Exception):
    """The private server cannot be had; the message says why and what mends it."""


class BinariesMissing(ServerProblem):
    """There is no PostgreSQL on this machine that could be run."""


class VersionMismatch(ServerProblem):
    """The data were written by another major version of PostgreSQL."""


class Unreachable(ServerProblem):
    """The user the server runs as cannot get to a folder."""


class NotOurs(ServerProblem):
    """A folder or its content belongs to somebody else, and is left alone."""


class AlreadyRunning(ServerProblem):
    """Another process of ours runs a server on this folder."""


class NotRunning(ServerProblem):
    """No server is running on this folder."""


class StartFailed(ServerProblem):
    """PostgreSQL ended, or was not ready in time; the message has its last words."""
