"""Demarc: one platform that runs an internet service provider."""
