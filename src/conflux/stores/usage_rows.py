"""What was used, summed by day: a projection of the receipts.

Law: `usage_day` sums every settled request, `usage_model` the same without whose they were, `usage_tag` those that
carry tags of their caller, once for each set of tags. All follow from `request` alone. What the first two do not count
yet is named in `usage_due`, in the transaction that settles, and who asks adds it: a row for every key and model is a
page of its own, so many receipts together cost far less than each at once. Who wrote them remembers them (`Used`), and
adds from there; SUM_UP reads them again, for who does not.
"""

from typing import Any, NamedTuple

import msgspec

from conflux.neutral.reports import FIGURES
from conflux.neutral.usage import BUCKETS
from conflux.stores.booking import Account
from conflux.stores.budgets import DAY
from conflux.stores.rows import REQUEST, tags_text
from conflux.stores.sql import Run

Sums = dict[tuple[Any, ...], list[int]]  # a row's name -> its figures

NAME = ("key_id", "day", "storefront", "model", "served_model", "simulated", "user_id", "workspace_id")
_MODEL = slice(1, 6)
OF_MODEL: tuple[str, ...] = NAME[1:6]
_FIRST, _LAST = REQUEST.index("cost"), REQUEST.index(BUCKETS[-1]) + 1
assert REQUEST[_FIRST:_LAST] == FIGURES[1:]


class Used:
    """What receipts add."""

    __slots__ = ("_days", "_tags", "count")

    def __init__(self) -> None:
        self._days: dict[tuple[Any, ...], list[tuple[int, ...]]] = {}
        self._tags: dict[tuple[Any, ...], list[tuple[int, ...]]] = {}
        self.count = 0  # receipts that were added

    def add(self, row: tuple[Any, ...], tags: dict[str, str]) -> None:
        """`row`: of `request`."""
        self.count += 1
        name = (row[2], row[1] // DAY, row[5], row[6], row[11] or "", row[7], row[3], row[4])
        known = self._days.get(name)
        if known is None:
            self._days[name] = [row[_FIRST:_LAST]]
        else:
            known.append(row[_FIRST:_LAST])
        if tags:
            self.add_tags(row, tags)

    def add_tags(self, row: tuple[Any, ...], tags: dict[str, str]) -> None:
        name = (row[2], row[1] // DAY, row[5], row[6], row[11] or "", row[7], row[3], row[4], tags_text(tags))
        self._tags.setdefault(name, []).append(row[_FIRST:_LAST])

    def clear(self) -> None:
        self.count = 0
        self._days.clear()
        self._tags.clear()

    def day_rows(self) -> list[tuple[Any, ...]]:
        return _summed(self._days)

    def model_rows(self, days: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """`days`: as day_rows gave them."""
        parts: dict[tuple[Any, ...], list[tuple[int, ...]]] = {}
        for row in days:
            parts.setdefault(row[_MODEL], []).append(row[len(NAME) :])
        return [
            (*name, *rows[0]) if len(rows) == 1 else (*name, *map(sum, zip(*rows, strict=True)))
            for name, rows in parts.items()
        ]

    def tag_rows(self) -> list[tuple[Any, ...]]:
        return _summed(self._tags)


def is_plain(row: tuple[Any, ...]) -> bool:
    """Its figures are such as occur: any number of them can be added up within 64 bits."""
    # Below 0 where one is, and as long as the longest. Written out: any loop takes three times as long.
    together: int = (
        row[13] | row[14] | row[15] | row[16] | row[17] | row[18] | row[19]
        | row[20] | row[21] | row[22] | row[23] | row[24] | row[25]
    )  # fmt: skip
    return 0 <= together < _PLAIN


_PLAIN = 1 << 40


def _summed(parts: dict[tuple[Any, ...], list[tuple[int, ...]]]) -> list[tuple[Any, ...]]:
    return [
        (*name, 1, *rows[0]) if len(rows) == 1 else (*name, len(rows), *map(sum, zip(*rows, strict=True)))
        for name, rows in parts.items()
    ]


def _upsert(table: str, name: tuple[str, ...], change: str) -> str:
    columns = (*name, *FIGURES)
    changes = ", ".join(change.format(table=table, one=one) for one in FIGURES)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        f" ON CONFLICT ({', '.join(name)}) DO UPDATE SET {changes}"
    )


_TAG_NAME = (*NAME, "tags")
_MORE = "{one} = {table}.{one} + excluded.{one}"
ADD_DAY = _upsert("usage_day", NAME, _MORE)
ADD_MODEL = _upsert("usage_model", OF_MODEL, _MORE)
ADD_TAG = _upsert("usage_tag", _TAG_NAME, _MORE)
DAY_ROW, MODEL_ROW, TAG_ROW = (*NAME, *FIGURES), (*OF_MODEL, *FIGURES), (*_TAG_NAME, *FIGURES)
_TABLES = (("usage_day", NAME), ("usage_model", OF_MODEL), ("usage_tag", _TAG_NAME))


_PLACE = (
    *("key_id", f"created / {DAY} AS day", "storefront", "requested_model AS model", "simulated", "user_id"),
    *("coalesce(served_model, '') AS served_model", "workspace_id"),
)
_ROW = ", ".join((*_PLACE, "1 AS requests", *FIGURES[1:]))
_BACK_ROW = (*_PLACE, *("amount AS cost" if one == "cost" else f"0 AS {one}" for one in FIGURES))
# CROSS JOIN: SQLite then begins with the few that are due, never with all receipts.
DUE = f"(SELECT {_ROW} FROM usage_due CROSS JOIN request WHERE request.id = usage_due.id) AS due"


def _fold(table: str, name: tuple[str, ...]) -> str:
    """`WHERE true`: without it SQLite takes ON for that of a join."""
    names, figures = ", ".join(name), ", ".join(f"sum({one}) AS {one}" for one in FIGURES)
    chosen = f"SELECT {names}, {figures} FROM {DUE} WHERE true GROUP BY {names}"
    insert = _upsert(table, name, _MORE)
    return f"{insert[: insert.index('VALUES')]}{chosen}{insert[insert.index(' ON CONFLICT') :]}"


NONE_DUE = "DELETE FROM usage_due"
SUM_UP = (_fold("usage_day", NAME), _fold("usage_model", OF_MODEL), NONE_DUE)


_FACTS = (
    f"key_id, created / {DAY}, storefront, requested_model, coalesce(served_model, ''), simulated, user_id,"
    " workspace_id"
)


# What was given back is not paid.
_PAID = f"request LEFT JOIN entry AS back ON back.tx = request.id AND back.account = {Account.REFUNDED.value}"
_ADDED = tuple("cost - coalesce(back.amount, 0)" if one == "cost" else one for one in FIGURES[1:])


def sums(run: Run) -> tuple[Sums, Sums, Sums]:
    """What the tables must say, from the receipts alone."""
    added = ", ".join(f"sum({one})" for one in _ADDED)
    days = f"SELECT {_FACTS}, count(*), {added} FROM {_PAID} GROUP BY {_FACTS}"
    by_day = _read(run, days, len(NAME))
    by_model: Sums = {}
    for name, figures in by_day.items():
        known = by_model.get(name[_MODEL])
        by_model[name[_MODEL]] = figures if known is None else [a + b for a, b in zip(known, figures, strict=True)]
    return by_day, by_model, _tagged(run)


def _tagged(run: Run) -> Sums:
    # Nearly all receipts have no tags: their detail ends in an empty object.
    query = f"SELECT {_FACTS}, {', '.join(_ADDED)}, detail FROM {_PAID} WHERE detail NOT LIKE '%,{{}}]'"
    found: Sums = {}
    for row in run.execute(query):
        tags = _tags_of(row[-1])
        if not tags:
            continue  # routed by a task
        name = (*row[: len(NAME)], tags_text(tags))
        figures = found.setdefault(name, [0] * len(FIGURES))
        for place, more in enumerate((1, *row[len(NAME) : -1])):
            figures[place] += more
    return found


class _Detail(NamedTuple):
    """As rows.py writes it; only the tags are looked into."""

    lines: msgspec.Raw
    calls: msgspec.Raw
    dropped: msgspec.Raw
    tags: dict[str, str]
    task: str = ""


_detail = msgspec.json.Decoder(_Detail)


def _tags_of(detail: str) -> dict[str, str]:
    return _detail.decode(detail).tags


def _read(run: Run, query: str, name: int) -> Sums:
    return {tuple(row[:name]): [int(one) for one in row[name:]] for row in run.execute(query)}


_STRAY_DUE = "SELECT count(*) FROM usage_due WHERE id NOT IN (SELECT id FROM request)"


# What was given back, as rows of receipts that cost that much.
_BACK = (
    f"(SELECT {', '.join(_BACK_ROW)} FROM entry CROSS JOIN request WHERE account = {Account.REFUNDED.value} AND"
    " request.id = tx) AS back"
)


def drift(run: Run) -> int:
    """How many rows are not what the receipts say."""
    receipts = (f"(SELECT {_ROW} FROM request) AS receipt", DUE, _BACK)
    days = _count(run, _unlike("usage_day", NAME, *receipts))
    if days:
        models = _count(run, _unlike("usage_model", OF_MODEL, *receipts))
    else:
        models = _count(run, _unlike("usage_model", OF_MODEL, "usage_day"))  # which is right, and smaller
    tags = len(_wrong(_tagged(run), _stored(run, "usage_tag", _TAG_NAME)))
    return days + models + tags + _count(run, _STRAY_DUE)


def _unlike(table: str, name: tuple[str, ...], right: str, *more: str) -> str:
    """Counts the names by which `right` says something else than the table and `more` together. One pass over all of
    them, within the database."""
    names, figures = ", ".join(name), ", ".join(FIGURES)
    less = ", ".join(f"-{one} AS {one}" for one in FIGURES)
    parts = " UNION ALL ".join(
        [f"SELECT {names}, {figures} FROM {right}", *(f"SELECT {names}, {less} FROM {one}" for one in (table, *more))]
    )
    gaps = " OR ".join(f"sum({one}) <> 0" for one in FIGURES)
    return f"SELECT count(*) FROM (SELECT 1 FROM ({parts}) AS together GROUP BY {names} HAVING {gaps}) AS wrong"


def _count(run: Run, query: str) -> int:
    return int(run.execute(query).fetchone()[0])


def rebuild_usage(run: Run) -> int:
    """Write the tables anew where they are wrong; how many rows were."""
    for statement in SUM_UP:
        run.execute(statement)
    wrong = 0
    for right, (table, name) in zip(sums(run), _TABLES, strict=True):
        bad = _wrong(right, _stored(run, table, name))
        where = " AND ".join(f"{one} = ?" for one in name)
        put = _upsert(table, name, "{one} = excluded.{one}")
        for one in bad:
            if one in right:
                run.execute(put, (*one, *right[one]))
            else:
                run.execute(f"DELETE FROM {table} WHERE {where}", one)
        wrong += len(bad)
    return wrong


def _stored(run: Run, table: str, name: tuple[str, ...]) -> Sums:
    """With what is due to them."""
    found = _read(run, f"SELECT {', '.join((*name, *FIGURES))} FROM {table}", len(name))
    if table == "usage_tag":
        return found
    names, added = ", ".join(name), ", ".join(f"sum({one})" for one in FIGURES)
    for one, more in _read(run, f"SELECT {names}, {added} FROM {DUE} GROUP BY {names}", len(name)).items():
        known = found.get(one)
        found[one] = more if known is None else [a + b for a, b in zip(known, more, strict=True)]
    return found


def _wrong(right: Sums, found: Sums) -> list[tuple[Any, ...]]:
    return [one for one in right.keys() | found.keys() if right.get(one) != found.get(one)]
