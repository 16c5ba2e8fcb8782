"""Rows from elsewhere: a TOML, JSON or CSV file of models becomes rows as the shipped catalogue has them.

Law: pure; only the form is judged here, the content by the loader like any other row. Figures stay what was written:
a CSV cell is a price's text, a JSON number is none.
"""

import csv
import io
import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, get_args

import msgspec
from msgspec.structs import replace

from conflux.catalogue.changes import Change
from conflux.catalogue.rows import ModelRow, day_of
from conflux.neutral.errors import ConfigError

Rows = dict[str, list[dict[str, Any]]]

_TABLES = {"storefront": ("id",), "pool": ("id",), "model": ("storefront", "id")}  # a model names both
_LISTED = ";"
_ROWS_MOST = 5000  # each is checked with the whole catalogue, and shown
_DIGITS = 18  # what an int of the catalogue may have; Python refuses thousands of them


def read_rows(file: str, text: str) -> Rows:
    """The rows by table. Raises ConfigError."""
    kind = file.rpartition(".")[2].lower()
    try:
        if kind == "toml":
            content: Any = tomllib.loads(text)
        elif kind == "json":
            content = msgspec.json.decode(text)
            content = {"model": content} if isinstance(content, list) else content
        elif kind == "csv":
            content = {"model": list(islice(_csv(text), _ROWS_MOST + 1))}
        else:
            raise ConfigError([f"{file}: write a .toml, .json or .csv file"])
    except (ValueError, msgspec.MsgspecError, RecursionError, csv.Error) as error:  # a TOML mistake is a ValueError
        raise ConfigError([f"{file}: not valid {kind.upper()}: {error}"]) from None
    problems = list(_misshapen(file, content))
    if problems:
        raise ConfigError(problems)
    return {table: content[table] for table in _TABLES if content.get(table)}


def _misshapen(file: str, content: Any) -> Iterator[str]:
    if not isinstance(content, dict) or not any(content.get(table) for table in _TABLES):
        yield f"{file}: holds no models: write [[model]] rows, a JSON list of them, or a CSV with a line of names"
        return
    for table, rows in content.items():
        if table not in _TABLES:
            yield f"{file}: {table}: only models, pools and storefronts can be imported"
        elif not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
            yield f"{file}: {table}: write it as a list of rows"
        elif len(rows) > _ROWS_MOST:
            yield f"{file}: {table}: an import takes at most {_ROWS_MOST} rows: split the file"
        else:
            yield from _unnamed(file, table, rows)


def _unnamed(file: str, table: str, rows: list[dict[str, Any]]) -> Iterator[str]:
    known: set[tuple[Any, ...]] = set()
    for number, row in enumerate(rows, 1):
        names = tuple(row.get(name) for name in _TABLES[table])
        if not all(isinstance(one, str) and one for one in names):
            yield f"{file}: {table} #{number}: {' and '.join(_TABLES[table])}: missing, it says which row this is"
        elif names in known:
            yield f"{file}: {table} #{number} {'/'.join(names)}: written twice: keep one of the two rows"
        known.add(names)


def _csv(text: str) -> Iterator[dict[str, Any]]:
    """A line of names, then a model a line; price.input is a field of a table, a;b a list, an empty cell nothing."""
    types = {field.name: field.type for field in msgspec.structs.fields(ModelRow)}
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    columns = Counter(filter(None, map(str.strip, reader.fieldnames or ())))
    for name, count in columns.items():
        if count > 1:
            raise csv.Error(f"the column {name} stands twice")
        if (whole := name.partition(".")[0]) != name and whole in columns:
            raise csv.Error(f"the column {whole} stands beside {name}: write one of the two")
    for cells in reader:
        row: dict[str, Any] = {}
        for name, cell in cells.items():
            if name is None:
                raise csv.Error("a line has more cells than there are names")
            if cell is None or cell.strip() == "":
                continue
            field, dot, part = name.strip().partition(".")
            if dot:
                row.setdefault(field, {})[part] = cell.strip()
            else:
                row[field] = _value(cell.strip(), types.get(field, str))
        yield row


def _value(cell: str, type_: Any) -> Any:
    """As the field wants it; what does not read so stays text, and the loader says what is wrong with it."""
    parts = get_args(type_) or (type_,)
    if bool in parts and cell.lower() in ("true", "false"):
        return cell.lower() == "true"
    if int in parts and _whole(cell.replace("_", "")):
        return int(cell.replace("_", ""))
    if str(type_).startswith("list") or any(str(one).startswith("list") for one in parts):
        words = [one.strip() for one in cell.split(_LISTED) if one.strip()]
        return [int(one) for one in words] if "int" in str(type_) and all(map(_whole, words)) else words
    return cell


def _whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS


def changes_of(rows: Rows, source: str, begins: int | None = None, now: int = 0) -> list[Change]:
    """`begins`: Unix seconds from which they count; None: at once. A model's price of a later day than both is a
    change of its own, from that day (UTC) on. Raises ConfigError."""
    made, problems = [], []
    since = max(begins or 0, now)
    for table in _TABLES:
        for row in rows.get(table, ()):
            change = Change(table=table, key=tuple(row[name] for name in _TABLES[table]), field="row", source=source,
                            fields={name: value for name, value in row.items() if name not in _TABLES[table]},
                            effective_at=begins)  # fmt: skip
            made += _in_time(change, since)
            problems += [f"{source}: pool {change.key[0]}: {one}" for one in _costs_to_come(change, since)]
    if problems:
        raise ConfigError(problems)
    return made


def _in_time(change: Change, now: int) -> list[Change]:
    """A row, and apart from it the price that comes later than the row."""
    price: Any = change.fields.get("price")
    moment = _begins(price)
    if change.table != "model" or moment <= now:
        return [change]
    rest = {name: value for name, value in change.fields.items() if name != "price"}
    later = {name: value for name, value in price.items() if name != "effective_at"}
    parts = [replace(change, fields=rest)] if rest else []
    return [*parts, replace(change, fields={"price": later}, effective_at=moment)]


def _costs_to_come(change: Change, now: int) -> Iterator[str]:
    """A pool is replaced whole: what its target costs until then would be unknown."""
    targets = change.fields.get("target") if change.table == "pool" else None
    for target in targets if isinstance(targets, list) else ():
        if isinstance(target, dict) and _begins(target.get("cost")) > now:
            yield (f"target {target.get('model')}: cost.effective_at: {target['cost']['effective_at']} is still to "
                   "come, and a pool counts as it is: import it then")  # fmt: skip


def _begins(price: Any) -> int:
    """Unix seconds; 0: at once, or not said in a way that the loader takes."""
    said = price.get("effective_at") if isinstance(price, Mapping) else None
    day = day_of(said) if isinstance(said, str) else None
    return 0 if day is None else int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def to_toml(rows: Rows) -> str:
    """The rows as a file of the catalogue has them."""
    parts = []
    for table, found in rows.items():
        for row in found:
            lines = [f"{_key(name)} = {_toml(value)}" for name, value in row.items() if value is not None]
            parts.append("\n".join([f"[[{table}]]", *lines]) + "\n")
    return "\n".join(parts)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(name)} = {_toml(one)}" for name, one in value.items() if one is not None)
        return "{ " + inside + " }" if inside else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value).replace("\x7f", "\\u007f")  # a JSON string is a TOML string, but for this letter
    return str(value)


def _key(name: str) -> str:
    return name if name and name.isascii() and name.replace("_", "").replace("-", "").isalnum() else json.dumps(name)
