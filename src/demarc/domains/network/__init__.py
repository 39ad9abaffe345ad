"""What the owner of a network operates, and the commands given to its devices."""
