"""Which models are of one make.

Law: pure; read off the name alone, whoever sells it.
"""

import re

_NAME = re.compile(r"[a-z]+")


def family(model: str) -> str:
    """The first word of a model's name: "gemini" of google/gemini-2.5-pro."""
    found = _NAME.search(model.rsplit("/", 1)[-1].lower())
    return found[0] if found is not None else ""
