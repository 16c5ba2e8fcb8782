"""What is wrong with a body, said so that a person can put it right.

Law: every complaint names the field as a path, says what it must be and what it is instead. The checking itself is
msgspec's; here its words are turned into plain ones, by table.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from conflux.neutral.errors import GatewayError, invalid

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?:key in )?\$\.?(?P<path>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_MISSING = re.compile(r"Object missing required field `(.+)`")
_TYPES = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_BOUND = re.compile(r"Expected `(?:int|float)` (>=|<=|>|<) (\S+)")
_LENGTH = re.compile(r"Expected `(\w+)` of length >= 1")
_VALUE = re.compile(r"Invalid value (.+)", re.DOTALL)

_NAMES = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_UNKNOWN = object()


def complaint(text: str, body: Any, known: Mapping[str, tuple[str, str]]) -> GatewayError:
    """A 400 from a validation error's text. `known`: last step of a path -> what it is, and the values it may have."""
    found = _PLACE.match(text)
    what, path = (found["what"], found["path"] or "") if found is not None else (text, "")
    missing = _MISSING.match(what)
    if missing is not None:
        where = f"{path}.{missing[1]}" if path else missing[1]
        return invalid(f"{where} is missing", param=where, code="missing_required_parameter")
    value = _at(body, path)
    said = _bound(what, value) or _empty(what) or _kind(what, value) or _choice(what, path, known)
    said = said or what.replace("`", "").lower()
    return invalid(f"{path}: {said}" if path else said, param=path or None)


def _bound(what: str, value: Any) -> str | None:
    found = _BOUND.match(what)
    if found is None:
        return None
    return f"must be {_BOUNDS[found[1]]} {found[2].removesuffix('.0')}, not {_shown(value)}"


def _empty(what: str) -> str | None:
    found = _LENGTH.match(what)
    if found is None:
        return None
    return "must not be empty" if found[1] == "str" else "must hold at least one item"


def _kind(what: str, value: Any) -> str | None:
    found = _TYPES.match(what)
    if found is None:
        return None
    wanted = [_NAMES.get(name, name) for name in found[1].split(" | ")]
    listed = " or ".join([", ".join(wanted[:-1]), wanted[-1]] if len(wanted) > 1 else wanted)
    instead = _NAMES.get(found[2], found[2]) if value is _UNKNOWN else _shown(value)
    return f"must be {listed}, not {instead}"


def _choice(what: str, path: str, known: Mapping[str, tuple[str, str]]) -> str | None:
    found = _VALUE.match(what)
    if found is None:
        return None
    kind, values = known.get(path.rpartition(".")[2], ("value", ""))
    return f"unknown {kind} {found[1]}" + (f"; it is one of {values}" if values else "")


def _at(body: Any, path: str) -> Any:
    """The value a path leads to. A key that is not told, shown as [...], leads nowhere."""
    if "..." in path:
        return _UNKNOWN
    for name, place in _STEP.findall(path):
        try:
            body = body[name] if name else body[int(place)]
        except (KeyError, IndexError, TypeError):
            return _UNKNOWN
    return body


def _shown(value: Any) -> str:
    """Short enough to be read: a scalar as JSON, of anything else the kind."""
    if isinstance(value, list | tuple):
        return _NAMES["array"]
    if isinstance(value, dict):
        return _NAMES["object"]
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str | float | bool | None) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
