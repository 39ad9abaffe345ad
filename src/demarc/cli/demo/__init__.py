"""The demo: a whole ISP on this machine, built as anybody would build one."""

from demarc.cli.demo.run import demo

__all__ = ["demo"]
