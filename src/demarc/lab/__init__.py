"""A simulated ISP that speaks the real protocols over real sockets."""
