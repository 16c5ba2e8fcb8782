"""Mutations: what turns sound bytes into bytes that parsers trip over.

Law: all chance comes from the given source, so that a failure can be had again. Most mutations keep the JSON whole and
change what it says; the rest break bytes.
"""

import re
from collections.abc import Callable, Sequence
from random import Random

_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null|\[DONE\]')

INTERESTING = (
    b"null",
    b"true",
    b"false",
    b"0",
    b"-1",
    b"1",
    b"128",
    b"1.5",
    b"-0.0",
    b"1e999",
    b"1e308",
    b"NaN",
    b"9" * 30,
    b"9" * 5000,
    b'""',
    b'"x"',
    b'" :"',
    b'"\\u0022:"',
    b'"\\u003a"',
    b'"\\ud800"',
    b'"\\ud83d\\ude00"',
    b'"\\u0000"',
    b'"\xff"',
    b'"\xe2\x80\xa8"',
    b'"role"',
    b'"tool_calls"',
    b'"function"',
    b'"index"',
    b'"content"',
    b'"error"',
    b'"stop"',
    b'"length"',
    b'"{"',
    b'"}"',
    b'"{}"',
    b"[]",
    b"{}",
    b"[{}]",
    b"[null]",
    b'{"index":1}',
    b'{"a":1,"a":2}',
    b"[" * 70 + b"]" * 70,
    b"[" * 3000,
    b'{"x":' * 70 + b"1" + b"}" * 70,
)

BYTES = (
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"data: ",
    b"data:",
    b"event: error\n",
    b": x\n",
    b"\xef\xbb\xbf",
    b"\x00",
    b"\xff",
    b"\xed\xa0\x80",
    b"[DONE]",
    b"data: [DONE]\n\n",
    b",",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"\\",
    b" ",
)


def _token(data: bytes, chance: Random) -> bytes:
    """Another value in the place of one, or its key's."""
    found = [match.span() for match in _TOKEN.finditer(data)]
    if not found:
        return _insert(data, chance)
    start, end = chance.choice(found)
    return data[:start] + chance.choice(INTERESTING) + data[end:]


def _swap(data: bytes, chance: Random) -> bytes:
    """One value in the place of another."""
    found = [match.span() for match in _TOKEN.finditer(data)]
    if len(found) < 2:
        return data
    (start, end), (one, other) = chance.choice(found), chance.choice(found)
    return data[:start] + data[one:other] + data[end:]


def _add_key(data: bytes, chance: Random) -> bytes:
    """One more key, perhaps a second of its name."""
    places = [match.end() for match in re.finditer(rb"\{", data)]
    names = re.findall(rb'"[a-z_]+":', data)
    if not places or not names:
        return data
    place = chance.choice(places)
    return data[:place] + chance.choice(names) + chance.choice(INTERESTING) + b"," + data[place:]


def _insert(data: bytes, chance: Random) -> bytes:
    place = chance.randint(0, len(data))
    return data[:place] + chance.choice(BYTES) + data[place:]


def _flip(data: bytes, chance: Random) -> bytes:
    if not data:
        return data
    place = chance.randrange(len(data))
    return data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]


def _span(data: bytes, chance: Random) -> tuple[int, int]:
    start = chance.randint(0, len(data))
    return start, min(len(data), start + chance.choice((1, 3, 20, 200)))


def _delete(data: bytes, chance: Random) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + data[end:]


def _repeat(data: bytes, chance: Random) -> bytes:
    start, end = _span(data, chance)
    return data[:end] + data[start:end] * chance.randint(1, 3) + data[end:]


def _truncate(data: bytes, chance: Random) -> bytes:
    return data[: chance.randint(0, len(data))]


def _line_ends(data: bytes, chance: Random) -> bytes:
    return data.replace(b"\n", chance.choice((b"\r\n", b"\r", b"\n\n", b"\n: x\n")))


_MUTATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _token,
    _token,
    _token,
    _token,
    _swap,
    _swap,
    _add_key,
    _add_key,
    _insert,
    _flip,
    _delete,
    _repeat,
    _truncate,
    _line_ends,
)


def mutated(seeds: Sequence[bytes], chance: Random) -> bytes:
    data = chance.choice(seeds)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        data = chance.choice(_MUTATIONS)(data, chance)
    if chance.random() < 0.05:
        other = chance.choice(seeds)
        data = data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]
    return data
