"""A network described in a file, and bringing the database to it."""
