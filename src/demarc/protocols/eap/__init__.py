"""EAP (RFC 3748) and what is spoken inside TLS by PEAP and TTLS (RFC 5281): codecs without I/O."""
