"""Customers, and the places they are served at."""
