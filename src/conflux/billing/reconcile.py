"""A provider's invoice against the ledger, line by line.

Law: pure. Lines are matched by the id that the provider gave its answer. What only one side has and what the two say
differently is listed; nothing is guessed. Figures are exact: a cost is a decimal text, never a float.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from conflux.neutral.errors import ConfigError

# What is compared, and what providers' exports call it.
COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("id", "generation_id", "request_id", "response_id", "upstream_id"),
    "cost": ("cost", "cost_usd", "total_cost", "amount", "amount_usd", "usage"),
    "input": (
        *("input_tokens", "prompt_tokens", "tokens_prompt", "n_context_tokens_total"),
        *("usage.input_tokens", "usage.prompt_tokens"),
    ),
    "output": (
        *("output_tokens", "completion_tokens", "tokens_completion", "n_generated_tokens_total"),
        *("usage.output_tokens", "usage.completion_tokens"),
    ),
    "model": ("model", "model_id", "model_name"),
}
_CURRENCY = frozenset({"currency", "currency_code", "cost_currency"})
_DIGITS = 18
_DECIMAL = re.compile(r"(-?)(\d{1,15})(?:\.(\d{1,18}))?(?:[eE]([+-]?\d{1,2}))?", re.ASCII)
_GROUPED = re.compile(r"[$-]*\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)  # 1,234.5; a comma for the point is a mistake
_PER_NANO = 10 ** (_DIGITS - 9)


class Billed(NamedTuple):
    """One line, of the invoice or of the ledger. None: it does not say."""

    id: str
    cost: int | None = None  # of 10**-18 USD
    input: int | None = None
    output: int | None = None
    model: str | None = None
    place: str = ""  # where it stands: the line of the file, or the request


class Difference(NamedTuple):
    kind: str  # missing: not on the invoice | extra: not in the ledger | differs
    id: str
    place: str
    field: str = ""
    ours: str = ""
    theirs: str = ""


def read(text: str, name: str, said: Mapping[str, str]) -> list[Billed]:
    """CSV with a head, JSON (a list of objects, or an object with one), or JSON lines. `said`: which of its columns
    mean what. Raises ConfigError with every mistake's line."""
    rows = list(_rows(text, name))
    if not rows:
        raise ConfigError([f"{name} has no lines"])
    # A line of JSON may leave out what it does not say, the first one too.
    columns = _columns(dict.fromkeys(one for _, row in rows for one in row), name, said)
    problems: list[str] = []
    found = [_billed(place, row, columns, problems) for place, row in rows]
    if problems:
        raise ConfigError([f"{name}: {problem}" for problem in problems[:20]])
    return found


def _rows(text: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    start = text.lstrip("\ufeff \t\r\n")
    if start[:1] not in ("[", "{"):
        yield from _csv_rows(start, name)
        return
    decode = msgspec.json.Decoder(float_hook=str).decode
    try:
        whole = decode(start)
    except (msgspec.DecodeError, RecursionError):
        try:
            for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
                if line.strip():
                    yield f"line {number}", _object(decode(line), name, f"line {number}")
        except (msgspec.DecodeError, RecursionError) as error:
            raise ConfigError([f"{name} line {number}: this is neither CSV nor JSON: {error}"]) from None
        return
    rows = whole if isinstance(whole, list) else next((one for one in whole.values() if isinstance(one, list)), [whole])
    for number, row in enumerate(rows, 1):
        yield f"row {number}", _object(row, name, f"row {number}")


def _csv_rows(text: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    head = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=head.count))
    try:
        for row in reader:
            yield f"line {reader.line_num}", row
    except csv.Error as error:
        raise ConfigError([f"{name} line {reader.line_num}: this is no CSV: {error}"]) from None


def _object(row: Any, name: str, place: str) -> dict[str, Any]:
    """With what lies in objects within it as columns of its own, such as `usage.prompt_tokens`."""
    if not isinstance(row, dict):
        raise ConfigError([f"{name} {place}: an object with the columns is wanted"])
    found: dict[str, Any] = {}
    for column, value in row.items():
        if isinstance(value, dict):
            found |= {f"{column}.{inner}": one for inner, one in value.items()}
        else:
            found[column] = value
    return found


def _columns(row: Mapping[str, Any], name: str, said: Mapping[str, str]) -> dict[str, str]:
    problems = [f"--columns: {one!r} is none of {', '.join(COLUMNS)}" for one in said if one not in COLUMNS]
    problems += [
        f"--columns: {name} has no column {column!r}; it has {', '.join(map(str, row))}"
        for column in said.values()
        if column not in row
    ]
    found = dict(said)
    plain = {_plain(column): column for column in reversed(list(row))}
    for one, usual in COLUMNS.items():
        known = next((plain[name] for name in usual if name in plain and plain[name] not in found.values()), None)
        if one not in found and known is not None:
            found[one] = known
    if not problems and "id" not in found:
        problems.append(f"{name} has no column with the provider's ids that is known: say --columns id=NAME")
    if not problems and found.keys().isdisjoint(("cost", "input", "output")):
        # With ids alone nothing could ever differ, and all would seem to be well.
        problems.append(f"{name} has no column with costs or tokens that is known: say --columns cost=NAME")
    if problems:
        raise ConfigError(problems)
    return found


def _plain(column: Any) -> str:
    """`Request ID` is request_id to whoever writes it."""
    return str(column).strip().casefold().replace(" ", "_")


def _billed(place: str, row: Mapping[str, Any], columns: Mapping[str, str], problems: list[str]) -> Billed:
    def value(one: str) -> str:
        found = row.get(columns.get(one, ""))
        return "" if found is None else str(found).strip()

    def number(one: str) -> int | None:
        text = value(one)
        if not text:
            return None
        try:
            plain = text.replace(",", "") if _GROUPED.fullmatch(text) else text
            return exact(plain) if one == "cost" else int(plain)
        except ValueError:
            problems.append(f"{place}: {columns[one]}: {text[:40]!r} is no {'amount' if one == 'cost' else 'count'}")
            return None

    other = next((one for name, one in row.items() if one and _plain(name) in _CURRENCY), "USD")
    if "cost" in columns and str(other).strip().upper() != "USD":
        problems.append(f"{place}: {str(other)[:40]!r} is not USD, and nothing else can be compared")
    if not value("id"):
        problems.append(f"{place}: {columns['id']} is empty")
    return Billed(value("id"), number("cost"), number("input"), number("output"), value("model") or None, place)


def exact(text: str) -> int:
    """A decimal as an integer of 10**-18, finer digits cut. Raises ValueError."""
    found = _DECIMAL.fullmatch(text.removeprefix("$"))
    if found is None:
        raise ValueError(text)
    fraction, power = found.group(3) or "", int(found.group(4) or 0)
    digits, shift = int(found.group(2) + fraction), _DIGITS - len(fraction) + power
    value: int = digits * 10**shift if shift >= 0 else digits // 10**-shift
    return -value if found.group(1) else value


def of_nano(nano: int | None) -> int | None:
    return None if nano is None else nano * _PER_NANO


def shown(value: int) -> str:
    whole, rest = divmod(abs(value), 10**_DIGITS)
    return f"{'-' if value < 0 else ''}{whole}" + (f".{rest:0{_DIGITS}d}".rstrip("0") if rest else "")


def unsaid(invoice: Iterable[Billed]) -> dict[str, int]:
    """What lines of it do not say, so that it was not compared, and on how many of them."""
    left = dict.fromkeys(("cost", "input", "output", "model"), 0)
    for one in invoice:
        for field in left:
            left[field] += getattr(one, field) is None
    return {field: count for field, count in left.items() if count}


def compare(invoice: Iterable[Billed], ledger: Iterable[Billed], tolerance: int = 0) -> list[Difference]:
    """`tolerance`: how far apart two costs may be, of 10**-18 USD."""
    ours: dict[str, Billed] = {}
    found: list[Difference] = []
    for one in ledger:
        if one.id in ours:
            found.append(Difference("differs", one.id, one.place, "id", "twice", "once"))
        ours[one.id] = one
    seen: set[str] = set()
    for theirs in invoice:
        mine = ours.get(theirs.id)
        if mine is None or theirs.id in seen:
            field = "id" if mine is not None else ""
            found.append(Difference("extra", theirs.id, theirs.place, field, "", "again" if field else ""))
            continue
        seen.add(theirs.id)
        found += _differences(mine, theirs, tolerance)
    found += [Difference("missing", one.id, one.place) for one in ours.values() if one.id not in seen]
    return found


def _differences(mine: Billed, theirs: Billed, tolerance: int) -> Iterator[Difference]:
    for field in ("model", "input", "output", "cost"):
        a, b = getattr(mine, field), getattr(theirs, field)
        if a is None or b is None or a == b or (field == "cost" and abs(a - b) <= tolerance):
            continue
        texts = (shown(a), shown(b)) if field == "cost" else (str(a), str(b))
        yield Difference("differs", theirs.id, theirs.place, field, *texts)
