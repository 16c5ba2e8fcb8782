"""What is wrong with a row that does not convert: every field of it, in words.

Law: pure, and only for the unhappy path. The converter stops at the first mistake, so here each field is tried alone.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from types import UnionType
from typing import Any, get_args, get_origin

import msgspec

from conflux.catalogue.rows import PriceRow, Row

_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
_SHOWN = 60


def explain(fields: Mapping[str, Any], type_: type[Row], path: str = "") -> Iterator[tuple[str, str]]:
    """(field, what is wrong and what to do) for everything that keeps `fields` from being a row of this type."""
    known = {field.name: field for field in msgspec.structs.fields(type_)}
    for name, field in known.items():
        if field.required and name not in fields:
            yield path + name, "missing"
    for name, value in fields.items():
        found = known.get(name)
        if found is None:
            yield path + name, f"there is no such field; there are {', '.join(known)}"
        else:
            yield from _explain_value(value, found.type, type_, path + name)


def _explain_value(value: Any, type_: Any, owner: type[Row], path: str) -> Iterator[tuple[str, str]]:
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        for part in _parts(type_):
            inside = _inside(value, part, path)
            if inside is not None:
                yield from inside
                return
        yield path, _reason(value, type_, owner, error)


def _inside(value: Any, type_: Any, path: str) -> Iterator[tuple[str, str]] | None:
    """The mistakes within a value that is of the right kind itself: a table for a row, a list for a list."""
    if isinstance(value, dict) and isinstance(type_, type) and issubclass(type_, Row):
        return explain(value, type_, path + ".")
    if isinstance(value, list) and get_origin(type_) is list:
        items = ((f"{path}[{number}]", one) for number, one in enumerate(value))
    elif isinstance(value, dict) and get_origin(type_) is dict:
        items = ((f"{path}.{name}", one) for name, one in value.items())
    else:
        return None
    item_type = get_args(type_)[-1]
    return (found for place, one in items for found in _explain_value(one, item_type, Row, place))


def _parts(type_: Any) -> tuple[Any, ...]:
    """The members of a union, else the type itself."""
    return get_args(type_) if isinstance(type_, UnionType) else (type_,)


def _reason(value: Any, type_: Any, owner: type[Row], error: msgspec.ValidationError) -> str:
    parts = _parts(type_)
    if owner is PriceRow and type(value) in (int, float) and str in parts:
        return f'write it as a string, "{value}", not as a number: floats are not exact'
    choices = next((one for one in parts if isinstance(one, type) and issubclass(one, Enum)), None)
    if choices is not None:
        return f"{repr(value)[:_SHOWN]} is not one of {', '.join(str(one.value) for one in choices)}"
    return _words(error)


def _words(error: msgspec.ValidationError) -> str:
    """The converter's "Expected `str | null`, got `int` - at `$[0]`" in plain words."""
    what = str(error).partition(" - at ")[0]
    for name, plain in _WORDS.items():
        what = what.replace(f"`{name}", f"`{plain}").replace(f"| {name}", f"or {plain}")
    what = what.replace(" | null", "").replace("`", "")
    return what[:1].lower() + what[1:]
