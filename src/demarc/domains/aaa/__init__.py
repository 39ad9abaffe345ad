"""Who may log in, with which address and speed, and what was used: credentials to usage."""
