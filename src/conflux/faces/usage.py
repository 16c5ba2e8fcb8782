"""GET /v1/usage: what was asked, and the answer as JSON or CSV.

Law: figures are the ledger's, as exact decimal texts; a parameter that makes no sense is refused by its name. A key
sees its own, an admin's all, and with what the house paid.
"""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import parse_qsl

import msgspec

from conflux.faces.question import Question, Reply
from conflux.neutral.errors import invalid
from conflux.neutral.money import credits_text, usd
from conflux.neutral.records import Caller
from conflux.neutral.reports import DIMENSIONS, FIGURES, UsageAsked, UsageRow
from conflux.neutral.usage import BUCKETS
from conflux.relay.headers import JSON

_EPOCH = date(1970, 1, 1)
_DAYS = 30  # where nothing is said
_MOST_ROWS = 100_000
_TAG = "tag:"
_FILTERS = ("model", "served_model", "key", "user", "workspace", "storefront")
_KNOWN = ("group_by", "from", "to", "format", *_FILTERS)
RISKY = frozenset(("=", "+", "-", "@", "\t", "\r"))  # how a spreadsheet's formula begins
_PRIVATE = (b"cache-control", b"private, no-cache")
_CSV = (b"content-type", b"text/csv; charset=utf-8")


class UsageBook(Protocol):
    async def sums(self, asked: UsageAsked) -> list[UsageRow]: ...


class Wish(msgspec.Struct, frozen=True):
    asked: UsageAsked
    columns: tuple[str, ...]  # of the answer, as they were asked for
    csv: bool


class Sight(msgspec.Struct, frozen=True):
    """What one may see: a key's own, or all, but for `only`; an admin also what the house paid."""

    key: int | None
    only: tuple[tuple[str, str], ...] = ()
    admin: bool = False


def sight_of(caller: Caller) -> Sight:
    if caller.admin:
        return Sight(key=None, admin=True)
    if caller.session is not None:
        return Sight(key=None, only=(("user", f"{caller.workspace}/{caller.user}"),))
    return Sight(key=caller.key_id)


def understand(query: bytes, sight: Sight, storefront: str | None, now: float) -> Wish:
    """`storefront`: the mount's, which shows nothing else. Raises GatewayError with the parameter's name."""
    said: dict[str, str] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in _KNOWN:
            raise invalid(f"{name[:80]} is no parameter of /v1/usage: it takes {', '.join(_KNOWN)}", name[:80])
        if name in said:
            raise invalid(f"{name} is there twice: say it once", name)
        if "\0" in value:
            raise invalid(f"{name} holds a NUL", name)
        said[name] = value
    today = datetime.fromtimestamp(now, UTC).date()
    last = _day(said, "to", today)
    first = _day(said, "from", last - timedelta(days=_DAYS - 1) if (last - _EPOCH).days >= _DAYS else _EPOCH)
    if first > last:
        raise invalid(f"from is {first} and to is {last}: the first day comes first", "from")
    columns = _columns(said.get("group_by", "day"))
    form = said.get("format", "json")
    if form not in ("json", "csv"):
        raise invalid(f"format is json or csv, not {form[:40]!r}", "format")
    where = [*sight.only, *((one, said[one]) for one in _FILTERS if one in said)]
    if storefront is not None:
        where.append(("storefront", storefront))
    tags = [one.removeprefix(_TAG) for one in columns if one.startswith(_TAG)]
    asked = UsageAsked(
        first=(first - _EPOCH).days,
        last=(last - _EPOCH).days,
        by=tuple(one for one in columns if not one.startswith(_TAG)),
        tag=tags[0] if tags else None,
        key=sight.key,
        where=tuple(where),
    )
    return Wish(asked, columns, form == "csv")


def _day(said: dict[str, str], name: str, otherwise: date) -> date:
    text = said.get(name)
    if text is None:
        return otherwise
    try:
        found = date.fromisoformat(text) if len(text) == len("2026-11-01") else None
    except ValueError:
        found = None
    if found is None or found < _EPOCH:
        raise invalid(f"{name} is a day such as 2026-11-01 (UTC), not {text[:40]!r}", name)
    return found


def _columns(text: str) -> tuple[str, ...]:
    found = tuple(one.strip() for one in text.split(",")) if text.strip() else ()
    for one in found:
        if one not in DIMENSIONS and (not one.startswith(_TAG) or one == _TAG):
            raise invalid(
                f"group_by: {one[:80]!r} is none of {', '.join(DIMENSIONS)}, and no tag of yours such as tag:team",
                "group_by",
            )
    if len(set(found)) < len(found) or sum(one.startswith(_TAG) for one in found) > 1:
        raise invalid("group_by takes each name once, and one tag", "group_by")
    return found


async def answer(book: UsageBook, question: Question, caller: Caller, now: float) -> Reply:
    mount = question.mount.id if question.mount is not None else None
    return await report(book, question.query, sight_of(caller), mount, now)


async def report(book: UsageBook, query: bytes, sight: Sight, mount: str | None, now: float) -> Reply:
    wish = understand(query, sight, mount, now)
    rows = await book.sums(wish.asked)
    if len(rows) > _MOST_ROWS:
        raise invalid(f"that makes {len(rows)} rows, more than {_MOST_ROWS}: ask for fewer days or names", "group_by")
    if wish.csv:
        return Reply(headers=[_CSV, _PRIVATE], body=_as_csv(wish, rows, admin=sight.admin))
    return Reply(headers=[JSON, _PRIVATE], body=msgspec.json.encode(_as_json(wish, rows, admin=sight.admin)))


def _names(wish: Wish, row: UsageRow) -> dict[str, Any]:
    named = dict(zip(wish.asked.by, row.names, strict=True))
    if "day" in named:
        named["day"] = str(_EPOCH + timedelta(days=int(named["day"])))
    return {one: row.tag if one.startswith(_TAG) else named[one] for one in wish.columns}


def _figures(figures: tuple[int, ...], *, admin: bool) -> dict[str, Any]:
    found = dict(zip(FIGURES, figures, strict=True))
    shown: dict[str, Any] = {
        "requests": found["requests"],
        "cost_usd": usd(found["cost"]),
        "credits": credits_text(found["credits"]),
    }
    if admin:
        shown["variance_usd"] = usd(found["variance"])
        shown["provider_cost_usd"] = usd(found["provider_cost"])
    return shown | {one: found[one] for one in BUCKETS}


def _as_json(wish: Wish, rows: list[UsageRow], *, admin: bool) -> dict[str, Any]:
    def shown(figures: tuple[int, ...]) -> dict[str, Any]:
        flat = _figures(figures, admin=admin)
        usage = {one: flat.pop(one) for one in BUCKETS}
        return {**flat, "usage": usage}

    real = [row.figures for row in rows if not row.simulated]
    total = tuple(map(sum, zip(*real, strict=True))) if real else (0,) * len(FIGURES)
    return {
        "object": "list",
        "from": str(_EPOCH + timedelta(days=wish.asked.first)),
        "to": str(_EPOCH + timedelta(days=wish.asked.last)),
        "group_by": wish.columns,
        "data": [{**_names(wish, row), "simulated": row.simulated, **shown(row.figures)} for row in rows],
        "total": shown(total),  # without what was simulated: it costs nothing
    }


def _as_csv(wish: Wish, rows: list[UsageRow], *, admin: bool) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*wish.columns, "simulated", *_figures((0,) * len(FIGURES), admin=admin)])
    for row in rows:
        names = [harmless(value) for value in _names(wish, row).values()]
        writer.writerow([*names, str(row.simulated).lower(), *_figures(row.figures, admin=admin).values()])
    return out.getvalue().encode()


def harmless(value: Any) -> str:
    """A spreadsheet takes what begins so for a formula, and tags are anybody's text."""
    text = "" if value is None else str(value)
    return "'" + text if text[:1] in RISKY else text
