"""RADIUS attributes as data: a file per RFC or vendor, in the format `dictionary.py` describes."""
