"""What is wrong with a row that does not convert: every field of it, in words.

Law: pure, and only for the unhappy path. The converter stops at the first mistake, so here each field is tried alone.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, get_args

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
        inner = _row_type(type_)
        if inner is not None and isinstance(value, dict):
            yield from explain(value, inner, path + ".")
        elif inner is not None and isinstance(value, list) and all(isinstance(one, dict) for one in value):
            for number, one in enumerate(value):
                yield from explain(one, inner, f"{path}[{number}].")
        elif isinstance(value, list) and not _is_plain(type_):
            yield from _explain_items(value, type_, path, error)
        else:
            yield path, _reason(value, type_, owner, error)


def _explain_items(
    values: list[Any], type_: Any, path: str, error: msgspec.ValidationError
) -> Iterator[tuple[str, str]]:
    """A list of plain values: each wrong one by its place."""
    item = next((one for part in (type_, *get_args(type_)) for one in get_args(part) if isinstance(one, type)), None)
    if item is None:
        yield path, _words(error)
        return
    for number, value in enumerate(values):
        try:
            msgspec.convert(value, item)
        except msgspec.ValidationError as wrong:
            yield f"{path}[{number}]", _reason(value, item, Row, wrong)


def _reason(value: Any, type_: Any, owner: type[Row], error: msgspec.ValidationError) -> str:
    if owner is PriceRow and isinstance(value, int | float) and not isinstance(value, bool) and _takes_text(type_):
        return f'write it as a string, "{value}", not as a number: floats are not exact'
    choices = next((one for one in (type_, *get_args(type_)) if isinstance(one, type) and issubclass(one, Enum)), None)
    if choices is not None:
        shown = repr(value)
        return f"{shown[:_SHOWN]} is not one of {', '.join(str(one.value) for one in choices)}"
    return _words(error)


def _words(error: msgspec.ValidationError) -> str:
    """The converter's "Expected `str | null`, got `int` - at `$[0]`" in plain words."""
    what = str(error).partition(" - at ")[0]
    for name, plain in _WORDS.items():
        what = what.replace(f"`{name}", f"`{plain}").replace(f"| {name}", f"or {plain}")
    what = what.replace(" | null", "").replace("`", "")
    return what[:1].lower() + what[1:]


def _row_type(type_: Any) -> type[Row] | None:
    """The row type inside PriceRow, PriceRow | None or list[TargetRow]."""
    if isinstance(type_, type) and issubclass(type_, Row):
        return type_
    return next((found for one in get_args(type_) if (found := _row_type(one)) is not None), None)


def _is_plain(type_: Any) -> bool:
    return type_ in (str, int, float, bool) or not get_args(type_)


def _takes_text(type_: Any) -> bool:
    return type_ is str or str in get_args(type_)
