"""What Demarc says about itself: logs without secrets, and counters."""

from typing import TYPE_CHECKING

from demarc.platform.telemetry.counters import count, snapshot
from demarc.platform.telemetry.logs import configure, context, get_logger

if TYPE_CHECKING:  # settings are shown without secrets, for which they need this package
    from demarc.platform.settings import Settings


def configure_logs(settings: "Settings", role: str) -> None:
    """Set logging up as the settings say.

    Args:
        settings: log_format, log_level and node are read.
        role: what this process is ("web", "radius", "worker"), shown in every line.
    """
    configure(settings.log_format, settings.log_level, role=role, node=settings.node)


__all__ = ["configure_logs", "context", "count", "get_logger", "snapshot"]
