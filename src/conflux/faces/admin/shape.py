"""The form of every answer of the admin API: JSON, a page of rows, CSV, an error.

Law: errors have the shape they have on every OpenAI path of this gateway. A page says with `next` how to go on; a
cursor is a text that nobody needs to read. CSV has the columns of the rows, and no cell that a spreadsheet would run.
"""

import base64
import binascii
import csv
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.responses import Response

from conflux.dialects.openai_errors import body as openai_error
from conflux.faces.usage import RISKY, harmless
from conflux.neutral.errors import ConfigError, GatewayError, Kind, NoSuch, invalid

USUAL, MOST = 50, 500
_TOLD_MOST = 20  # mistakes of a file
_GROUPS = "budgets|catalogue|credentials|credits|keys|ledger|models|plans|policies|probe|retention|users|workspaces"
_OPERATION = re.compile(rf"^(?:(?:{_GROUPS}) [a-z]+|reconcile): ")
_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")
_COMMAND = re.compile(r" \(`conflux [^`]*`\)|: `conflux [^`]*` (?:shows|lists) them")
_PRIVATE = {"cache-control": "private, no-store", "x-content-type-options": "nosniff"}


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = msgspec.json.encode(content)
    return Response(body, status, {**_PRIVATE, **(headers or {})}, "application/json")


def text(content: str, kind: str, headers: dict[str, str]) -> Response:
    return Response(content.encode(), 200, {**_PRIVATE, **headers}, kind)


def nothing() -> Response:
    return Response(b"", 204, _PRIVATE)


def refusal(error: GatewayError) -> Response:
    status, content = openai_error(error, "openai")
    headers = {**_PRIVATE, **{name.decode(): value.decode() for name, value in error.told()}}
    return Response(content, status, headers, "application/json")


def said(error: ConfigError) -> GatewayError:
    """An operation's mistakes, as an error of the API."""
    told, more = error.problems[:_TOLD_MOST], len(error.problems) - _TOLD_MOST
    if more > 0:
        told.append(f"and {more} more")
    return GatewayError(Kind.NOT_FOUND if isinstance(error, NoSuch) else Kind.INVALID, "; ".join(map(_plain, told)))


def _plain(problem: str) -> str:
    """Without the command line's words: its options are fields here, and its commands are of no use."""
    fields = _OPTION.sub(lambda found: found[1].replace("-", "_"), _OPERATION.sub("", problem))
    return _COMMAND.sub("", fields)


class Asked(msgspec.Struct, frozen=True):
    """How a list is wanted."""

    limit: int
    cursor: str | None
    csv: bool

    @property
    def after(self) -> str | None:
        """What the cursor stands for."""
        return None if self.cursor is None else uncover(self.cursor)

    @property
    def number(self) -> int | None:
        after = self.after
        if after is None:
            return None
        if not after.isascii() or not after.isdigit() or int(after) >= 1 << 63:
            raise invalid("cursor: this is none that was given out here", "cursor")
        return int(after)


def cover(after: str | int) -> str:
    return base64.urlsafe_b64encode(str(after).encode()).decode().rstrip("=")


def uncover(cursor: str) -> str:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise invalid("cursor: this is none that was given out here", "cursor") from None


def moment(text: str | None, name: str) -> int | None:
    """As unix milliseconds."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"{name} is a day such as 2026-11-01, or 2026-11-01T12:00 (UTC), not {text!r}", name) from None
    found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    milliseconds = int(found.timestamp() * 1000)
    if not 0 <= milliseconds < 1 << 42:
        raise invalid(f"{name} is too far away", name)
    return milliseconds


def listed(rows: Sequence[dict[str, Any]], asked: Asked, name: str) -> Response:
    """Rows that are all at hand: the page after the cursor, which counts them."""
    start = asked.number or 0
    chosen = rows[start : start + asked.limit]
    more = start + asked.limit < len(rows)
    return page(chosen if not asked.csv else rows, asked, name, start + asked.limit if more else None)


def page(rows: Sequence[dict[str, Any]], asked: Asked, name: str, following: str | int | None) -> Response:
    if asked.csv:
        return as_csv(rows, name)
    return answer({"data": rows, "next": cover(following) if following is not None else None})


def as_csv(rows: Sequence[dict[str, Any]], name: str) -> Response:
    out = io.StringIO()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    headers = {**_PRIVATE, "content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(out.getvalue().encode(), 200, headers, "text/csv; charset=utf-8")


def _cell(value: Any) -> Any:
    kind = type(value)
    if kind is int:
        return value
    if kind is str:
        return "'" + value if value[:1] in RISKY else value
    if kind is bool:
        return "true" if value else "false"
    return harmless(msgspec.json.encode(value).decode() if value is not None else None)
