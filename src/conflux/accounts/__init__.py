"""Floor 3: what proves who someone is: the secrets on disk, sealed credentials."""
