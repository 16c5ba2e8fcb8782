"""JSON read once, strictly.

Law: what two readers could understand differently is refused before anybody acts on it: duplicate keys, NaN and
Infinity, lone surrogates, nesting beyond 64, numbers no reader agrees on. The object returned is the only one
that policies see and the only one that is forwarded.
"""

import json
import re
from typing import Any, Never

import msgspec

from conflux.neutral.errors import GatewayError, invalid

MAX_DEPTH = 64

_KEY = re.compile(rb'"\s*:')
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def decode_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`, or a 400 that says what is wrong with it."""
    try:
        value = _decode(raw)
    except msgspec.DecodeError as error:
        raise invalid(f"the body is not valid JSON: {error}") from None
    except UnicodeDecodeError:
        raise invalid("the body is not valid UTF-8") from None
    except RecursionError:
        raise _too_deep() from None
    if type(value) is not dict:
        raise invalid("the body must be a JSON object")
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        _check_depth(value)
    _check_duplicates(raw, value)
    return value


def encode(value: Any) -> bytes:
    return _encode(value)


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


def _check_duplicates(raw: bytes, value: dict[str, Any]) -> None:
    """As many keys in the text as in what was read. Escapes could hide a key from the count (a quote or a colon
    written as \\u00..), so a body with such escapes, or one whose counts differ, is read again the slow, exact way."""
    if b"\\u00" not in raw:
        try:
            again = _encode(value)
        except UnicodeEncodeError:
            raise invalid("the body holds a lone surrogate, which is not text") from None
        if _keys_in(raw) == again.count(b'":'):
            return
    try:
        json.loads(raw, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise _too_deep() from None
    try:
        _encode(value)
    except UnicodeEncodeError:
        raise invalid("the body holds a lone surrogate, which is not text") from None


def _keys_in(raw: bytes) -> int:
    """Counting is four times faster than the pattern, and exact where no colon has white space before it."""
    if b" :" in raw or b"\n:" in raw or b"\t:" in raw or b"\r:" in raw:
        return len(_KEY.findall(raw))
    return raw.count(b'":')


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise invalid(f"the body has the key {key[:80]!r} twice in one object", param=key[:80])
            seen.add(key)
    return found


def _no_constant(name: str) -> Never:
    raise invalid(f"the body is not valid JSON: {name} is not a number")
