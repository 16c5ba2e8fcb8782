"""Names of models in a policy: an id, an alias, or a pattern in which * stands for anything.

Law: linear in the name's length, whatever the pattern. A model is meant by any of its names.
"""

from collections.abc import Iterable

from conflux.neutral.records import Model


def matches(pattern: str, name: str) -> bool:
    first, *middle = pattern.split("*")
    if not middle:
        return name == pattern
    *middle, last = middle
    if len(name) < len(first) + len(last) or not name.startswith(first) or not name.endswith(last):
        return False
    place, end = len(first), len(name) - len(last)
    for piece in middle:
        found = name.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True


def names_of(model: Model) -> tuple[str, ...]:
    slug = (model.canonical_slug,) if model.canonical_slug else ()
    return (model.id, *model.aliases, *slug)


def matching(patterns: Iterable[str], names: Iterable[str]) -> str | None:
    """The first pattern that means one of the names."""
    known = tuple(names)
    for pattern in patterns:
        if any(matches(pattern, name) for name in known):
            return pattern
    return None
