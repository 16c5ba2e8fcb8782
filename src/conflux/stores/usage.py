"""Asking what was used: sums over the projection, never over the receipts.

Law: reads one snapshot; ids become the names that people know. A row's figures are those of the ledger.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from conflux.neutral.reports import FIGURES, UsageAsked, UsageRow
from conflux.stores.key_format import KEY_ID
from conflux.stores.sql import Database, Run
from conflux.stores.usage_rows import DUE

_COLUMNS = {
    "day": "day",
    "model": "model",
    "served_model": "served_model",
    "key": "key_id",
    "user": "user_id",
    "workspace": "workspace_id",
    "storefront": "storefront",
}
_ADDED = ", ".join(f"sum({one})" for one in FIGURES)
_tags = msgspec.json.Decoder(dict[str, str]).decode

_NOTHING = [0] * len(FIGURES)

_Names = dict[str, dict[int, str]]


class Usage:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def sums(self, asked: UsageAsked) -> list[UsageRow]:
        """In the order of their names."""
        return await self._database.read(lambda run: find(run, asked))


def find(run: Run, asked: UsageAsked) -> list[UsageRow]:
    names = {one: read(run) for one, read in _READS.items() if one in asked.by or any(one == w for w, _ in asked.where)}
    where, values = _where(asked, names)
    found = {} if asked.tag is None else _by_tag(run, asked, where, values)
    tagged: dict[tuple[Any, ...], list[int]] = {}
    for (name, _), figures in found.items():
        tagged[name] = [a + b for a, b in zip(tagged.get(name, _NOTHING), figures, strict=True)]
    columns = [*(_COLUMNS[one] for one in asked.by), "simulated"]
    group = ", ".join(columns)
    total: dict[tuple[Any, ...], list[int]] = {}
    for source in (_table(asked), DUE):
        for row in run.execute(f"SELECT {group}, {_ADDED} FROM {source} WHERE {where} GROUP BY {group}", values):
            name = tuple(row[: len(columns)])
            total[name] = [a + int(b) for a, b in zip(total.get(name, _NOTHING), row[len(columns) :], strict=True)]
    for name, figures in total.items():
        # What carries the tag was counted above: the rest is without.
        rest = [a - b for a, b in zip(figures, tagged.get(name, _NOTHING), strict=True)]
        if rest[0]:
            found[name, None] = rest
    rows = [
        UsageRow(_named(asked, name, names), tag, bool(name[-1]), tuple(figures))
        for (name, tag), figures in found.items()
    ]
    return sorted(rows, key=lambda row: (*row.names, row.tag is None, row.tag or "", row.simulated))


_OF_ALL = frozenset({"day", "model", "served_model", "storefront"})


def _table(asked: UsageAsked) -> str:
    """The smaller one where nobody asks whose it was."""
    named = {*asked.by, *(dimension for dimension, _ in asked.where)}
    return "usage_model" if asked.key is None and named <= _OF_ALL else "usage_day"


_Found = dict[tuple[tuple[Any, ...], str | None], list[int]]


def _by_tag(run: Run, asked: UsageAsked, where: str, values: list[Any]) -> _Found:
    columns = [*(_COLUMNS[one] for one in asked.by), "simulated"]
    group = ", ".join((*columns, "tags"))
    found: _Found = {}
    for row in run.execute(f"SELECT {group}, {_ADDED} FROM usage_tag WHERE {where} GROUP BY {group}", values):
        value = _tags(row[len(columns)]).get(asked.tag or "")
        if value is not None:
            figures = found.setdefault((tuple(row[: len(columns)]), value), [0] * len(FIGURES))
            for place, more in enumerate(row[len(columns) + 1 :]):
                figures[place] += int(more)
    return found


def _where(asked: UsageAsked, names: _Names) -> tuple[str, list[Any]]:
    parts = ["day BETWEEN ? AND ?"]
    values: list[Any] = [asked.first, asked.last]
    if asked.key is not None:
        parts.append("key_id = ?")
        values.append(asked.key)
    for dimension, text in asked.where:
        known = names.get(dimension)
        if known is None:
            parts.append(f"{_COLUMNS[dimension]} = ?")
            values.append(text)
        else:
            ids = [one for one, name in known.items() if name == text]
            parts.append(f"{_COLUMNS[dimension]} IN ({', '.join('?' * len(ids)) or 'NULL'})")
            values += ids
    return " AND ".join(parts), values


def _named(asked: UsageAsked, name: tuple[Any, ...], names: _Names) -> tuple[int | str, ...]:
    found: list[int | str] = []
    for dimension, value in zip(asked.by, name, strict=False):
        known = names.get(dimension)
        if known is None:
            found.append(value)
        else:
            found.append(known.get(value, str(value)))
    return tuple(found)


def _keys(run: Run) -> dict[int, str]:
    return {row[0]: f"{KEY_ID}{row[0]}" for row in run.execute("SELECT id FROM api_key").fetchall()}


def user_names(run: Run) -> dict[int, str]:
    query = (
        "SELECT app_user.id, workspace.name, app_user.name FROM app_user JOIN workspace ON workspace.id = workspace_id"
    )
    return {row[0]: f"{row[1]}/{row[2]}" for row in run.execute(query).fetchall()}


def _workspaces(run: Run) -> dict[int, str]:
    return {row[0]: row[1] for row in run.execute("SELECT id, name FROM workspace").fetchall()}


_READS: dict[str, Callable[[Run], dict[int, str]]] = {"key": _keys, "user": user_names, "workspace": _workspaces}
