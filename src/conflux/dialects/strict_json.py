"""JSON read once, strictly.

Law: what two readers could understand differently is refused before anybody acts on it: duplicate keys, NaN and
Infinity, lone surrogates, nesting beyond 64, numbers no reader agrees on. The object returned is the only one
that policies see and the only one that is forwarded.
"""

import json
import re
from typing import Any

import msgspec

from conflux.neutral.errors import GatewayError, invalid

MAX_DEPTH = 64

_LARGE = 1024 * 1024
_CONTAINERS_MOST = 250_000
_VALUES_MOST = 1_000_000

_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")
_decode = msgspec.json.Decoder().decode
encode = msgspec.json.Encoder().encode


def decode_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`, or a 400 that says what is wrong with it."""
    return decode_measured(raw)[0]


def decode_measured(raw: bytes) -> tuple[dict[str, Any], int]:
    """The JSON object in `raw`, and its bytes as UTF-8 without white space and escapes that say nothing."""
    if len(raw) > _LARGE:
        _check_count(raw)
    try:
        value = _decode(raw)
    except msgspec.DecodeError as error:
        raise invalid(f"the body is not valid JSON: {_why(error, raw)}") from None
    except UnicodeDecodeError:
        raise invalid("the body is not valid UTF-8") from None
    except RecursionError:
        raise _too_deep() from None
    if type(value) is not dict:
        raise invalid("the body must be a JSON object")
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        _check_depth(value)
    again = encode(value)
    if again != raw and not _same_keys(raw, again):  # what clients write is mostly what we would have written
        json.loads(raw, object_pairs_hook=_unique)
    return value, len(again)


def _check_count(raw: bytes) -> None:
    """A large body of small values costs seconds, a large text costs nothing: count before reading. Marks inside of
    texts count too, so the bounds are far above what any conversation holds."""
    if raw.count(b"{") + raw.count(b"[") > _CONTAINERS_MOST or raw.count(b",") > _VALUES_MOST:
        raise invalid("the body holds more values than this gateway reads in one request")


def _why(error: msgspec.DecodeError, raw: bytes) -> str:
    text = str(error)
    if not raw.strip():
        return "it is empty"
    if _HALF_PAIR.search(raw) and ("surrogate" in text or "truncated" in text):
        return "it holds a lone surrogate, which is not text"
    return text.removeprefix("JSON is malformed: ").replace(" - at `$[...]`", "").lower()


def _too_deep() -> GatewayError:
    return invalid(f"the body is nested more than {MAX_DEPTH} levels deep")


def _check_depth(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            below += item.values() if type(item) is dict else item
        level = [item for item in below if type(item) is dict or type(item) is list]
        if not level:
            return
    raise _too_deep()


def _same_keys(raw: bytes, again: bytes) -> bool:
    """Does the text hold as many keys as what was read from it? Never true where one was lost, and cheap to say.

    A key has one colon; a colon inside a string is in both texts, unless it was written as an escape: such a text is
    not counted at all.
    """
    if b"\\" in raw and (b"\\u003a" in raw or b"\\u003A" in raw):
        return False
    return raw.count(b":") == again.count(b":")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise invalid(f"the body has the key {key[:80]!r} twice in one object", param=key[:80])
            seen.add(key)
    return found
