"""SNMPv1 and SNMPv2c messages as octets (RFC 1157, RFC 1901, RFC 3416), without I/O.

`ber` holds the encoding rules, `values` the types a binding may carry, `message` the
messages themselves, `textual` the textual conventions that travel inside octet strings.
"""
