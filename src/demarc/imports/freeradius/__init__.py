"""Moving in from FreeRADIUS with its SQL tables."""
