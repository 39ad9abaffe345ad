"""One command, several processes: a parent that holds the sockets, and children that serve them."""

from demarc.platform.processes.child import Child
from demarc.platform.processes.parent import ChildFailed, ChildStatus, Parent, Role
from demarc.platform.processes.sockets import tcp, udp

__all__ = ["Child", "ChildFailed", "ChildStatus", "Parent", "Role", "tcp", "udp"]
