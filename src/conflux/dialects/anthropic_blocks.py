"""The blocks of a messages answer, as a strict client needs them.

Law: clients find blocks by counting, and break at an event for one that they do not know. So blocks are numbered
here, from 0 and without gaps; one that is begun twice is two; what ends none is dropped; what continues none is a
fault. Every block has the fields that its kind begins with, and every call a name and an id of its own.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Raw

from conflux.dialects import strict_json
from conflux.dialects.anthropic_answer_wire import Block, Delta, Event
from conflux.dialects.call_ids import made_up

# Which deltas belong into which blocks, and what they bring; input goes into all others.
_SAID_IN = {
    "text_delta": ("text", "text"),
    "citations_delta": ("text", "citation"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("thinking", "signature"),
    "input_json_delta": ("", "partial_json"),
}
_SPEAKING = frozenset({"text", "thinking", "redacted_thinking"})
_BEGINS: dict[str, dict[str, Any]] = {
    "text": {"text": ""},
    "thinking": {"thinking": "", "signature": ""},
    "tool_use": {"input": {}},
}


class Unplaced(Exception):
    """The answer cannot be put into blocks."""


class Blocks:
    """Those of one answer."""

    __slots__ = ("_ids", "_next", "ended", "open")

    def __init__(self) -> None:
        self.open: dict[int, tuple[int, str]] = {}  # the upstream's number: ours, and the kind
        self.ended: int | None = None  # the block that the last one took the place of
        self._next = 0
        self._ids: set[str] = set()

    def begin(self, event: Event, kind: str) -> None:
        """Gives the event its number."""
        replaced = self.open.pop(event.index, None)
        self.ended = replaced[0] if replaced is not None else None
        self.open[event.index] = self._next, kind
        event.index = self._next
        self._next += 1

    def add(self, event: Event, delta: Delta) -> bool:
        """Gives the event its number. Is there anything in it?"""
        found = self._find(event.index)
        home = _SAID_IN.get(delta.type)
        if found is None or (home is not None and home[0] != (found[1] if found[1] in _SPEAKING else "")):
            raise Unplaced("the answer continues a block that is not open")
        event.index = found[0]
        return home is None or getattr(delta, home[1]) not in (None, UNSET)

    def end(self, event: Event) -> bool:
        """Gives the event its number. Was such a block open?"""
        found = self._find(event.index)
        if found is None:
            return False
        self.open = {place: one for place, one in self.open.items() if one != found}
        event.index = found[0]
        return True

    def _find(self, place: int) -> tuple[int, str] | None:
        """A number may be missing where there is one block only that it can mean."""
        found = self.open.get(place)
        if found is None and place < 0 and len(self.open) == 1:
            (found,) = self.open.values()
        return found

    def filled(self, raw: Raw, block: Block, seed: str) -> Raw:
        """The block as it may pass. `seed`: of the answer; another answer's calls must not get the same ids."""
        said: dict[str, Any] = {}
        for name, value in _BEGINS.get(block.type, {}).items():
            if getattr(block, name) in (None, UNSET):
                said[name] = value
        if block.type == "tool_use":
            if not block.name:
                raise Unplaced("the answer has a tool call without a name")
            if not block.id or block.id in self._ids:
                block.id = said["id"] = made_up(seed, len(self._ids), block.name, bytes(raw), prefix="toolu_")
            self._ids.add(block.id)
        if not said:
            return raw
        fields = msgspec.json.decode(raw, type=dict[str, Raw])
        return Raw(strict_json.encode(fields | said))
