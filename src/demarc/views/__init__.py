"""Read-only SQL across domains, for lists and searches."""
