"""RADIUS (RFC 2865, 2866, 2868, 2869, 3162, 3579, 5176, 5997): a codec without I/O."""
