"""Floor 3: the only code that opens outbound sockets."""
