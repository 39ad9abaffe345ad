"""Logs: one event a line, with its context and without secrets.

Everything goes one way: our own events (structlog), those of libraries (logging), warnings, and
exceptions nobody caught. `serve` writes JSON for machines, `demo` a console for people. Whatever
passes is redacted last, after tracebacks became text.
"""

import json
import logging
import os
import sys
import threading
from contextlib import AbstractContextManager
from typing import Any, Literal, TextIO
from uuid import UUID

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from demarc.platform.telemetry.counters import count
from demarc.platform.telemetry.redaction import redact_items

Format = Literal["json", "console", "auto"]
Level = Literal["debug", "info", "warning", "error"]

# Libraries that tell at "info" what only we need to know, if anybody.
_QUIET = ("httpx", "httpcore", "procrastinate", "asyncio", "psycopg.pool", "uvicorn.access")

_FIRST = ("timestamp", "level", "event", "logger")


def configure(
    form: Format = "auto",
    level: Level = "info",
    *,
    role: str,
    node: str = "",
    stream: TextIO | None = None,
) -> None:
    """Set logging up for this process; a second call replaces the first.

    Args:
        form: JSON lines, a console for people, or the console only where it is a terminal.
        level: the least severe level that is written.
        role: what this process is ("web", "radius", "worker"), shown in every line.
        node: the machine's name, likewise.
        stream: where lines go; standard error if left out.
    """
    stream = sys.stderr if stream is None else stream
    console = form == "console" or (form == "auto" and stream.isatty())
    shared: list[Processor] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        # modules make their loggers before this is called, tests call it more than once
        cache_logger_on_first_use=False,
    )
    origin = {"process": role, **({"node": node} if node else {})}

    def complete(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return redact_items({**origin, "pid": os.getpid(), **event})

    formatter = ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            complete,
            *([_on_one_line, _console(stream)] if console else [_json]),
        ],
    )
    handler = _Lines(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for other in [known for known in root.handlers if isinstance(known, _Lines)]:
        root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)
    _catch_the_uncaught()


def get_logger(name: str) -> BoundLogger:
    """Give the logger of a module, by its `__name__`.

    Events are short and constant ("session ended"), everything that varies is a keyword:
    `log.info("session ended", session=id, seconds=42)`.
    """
    logger: BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def context(
    *, tenant: UUID | None = None, request_id: str | None = None, **others: Any
) -> AbstractContextManager[None]:
    """Add to every line written within, by this task and those it starts.

    Args:
        tenant: whose request or job it is.
        request_id: of the API call, packet or job.
        **others: whatever else places a line.
    """
    known = {"tenant": tenant, "request_id": request_id, **others}
    return bound_contextvars(**{name: value for name, value in known.items() if value is not None})


class _Lines(logging.StreamHandler[TextIO]):
    """Writes lines; loses one rather than print what could not be formatted."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        # logging itself would print the arguments, unredacted
        count("log_lines_lost", logger=record.name)


def _json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    first = {name: event.pop(name) for name in _FIRST if name in event}
    return json.dumps({**first, **event}, ensure_ascii=False, separators=(",", ":"))


def _on_one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep line feeds out of values, so that none can forge a line on the console."""
    return {
        name: value.replace("\n", "\\n")
        if isinstance(value, str) and name not in {"exception", "stack"}
        else value
        for name, value in event.items()
        if name not in {"process", "node", "pid"} or event.get("level") in {"error", "critical"}
    }


def _console(stream: TextIO) -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


def _catch_the_uncaught() -> None:
    log = get_logger("demarc.uncaught")

    def of_process(kind: Any, error: BaseException, trace: Any) -> None:
        if isinstance(error, KeyboardInterrupt):
            return
        log.critical("uncaught exception", exc_info=(kind, error, trace))

    def of_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is None or isinstance(args.exc_value, SystemExit):
            return
        thread = args.thread.name if args.thread is not None else None
        exc_info = (args.exc_type, args.exc_value, args.exc_traceback)
        log.critical("uncaught exception in a thread", thread=thread, exc_info=exc_info)

    def of_destructor(args: "sys.UnraisableHookArgs") -> None:
        if args.exc_value is not None:
            exc_info = (args.exc_type, args.exc_value, args.exc_traceback)
            log.error("exception that could not be raised", where=args.err_msg, exc_info=exc_info)

    sys.excepthook = of_process
    threading.excepthook = of_thread
    sys.unraisablehook = of_destructor


__all__ = ["Format", "Level", "configure", "context", "get_logger"]
