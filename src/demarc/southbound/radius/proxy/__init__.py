"""Requests of realms that an ISP's own AAA answers, and the way there and back."""
