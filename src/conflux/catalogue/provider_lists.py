"""What a provider says of its models: its own list, or a file of facts about many providers.

Law: pure, and without belief. What does not read as what it should be is left out and named, never guessed; a body that
is no list is refused whole. Prices are exact: a number is read by its text, and one finer than the ledger is refused.
Nothing of the body but names of models and fields gets into a message: it may echo a credential.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from conflux.neutral.money import format_scaled

LIST_BYTES = 4 * 1024 * 1024  # the longest known list has a quarter of it
FILE_BYTES = 32 * 1024 * 1024
_BYTES_A_PIECE = 80  # of a list that is one; small pieces cost many times their size in memory
_MOST_MODELS = 10_000
_MOST_NOTES = 20
_MOST_TOKENS = 1_000_000_000
_NAME_LIMIT = 200
_MOST_PICO = {6: 10**12, 12: 10**15}  # a dollar for a token, a thousand for an item: nobody asks for more
_NUMBER = re.compile(r"(-?)(\d{1,24})(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,2}))?", re.ASCII)


class ListRefused(Exception):
    """A body that is no list of models."""


class Found(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One model as a provider states it. None and absent: not stated."""

    context: int | None = None
    max_output: int | None = None
    price: dict[str, str] = {}  # as a catalogue's row writes it, in USD
    lacks: tuple[str, ...] = ()  # capabilities that the statement rules out


class Listing(msgspec.Struct, frozen=True):
    models: dict[str, Found]
    notes: tuple[str, ...] = ()  # what was not understood, a line each


class _Notes:
    """Lines for people; of a list full of mistakes the first ones."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._more = 0

    def add(self, line: str) -> None:
        if len(self.lines) < _MOST_NOTES:
            self.lines.append(line)
        else:
            self._more += 1

    def all(self) -> tuple[str, ...]:
        return (*self.lines, f"and {self._more} more such lines") if self._more else tuple(self.lines)


# A JSON number with a point or exponent stays the text it is: it never becomes a binary float.
_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=str)


def read_list(data: bytes) -> Listing:
    """An answer to GET /models: {"data": [{"id": …}]}, with what OpenRouter and local servers add where it is there; or
    Gemini's {"models": [{"name": "models/…"}]}."""
    content = _json(data, LIST_BYTES)
    said = content if isinstance(content, dict) else {}
    rows = said.get("data", said.get("models"))
    if not isinstance(rows, list):
        raise ListRefused('not a list of models: there is no "data" with a list in it')
    if len(rows) > _MOST_MODELS:
        raise ListRefused(f"more than {_MOST_MODELS} models")
    if said.get("has_more") is True or said.get("nextPageToken"):
        raise ListRefused("only the first page of a list: set quirks.models_path of the provider to ask for all of it")
    notes = _Notes()
    found: dict[str, Found] = {}
    for row in rows:
        name = _name(row.get("id", _unprefixed(row.get("name"))) if isinstance(row, dict) else None)
        if name is None:
            notes.add("an entry without a usable id is left out")
        elif name in found:
            notes.add(f"{name}: listed twice; the first one counts")
        else:
            found[name] = _stated(row, name, notes)
    return Listing(found, notes.all())


def read_file(data: bytes) -> dict[str, Listing] | Listing:
    """A file of facts: providers, each with its models, by name; or a provider's list, as it was saved."""
    content = _json(data, FILE_BYTES)
    if isinstance(content, dict) and "data" in content:
        return read_list(data)
    if not isinstance(content, dict):
        raise ListRefused("neither a list of models nor providers with their models")
    listings: dict[str, Listing] = {}
    for provider, said in content.items():
        models = said.get("models") if isinstance(said, dict) else None
        if not isinstance(models, dict):
            continue
        notes = _Notes()
        found: dict[str, Found] = {}
        for key, row in models.items():
            name = _name(key)
            if name is None or not isinstance(row, dict):
                notes.add("an entry without a usable id is left out")
            else:
                found[name] = _facts(row, name, notes)
        listings[provider] = Listing(found, notes.all())
    if not listings:
        raise ListRefused("neither a list of models nor providers with their models")
    return listings


def _json(data: bytes, most: int) -> Any:
    if len(data) > most:
        raise ListRefused(f"more than {most} bytes")
    head = data[:200].lstrip()
    if not head:
        raise ListRefused("empty")
    if head.startswith(b"<"):
        raise ListRefused("a web page, not JSON")
    if data.count(b"{") + data.count(b"[") > most // _BYTES_A_PIECE:
        raise ListRefused("more pieces than any list of models has")
    try:
        return _DECODER.decode(data)
    except RecursionError:
        raise ListRefused("nested too deeply") from None
    except (msgspec.MsgspecError, ValueError):
        raise ListRefused("not JSON, or cut off") from None


def _unprefixed(name: object) -> object:
    return name.removeprefix("models/") if isinstance(name, str) else None


def _name(value: object) -> str | None:
    if not isinstance(value, str) or not 0 < len(value) <= _NAME_LIMIT:
        return None
    return value if value.isascii() and value.isprintable() and " " not in value else None


_PER_TOKEN = {
    "prompt": "input", "completion": "output", "input_cache_read": "cache_read", "input_cache_write": "cache_write_5m",
    "internal_reasoning": "reasoning", "audio": "audio",
}  # fmt: skip
_PER_ITEM = {"image": "image", "request": "request", "web_search": "search"}
_PER_MILLION = {
    "input": "input", "output": "output", "cache_read": "cache_read", "cache_write": "cache_write_5m",
    "reasoning": "reasoning", "input_audio": "audio",
}  # fmt: skip
_CONTEXTS = ("context_length", "max_model_len", "context_window", "inputTokenLimit")
_BY_INPUT = {"image": "vision", "file": "files", "audio": "audio"}
_BY_PARAMETER = {
    "tools": "tools", "reasoning": "reasoning", "structured_outputs": "structured_outputs",
    "response_format": "json_mode", "logprobs": "logprobs",
}  # fmt: skip


def _stated(row: Mapping[str, Any], name: str, notes: _Notes) -> Found:
    top = _table(row, "top_provider")
    price = _prices(_table(row, "pricing"), name, notes, ((_PER_TOKEN, 12, 6), (_PER_ITEM, 12, 12)))
    lacks = [
        *_absent(_table(row, "architecture").get("input_modalities"), _BY_INPUT),
        *_absent(row.get("supported_parameters"), _BY_PARAMETER),
    ]
    # What this router's first choice takes is what a request meets.
    context = _tokens(top, "context_length", name, notes) or _first(row, _CONTEXTS, name, notes)
    output = _tokens(top, "max_completion_tokens", name, notes) or _tokens(row, "outputTokenLimit", name, notes)
    return Found(context=context, max_output=output, price=price, lacks=tuple(sorted(lacks)))


def _facts(row: Mapping[str, Any], name: str, notes: _Notes) -> Found:
    limit = _table(row, "limit")
    lacks = _absent(_table(row, "modalities").get("input"), {"image": "vision", "audio": "audio"})
    lacks += [word for field, word in (("tool_call", "tools"), ("reasoning", "reasoning")) if row.get(field) is False]
    return Found(
        context=_tokens(limit, "context", name, notes),
        max_output=_tokens(limit, "output", name, notes),
        price=_prices(_table(row, "cost"), name, notes, ((_PER_MILLION, 6, 6),)),
        lacks=tuple(sorted(lacks)),
    )


def _table(row: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = row.get(field)
    return value if isinstance(value, dict) else {}


def _absent(stated: object, words: Mapping[str, str]) -> list[str]:
    """What a list that is there does not name. An empty one is not published, and rules nothing out."""
    if not isinstance(stated, list) or not stated:
        return []
    return [word for name, word in words.items() if name not in stated]


def _tokens(row: Mapping[str, Any], field: str, name: str, notes: _Notes) -> int | None:
    value = row.get(field)
    if value is None or (type(value) is int and value == 0):  # both are written where it is not known
        return None
    if type(value) is int and 0 < value <= _MOST_TOKENS:
        return value
    notes.add(f"{name}: {field}: not a number of tokens; it is left out")
    return None


def _first(row: Mapping[str, Any], fields: tuple[str, ...], name: str, notes: _Notes) -> int | None:
    return next((found for field in fields if (found := _tokens(row, field, name, notes)) is not None), None)


def _prices(
    said: Mapping[str, Any], name: str, notes: _Notes, groups: tuple[tuple[dict[str, str], int, int], ...]
) -> dict[str, str]:
    """(names, digits of the pico-unit, digits of the catalogue's notation). Beside input and output a zero says "not
    charged by itself", and stating it would make those tokens free: it is left out."""
    found: dict[str, str] = {}
    for names, digits, notation in groups:
        for field, bucket in names.items():
            value = said.get(field)
            if value is None:
                continue
            pico = _pico(value, digits, notation, partial(_wrong_price, notes, f"{name}: price of {field}"))
            if pico is not None and (pico or bucket in ("input", "output")):
                found[bucket] = format_scaled(pico, notation)
    return found


def _wrong_price(notes: _Notes, place: str, why: str) -> None:
    notes.add(f"{place}: {why}")


def _pico(value: object, digits: int, notation: int, wrong: Callable[[str], None]) -> int | None:
    """Exactly, in units of 10**-digits of what is stated. None where it is not stated, or not to be taken."""
    text = str(value) if type(value) is int else value
    match = _NUMBER.fullmatch(text) if isinstance(text, str) and len(text) <= 60 else None
    if match is None:
        wrong("not a decimal number; it is left out")
        return None
    sign, whole, fraction, exponent = match[1], match[2], match[3] or "", int(match[4] or 0)
    units = int(whole + fraction)
    if sign and units:
        return None  # -1 says: it depends
    power = digits - len(fraction) + exponent
    scaled: int
    scaled, rest = (units * 10**power, 0) if power >= 0 else divmod(units, 10**-power)
    if rest:
        wrong(f"{match[0]} is finer than money is counted here, as if a computer had rounded it; it is left out")
        return None
    if scaled > _MOST_PICO[notation]:
        wrong(f"{match[0]} is more than anybody asks for; it is left out")
        return None
    return scaled
