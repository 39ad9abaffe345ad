"""``python -m demarc.cli``, where the script is not on the path."""

from demarc.cli.main import run

if __name__ == "__main__":
    run()
