"""The sockets towards the network."""
