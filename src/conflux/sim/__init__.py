"""Floor 3: the simulator, a real HTTP upstream that answers when no provider is there, and misbehaves on request."""
