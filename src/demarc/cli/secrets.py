"""Taking secrets without showing them: never from the command line, which others can read."""

import os
import sys
from typing import Annotated

import typer

FROM_ENVIRONMENT = Annotated[
    str | None,
    typer.Option(
        metavar="VARIABLE",
        help="Take it from this variable of the environment instead of asking for it.",
    ),
]


def secret(what: str, variable: str | None) -> str:
    """Take a secret: from the environment, from a pipe, or by asking on the terminal.

    Args:
        what: what is asked for, as in "Password".
        variable: the variable to take it from.

    Raises:
        Invalid: there is none.
    """
    from demarc.domains.errors import Invalid

    if variable is not None:
        given = os.environ.get(variable, "")
        if not given:
            raise Invalid(what, f"is to come from {variable}, which is not set")
        return given
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, confirmation_prompt=True))
    given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise Invalid(what, "is missing: pipe it in, or name a variable that holds it")
    return given


__all__ = ["FROM_ENVIRONMENT", "secret"]
