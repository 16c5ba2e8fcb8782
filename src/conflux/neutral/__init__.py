"""Floor 0: the language everything speaks. Imports nothing of ours but its own files."""
