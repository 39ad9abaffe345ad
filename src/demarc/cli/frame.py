"""What all commands share: settings, the database, answers as text or JSON, and how they say no.

A command is a function that gets the settings and its arguments and gives what it has to show;
`command` makes of it what typer runs. Nothing of the platform is loaded before a command runs.
"""

import asyncio
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import typer

from demarc.cli import flags
from demarc.cli.refusals import explain

JSON_OPTION = Annotated[bool, typer.Option("--json", help="Answer in JSON.", show_default=False)]
TRACEBACK_OPTION = Annotated[
    bool, typer.Option("--traceback", help="Show where in the code an error arose.", hidden=True)
]


def group(name: str, about: str) -> typer.Typer:
    """Make a group of commands.

    Args:
        name: as it is typed.
        about: what it is for.
    """
    return typer.Typer(
        name=name,
        help=about,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
    )


def command(
    app: typer.Typer,
    name: str,
    *,
    settings: Iterable[str] = flags.COMMON,
    shows: bool = True,
) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Add a command to a group.

    The function takes the settings first, then what typer gives it. It gives a struct, a list of
    them, a `Shown`, or None; it may be a coroutine function.

    Args:
        app: the group.
        name: as it is typed.
        settings: the settings that are flags of it.
        shows: it has an answer, which can be had in JSON.
    """

    def add(work: Callable[..., Any]) -> Callable[..., None]:
        own = list(inspect.signature(work).parameters.values())[1:]
        extra = flags.parameters(settings)
        if shows:
            extra.append(_keyword("as_json", JSON_OPTION))
        extra.append(_keyword("traceback", TRACEBACK_OPTION))
        context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        every = [*own, *extra, context]

        def run(**values: Any) -> None:
            ctx: typer.Context = values.pop("ctx")
            chosen = {name: values.pop(name) for name in settings}
            as_json = values.pop("as_json", False)
            traceback = values.pop("traceback")
            given = {**(ctx.obj or {}), **{key: one for key, one in chosen.items() if one}}
            _carry_out(work, given, values, as_json=as_json, traceback=traceback)

        run.__name__ = work.__name__
        run.__doc__ = laid_out(inspect.getdoc(work) or "")
        run.__annotations__ = {one.name: one.annotation for one in every}
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in every]
        )
        app.command(name)(run)
        return run

    return add


def laid_out(text: str) -> str:
    """Keep the lines of examples as they are; typer would fill them up to paragraphs."""
    return "\n\n".join("\b\n" + part if "\n    " in part else part for part in text.split("\n\n"))


def _carry_out(
    work: Callable[..., Any],
    given: Mapping[str, object],
    values: Mapping[str, Any],
    *,
    as_json: bool,
    traceback: bool,
) -> None:
    try:
        code = _answer(work, given, values, as_json=as_json)
    except (typer.Exit, typer.Abort, KeyboardInterrupt):
        raise
    except BrokenPipeError:
        # whoever read our output has seen enough; Python would complain again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except Exception as error:
        if traceback:
            raise
        code, text = explain(error)
        typer.echo(f"demarc: {text}", err=True)
    if code:
        raise typer.Exit(code)


def _answer(
    work: Callable[..., Any],
    given: Mapping[str, object],
    values: Mapping[str, Any],
    *,
    as_json: bool,
) -> int:
    from demarc.platform.settings import Settings
    from demarc.platform.telemetry.logs import configure

    settings = Settings.load(os.environ, **given)
    # on standard error, and only what somebody should look at: the answer is what counts
    configure(settings.log_format, "warning", role="cli", node=settings.node)
    answer = work(settings, **values)
    if inspect.iscoroutine(answer):
        answer = asyncio.run(answer)
    if answer is None:
        return 0
    from demarc.cli.answers import write

    return write(answer, as_json=as_json)


def _keyword(name: str, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation
    )


__all__ = ["command", "group", "laid_out"]
