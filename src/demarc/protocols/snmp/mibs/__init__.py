"""Tables of vendors' and standard MIBs: object identifiers, indices, units."""
