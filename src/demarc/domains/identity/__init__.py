"""Organisations, people, API clients, tokens, and who did what."""
