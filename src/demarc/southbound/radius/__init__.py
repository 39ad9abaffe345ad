"""The RADIUS process: authentication and accounting over UDP (RFC 2865, 2866, 5080, 5997)."""
