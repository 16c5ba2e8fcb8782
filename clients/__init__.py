"""Real coding agents against a real gateway: `./run clients`."""
