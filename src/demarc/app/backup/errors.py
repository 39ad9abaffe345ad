"""Why a backup cannot be taken or restored, in words an operator can act on."""


class BackupProblem(Exception):
    """A backup cannot be taken, read or restored; the message says why."""


class Damaged(BackupProblem):
    """A backup is not as it was when it was taken."""


class NotEmpty(BackupProblem):
    """There is something already where a backup was to be restored."""
