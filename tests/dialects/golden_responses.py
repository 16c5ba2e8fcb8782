"""The golden table of the openai-responses dialect: what its upstreams stream, and what that means."""

import json
import math
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from conflux.dialects.base import Wanted
from conflux.neutral import events
from conflux.neutral.events import Event, Fault
from conflux.neutral.request import Request
from tests.dialects.golden import FOLDER

WANTED = Wanted(answer_id="resp_ours", model="house/model", created=1700000009, include_usage=True)
ASKED = Request(dialect="openai-responses", messages=(), echo={"include": ["reasoning.encrypted_content"]})


@dataclass(frozen=True)
class Stream:
    name: str
    wire: bytes
    events: tuple[Event, ...]
    output_bytes: int
    finished: bool
    absurd: bool

    def __str__(self) -> str:
        return self.name

    @property
    def fault(self) -> Fault | None:
        return next((event for event in self.events if isinstance(event, Fault)), None)

    @property
    def sound(self) -> bool:
        return self.finished and self.fault is None

    @property
    def core(self) -> list[Event]:
        return core(self.events)


@cache
def streams() -> tuple[Stream, ...]:
    data = tomllib.loads((FOLDER / "openai-responses" / "streams.toml").read_text())
    return tuple(
        Stream(
            name=row["name"],
            wire=b"".join(_event(line.replace("~", data["response"])) for line in _lines(row["wire"])),
            events=tuple(_neutral(line) for line in _lines(row["events"])),
            output_bytes=row["output_bytes"],
            finished=row.get("finished", True),
            absurd=row.get("absurd", False),
        )
        for row in data["stream"]
    )


def _lines(text: str) -> list[str]:
    return [line for line in text.strip().split("\n") if line]


def _event(line: str) -> bytes:
    kind = line.split('"type":"')[1].split('"')[0]
    return f"event: {kind}\ndata: {line}\n\n".encode()


def _neutral(line: str) -> Event:
    ((name, fields),) = json.loads(line).items()
    found: Event = msgspec.convert(fields, getattr(events, name))
    return found


def core(found: Any) -> list[Event]:
    """Joined, so that it does not matter in how many pieces something came."""
    joined: list[Event] = []
    for event in found:
        if isinstance(event, events.Began | events.Reported):
            continue
        last = joined[-1] if joined else None
        if type(last) is type(event) and isinstance(event, events.ToolDelta | events.ThinkingDelta | events.TextDelta):
            field = "arguments" if isinstance(event, events.ToolDelta) else "text"
            text = getattr(last, field) + getattr(event, field)
            changed = {name: getattr(event, name) or getattr(last, name) for name in event.__struct_fields__}
            joined[-1] = type(event)(**{**changed, field: text})
        else:
            joined.append(event)
    return joined


def _whole(digits: str) -> float:
    return int(digits) if len(digits) < 4000 else math.inf  # more are JSON, but nothing that int() reads


def data_of(out: bytes) -> list[Any]:
    """The events of a written stream, each under its own name."""
    found = []
    for block in out.split(b"\n\n"):
        if block:
            name, data = block.split(b"\n")
            found.append(json.loads(data.removeprefix(b"data: "), parse_int=_whole))
            assert name.removeprefix(b"event: ").decode() == found[-1]["type"]
    return found
