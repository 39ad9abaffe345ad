"""What `demarc doctor` looks at: the machine, and the database."""
