"""Floor 4: where people and programs come in."""
