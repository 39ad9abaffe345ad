"""Drivers that ask OLTs, one module a vendor."""
