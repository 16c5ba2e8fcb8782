"""The golden tables of the anthropic-messages dialect.

Law: the tables are data; what they shorten (see their heads) is put back here, so that tests compare exact bytes.
"""

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from conflux.dialects.anthropic_messages import AnthropicMessages
from conflux.dialects.base import Tally, Wanted
from conflux.neutral import events
from conflux.neutral.events import Event, Fault
from conflux.neutral.request import Request
from conflux.neutral.usage import Usage

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "anthropic-messages"

MESSAGES = AnthropicMessages()
WANTED = Wanted(answer_id="msg_ours", model="house/model", created=1700000009, include_usage=True)
BILLED = Usage(input=11, output=7)  # where nobody counted
USER: Any = [{"role": "user", "content": "Hi"}]


@dataclass(frozen=True)
class GoldenStream:
    name: str
    wire: bytes
    events: tuple[Event, ...]
    relayed: bytes
    written: bytes
    output_bytes: int
    finished: bool
    absurd: bool

    def __str__(self) -> str:
        return self.name

    @property
    def fault(self) -> Fault | None:
        return next((event for event in self.events if isinstance(event, Fault)), None)

    @property
    def whole(self) -> bool:
        return self.finished and self.fault is None

    def noted(self, tally: Tally) -> None:
        assert tally.output_bytes == self.output_bytes
        assert tally.finished is self.finished
        assert tally.usage_absurd is self.absurd


@cache
def streams() -> tuple[GoldenStream, ...]:
    data = tomllib.loads((FOLDER / "streams.toml").read_text())
    names = {"UP": data["up"], "OURS": data["ours"]}

    def bytes_of(text: str) -> bytes:
        lines = [names.get(line, line) for line in text.strip().split("\n") if line]
        return b"".join(_event_bytes(line) for line in lines)

    return tuple(
        GoldenStream(
            name=row["name"],
            wire=bytes_of(row["wire"]),
            events=tuple(_event(line) for line in row["events"].strip().split("\n")),
            relayed=bytes_of(row["relayed"]),
            written=bytes_of(row.get("written") or row["relayed"].replace('{"type":"ping"}\n', "")),
            output_bytes=row["output_bytes"],
            finished=row.get("finished", True),
            absurd=row.get("absurd", False),
        )
        for row in data["stream"]
    )


def _event_bytes(line: str) -> bytes:
    try:
        name = json.loads(line)["type"]
    except ValueError:
        name = "message_start"
    return f"event: {name}\ndata: {line}\n\n".encode()


def _event(line: str) -> Event:
    ((name, fields),) = json.loads(line).items()
    found: Event = msgspec.convert(fields, getattr(events, name))
    return found


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "max_tokens": 50, "messages": USER} | fields).encode()


def read(**fields: Any) -> Request:
    return MESSAGES.read_request(MESSAGES.open(body(**fields)))
