"""``python -m demarc``: the command line."""

from demarc.cli.main import run

run()
