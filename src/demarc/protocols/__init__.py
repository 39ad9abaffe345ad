"""Codecs and state machines of the wire, without I/O; imports nothing of ours."""
