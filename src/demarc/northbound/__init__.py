"""What others call: one package per API."""
