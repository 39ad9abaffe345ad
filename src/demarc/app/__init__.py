"""The composition root: from settings to the processes asked for."""
