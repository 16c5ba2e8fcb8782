"""The golden tables of the openai-chat dialect and of what is read like it, and the many ways one stream can arrive.

Law: the tables are data; what they shorten (see their heads) is put back here, so that tests compare exact bytes.
"""

import itertools
import json
import random
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from conflux.dialects.base import Tally, Wanted
from conflux.neutral import events
from conflux.neutral.events import Event, Fault
from conflux.neutral.usage import Usage

FOLDER = Path(__file__).resolve().parents[1] / "golden"
CHAT, COMPLETIONS = "openai-chat", "openai-completions"

WANTED = Wanted(answer_id="chatcmpl-ours", model="house/model", created=1700000009, include_usage=True)
UNASKED = msgspec.structs.replace(WANTED, include_usage=False)
BILLED = Usage(input=11, output=7)  # what the tables show as $


@dataclass(frozen=True)
class Golden:
    """One answer: what came, what it means, what the relay hands on."""

    name: str
    wire: bytes
    events: tuple[Event, ...]
    relayed: bytes  # to a client that asked for usage
    hidden: bytes  # to one that did not
    output_bytes: int
    finished: bool
    absurd: bool
    passes_untranslated: bool  # only a reader finds fault with it

    def __str__(self) -> str:
        return self.name

    @property
    def fault(self) -> Fault | None:
        return next((event for event in self.events if isinstance(event, Fault)), None)

    @property
    def usage(self) -> Usage | None:
        return next((event.usage for event in self.events if isinstance(event, events.Reported)), None)

    @property
    def canonical(self) -> bool:
        return self.name.startswith("canonical_")

    def tally(self, tally: Tally, *, relayed: bool = False) -> None:
        """Checks what was noted of this answer."""
        if self.passes_untranslated and not relayed:
            assert tally.fault == self.fault  # noted up to there: the rest of the table is what the relay notes
            return
        assert tally.fault == (None if self.passes_untranslated else self.fault)
        assert tally.output_bytes == self.output_bytes
        assert tally.finished is self.finished
        assert tally.usage_absurd is self.absurd
        if tally.fault is None:
            assert tally.usage == self.usage


def streams(dialect: str = CHAT) -> list[Golden]:
    return list(_load("streams", "stream", dialect))


def answers(dialect: str = CHAT) -> list[Golden]:
    return list(_load("answers", "answer", dialect))


@cache
def _load(table: str, kind: str, dialect: str) -> tuple[Golden, ...]:
    data = tomllib.loads((FOLDER / dialect / f"{table}.toml").read_text())
    found = []
    for row in data[kind]:
        relayed = row["relayed"]
        full = relayed.replace("$", data["billed"]).replace("~", data["ours"])
        found.append(
            Golden(
                name=row["name"],
                wire=row["wire"].replace("~", data["upstream"]).encode(),
                events=tuple(_event(line) for line in row["events"].strip().split("\n") if line),
                relayed=full.encode(),
                hidden=_unasked(relayed).replace("~", data["ours"]).encode(),
                output_bytes=row["output_bytes"],
                finished=row.get("finished", True),
                absurd=row.get("absurd", False),
                passes_untranslated=row.get("passes_untranslated", False),
            )
        )
    return tuple(found)


def _event(line: str) -> Event:
    ((name, fields),) = json.loads(line).items()
    found: Event = msgspec.convert(fields, getattr(events, name))
    return found


def _unasked(relayed: str) -> str:
    """The same stream without any usage: the chunk of its own goes, in others the field."""
    chunks = [chunk for chunk in relayed.split("\n\n") if not chunk.startswith("data: ~[]")]
    return "\n\n".join(chunk.split(',"usage":')[0] + "}" if ',"usage":' in chunk else chunk for chunk in chunks)


@dataclass(frozen=True)
class GoldenRequest:
    name: str
    wire: bytes
    shape: dict[str, Any]
    opened: dict[str, Any]
    neutral: dict[str, Any]
    forwarded: bytes
    written: bytes
    dropped: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


@cache
def requests(dialect: str = CHAT) -> tuple[GoldenRequest, ...]:
    data = tomllib.loads((FOLDER / dialect / "requests.toml").read_text())
    return tuple(
        GoldenRequest(
            name=row["name"],
            wire=row["wire"].encode(),
            shape={"model": "up", **json.loads(row.get("shape", "{}"))},
            opened=json.loads(row["opened"]),
            neutral=json.loads(row["neutral"]),
            forwarded=row["forwarded"].encode(),
            written=row["written"].encode(),
            dropped=tuple(row.get("dropped", ())),
        )
        for row in data["request"]
    )


def slim(value: Any) -> Any:
    """A record without what is at its default, as the tables write it."""
    if isinstance(value, msgspec.Struct):
        tag = value.__struct_config__.tag
        found = {"type": tag} if tag else {}
        for field in msgspec.structs.fields(value):
            now = getattr(value, field.name)
            empty = field.default_factory is not msgspec.NODEFAULT and not now
            if now != field.default and not empty:
                found[field.name] = slim(now)
        return found
    if isinstance(value, dict):
        return {name: slim(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | frozenset):
        return [slim(inner) for inner in (sorted(value) if isinstance(value, frozenset) else value)]
    return value


def cuts(data: bytes, seed: str, *, times: int = 3) -> Iterator[list[bytes]]:
    """The same bytes in pieces of 1, of 7, of 4096, and of random lengths."""
    for size in (1, 7, 4096):
        yield [data[place : place + size] for place in range(0, len(data), size)]
    source = random.Random(seed)
    for _ in range(times):
        places = sorted(source.choices(range(len(data) + 1), k=source.randint(1, 12)))
        edges = [0, *places, len(data)]
        yield [data[start:end] for start, end in itertools.pairwise(edges)]


def other_spellings(data: bytes) -> dict[str, bytes]:
    """The same event stream as other servers write it."""
    return {
        "crlf": data.replace(b"\n", b"\r\n"),
        "cr": data.replace(b"\n", b"\r"),
        "no space after the colon": re.sub(rb"(?m)^(data|event): ", rb"\1:", data),
        "comments, ids and retries": re.sub(rb"(?m)^data: ", b": ping\nid: 5\nretry: 10\nwhatever\ndata: ", data),
        "comments between": data.replace(b"\n\n", b"\n\n: keep-alive\n\n:\n\n"),
        "byte order mark": b"\xef\xbb\xbf" + data,
        "no final line end": data.rstrip(b"\n"),
        "one final line end": data.rstrip(b"\n") + (b"\n" if data else b""),
        "data on two lines": re.sub(rb"(?m)^data: \{", b"data: {\ndata: ", data),
        "blank lines": b"\n" + data.replace(b"\n\n", b"\n\n\n\n\n"),
        "event names": re.sub(rb"(?m)^data: (?=\{)", b"event: chunk\ndata: ", data) if b"event:" not in data else data,
    }
