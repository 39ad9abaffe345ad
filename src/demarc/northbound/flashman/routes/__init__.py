"""The paths of the API, one module a kind of work."""

from demarc.northbound.flashman.routes import commands, devices, lookups

HANDLERS = [*lookups.HANDLERS, *devices.HANDLERS, *commands.HANDLERS]
