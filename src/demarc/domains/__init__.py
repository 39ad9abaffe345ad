"""What an ISP is: rules, statements and use cases, without HTTP or sockets."""
