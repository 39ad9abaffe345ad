"""EAP over RADIUS (RFC 3579): the server's side of the methods."""
