"""One command, several processes: a parent that holds the sockets, and children that serve them."""

from demarc.platform.processes.child import Child
from demarc.platform.processes.keeper import ChildFailed, ChildStatus, Patience
from demarc.platform.processes.notify import Systemd
from demarc.platform.processes.parent import Parent
from demarc.platform.processes.process import Role
from demarc.platform.processes.sockets import tcp, udp

__all__ = [
    "Child",
    "ChildFailed",
    "ChildStatus",
    "Parent",
    "Patience",
    "Role",
    "Systemd",
    "tcp",
    "udp",
]
