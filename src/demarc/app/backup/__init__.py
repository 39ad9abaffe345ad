"""Copies of the whole database: taken while it serves, verified, put into an empty place.

A backup is a folder: what ``pg_dump`` wrote, and a manifest that says of what, when, with which
keys and with which checksums. It stands under its name only when it is complete. The keys are never
in it.
"""
