"""The golden tables of the gemini dialect.

Law: the tables are data. A stream's `wire` is a chunk a line, which are its events; the same lines gathered make no
plain answer, so those have a table of their own.
"""

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from conflux.dialects.base import Wanted
from conflux.neutral import events
from conflux.neutral.events import Event, Fault
from conflux.neutral.usage import Usage

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "gemini"
WANTED = Wanted(answer_id="gen-ours", model="house/model", created=1700000009, include_usage=True)
BILLED = Usage(input=11, output=7)


@dataclass(frozen=True)
class Golden:
    """One answer: what came, what it means, what the relay hands on."""

    name: str
    wire: bytes
    events: tuple[Event, ...]
    relayed: bytes
    written: bytes

    def __str__(self) -> str:
        return self.name

    @property
    def fault(self) -> Fault | None:
        return next((event for event in self.events if isinstance(event, Fault)), None)


@dataclass(frozen=True)
class GoldenRequest:
    name: str
    wire: bytes
    shape: dict[str, Any]
    neutral: dict[str, Any]
    forwarded: dict[str, Any]
    written: dict[str, Any]
    dropped: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


def stream_of(lines: str) -> bytes:
    return b"".join(b"data: " + line.encode() + b"\n\n" for line in lines.strip().split("\n") if line)


def event_of(line: str) -> Event:
    ((name, fields),) = json.loads(line).items()
    found: Event = msgspec.convert(fields, getattr(events, name))
    return found


@cache
def streams() -> tuple[Golden, ...]:
    return tuple(
        Golden(row["name"], stream_of(row["wire"]), _events(row), stream_of(row["relayed"]), stream_of(row["written"]))
        for row in _rows("streams", "stream")
    )


@cache
def answers() -> tuple[Golden, ...]:
    return tuple(
        Golden(row["name"], row["wire"].encode(), _events(row), row["relayed"].encode(), row["written"].encode())
        for row in _rows("answers", "answer")
    )


@cache
def requests() -> tuple[GoldenRequest, ...]:
    return tuple(
        GoldenRequest(
            name=row["name"],
            wire=row["wire"].encode(),
            shape={"model": "up", **json.loads(row.get("shape", "{}"))},
            neutral=json.loads(row["neutral"]),
            forwarded=json.loads(row["forwarded"]),
            written=json.loads(row["written"]),
            dropped=tuple(row.get("dropped", ())),
        )
        for row in _rows("requests", "request")
    )


def _rows(table: str, kind: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((FOLDER / f"{table}.toml").read_text())[kind]
    return rows


def _events(row: dict[str, Any]) -> tuple[Event, ...]:
    return tuple(event_of(line) for line in row["events"].strip().split("\n") if line)
