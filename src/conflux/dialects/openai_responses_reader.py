"""Answers of the openai-responses dialect, read as events.

Law: items leave one after the other, however the upstream interleaved them; what comes for an item whose turn has not
come waits and is never lost. What an item's end says and no delta said is delivered then. Nothing foreign raises.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from conflux.dialects import citations
from conflux.dialects.base import Tally
from conflux.dialects.openai_responses_intake import FINAL, ResponsesIntake, Taken, texts_of
from conflux.dialects.openai_responses_wire import NAME
from conflux.neutral.events import (
    Aside,
    Began,
    BlockEnded,
    Event,
    Finished,
    RefusalDelta,
    Reported,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolBegan,
    ToolDelta,
)

# What is read of an item and of a part of its content, or says nothing to anybody else.
_READ = {
    "message": {"id", "type", "status", "role", "content", "phase"},
    "reasoning": {"id", "type", "status", "summary", "content", "encrypted_content"},
    "function_call": {"id", "type", "status", "call_id", "name", "arguments"},
    "custom_tool_call": {"id", "type", "status", "call_id", "name", "input"},
}
_PARTS = {"output_text": {"type", "text", "annotations", "logprobs"}, "refusal": {"type", "refusal"},
          "summary_text": {"type", "text"}, "reasoning_text": {"type", "text"}}  # fmt: skip
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}


class ResponsesReader:
    """An OpenAI Responses upstream's answer, as events."""

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self._intake = ResponsesIntake()
        self.tally: Tally = self._intake.tally
        self._names = names or {}
        self._items: dict[int, _Item] = {}
        self._turn: list[_Item] = []  # those that are not over, in their order
        self._began = False
        self._ended = False
        self._called = False
        self._chars = 0  # of the text of the items that are over

    def feed(self, data: bytes) -> list[Event]:
        return self._events(self._intake.cut(data))

    def end(self) -> list[Event]:
        events = self._events(self._intake.rest())
        self._intake.closed()
        return events + self._close(None)

    def whole(self, body: bytes) -> list[Event]:
        response = self._intake.take_whole(body)
        events: list[Event] = []
        self._begin(events)
        if response is not None:
            self._settle(response, events)
        return ([] if self.tally.fault is not None else events) + self._close(response)

    def _events(self, payloads: list[tuple[bytes, bytes]]) -> list[Event]:
        events: list[Event] = []
        for name, payload in payloads:
            taken = self._intake.take(name, payload)
            if taken is not None:
                self._begin(events)
                self._read(taken, events)
        if self.tally.done or self.tally.fault is not None:
            events += self._close(self._intake.final)
        return events

    def _begin(self, events: list[Event]) -> None:
        if not self._began and self.tally.fault is None:
            self._began = True
            events.append(Began(id=self.tally.upstream_id or "", model=self.tally.model or ""))

    def _read(self, taken: Taken, events: list[Event]) -> None:
        kind = taken.type
        if kind in FINAL:
            self._settle(self._intake.final or {}, events)
        elif kind == "response.output_item.added":
            self._item(taken.output_index, taken.item or {}, events)
        elif kind == "response.output_item.done":
            item = self._item(taken.output_index, taken.item or {}, events)
            self._finish(item, taken.item or {})
            self._advance(events)
        elif taken.output_index in self._items:
            self._items[taken.output_index].add(taken)
            self._advance(events)

    def _item(self, index: int, raw: dict[str, Any], events: list[Event]) -> "_Item":
        found = self._items.get(index)
        if found is None:
            found = self._items[index] = _Item(str(raw.get("type")))
            self._turn.append(found)
        found.know(raw, self._names)
        self._advance(events)
        return found

    def _settle(self, response: dict[str, Any], events: list[Event]) -> None:
        """The last word holds all items: those that no event told are told now."""
        for index, raw in enumerate(response.get("output") or ()):
            if isinstance(raw, dict) and (index not in self._items or not self._items[index].over):
                self._finish(self._item(index, raw, events), raw)
                self._advance(events)
        for item in self._turn:
            item.over = True
        self._advance(events)

    def _finish(self, item: "_Item", raw: dict[str, Any]) -> None:
        if not item.over:
            citations.note(self.tally.lost, *_unread(raw))
        item.finish(raw)

    def _advance(self, events: list[Event]) -> None:
        """Tell what may be told: the first item's news as they come, the next one's once it is over."""
        while self._turn:
            item = self._turn[0]
            item.tell(events, self._chars)
            if not item.over:
                return
            self._called = self._called or item.call
            self._chars += item.chars
            self._turn.pop(0)

    def _close(self, response: dict[str, Any] | None) -> list[Event]:
        if self._ended:
            return []
        self._ended = True
        if self.tally.fault is not None:
            return [self.tally.fault]
        events: list[Event] = []
        for item in self._turn:
            item.over = True
        self._advance(events)
        if response is not None:
            events.append(Finished(stop=self._stop(response)))
        if self.tally.usage is not None:
            events.append(Reported(usage=self.tally.usage))
        return events

    def _stop(self, response: dict[str, Any]) -> Stop:
        if response.get("status") == "incomplete":
            details = response.get("incomplete_details")
            reason = details.get("reason") if isinstance(details, dict) else None
            return Stop.CONTENT_FILTER if reason == "content_filter" else Stop.LENGTH
        return Stop.TOOL_CALLS if self._called else Stop.END


def _unread(raw: dict[str, Any]) -> Iterator[str]:
    """What of an item of a known kind no event carries."""
    known = _READ.get(str(raw.get("type")))
    if known is None:
        return
    yield from citations.beyond(raw, known)
    for field in ("content", "summary"):
        for part in raw.get(field) or () if isinstance(raw.get(field), list) else ():
            kind = part.get("type") if isinstance(part, dict) else None
            if isinstance(kind, str) and kind in _PARTS:
                yield from citations.beyond(part, _PARTS[kind])
            elif kind is not None:
                yield citations.named(kind)


class _Item:
    """One output item as it is put together: what came, and what of it was told."""

    __slots__ = ("_block", "_name", "_news", "_seen", "_told", "call", "call_id", "kind", "over")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.call = kind in _CALLS
        self.over = False
        self.call_id: str | None = None
        self._name: str | None = None
        self._news: list[Event] = []
        self._seen: dict[str, str] = {}  # what was said of it, by kind
        self._block = ""
        self._told = False  # a call's beginning was

    @property
    def chars(self) -> int:
        """Of its text, as far as it was told."""
        return sum(len(text) for name, text in self._seen.items() if name.startswith("text"))

    def know(self, raw: dict[str, Any], names: Mapping[str, str]) -> None:
        """A call begins once its id and its name are known."""
        if not self.call or self._told:
            return
        call_id, name = raw.get("call_id"), raw.get("name")
        self.call_id = self.call_id or (call_id if isinstance(call_id, str) else None)
        self._name = self._name or (name if isinstance(name, str) else None)
        if self.call_id and self._name:
            self._told = True
            name = names.get(self._name, self._name)
            custom = self.kind == "custom_tool_call"
            self._news.insert(0, ToolBegan(call_id=self.call_id, name=name, custom=custom))

    def add(self, taken: Taken) -> None:
        """A delta; or the whole text, where a done event says what no delta said."""
        channel, text = taken.channel, taken.text
        if not channel or not text:
            return
        if taken.is_done:
            text = self._unsaid(channel, taken.part, text)
        if text:
            self._say(channel, taken.part, text, taken.logprobs)

    def _unsaid(self, channel: str, part: int, text: str) -> str:
        """What a whole text adds to what was said of it; nothing where it says something else."""
        seen = self._seen.get(f"{channel}{part}", "")
        return text[len(seen) :] if text.startswith(seen) else ""

    def _say(self, channel: str, part: int, text: str, logprobs: Any = None) -> None:
        if channel == "thinking" and part and f"{channel}{part}" not in self._seen:
            self._news.append(ThinkingDelta(text="\n\n"))
        key = f"{channel}{part}"
        self._seen[key] = self._seen.get(key, "") + text
        match channel:
            case "text":
                shown = {"content": logprobs} if logprobs else None
                self._news.append(TextDelta(text=text, logprobs=shown))
            case "refusal":
                self._news.append(RefusalDelta(text=text))
            case "thinking":
                self._news.append(ThinkingDelta(text=text))
            case _:
                self._news.append(ToolDelta(arguments=text))

    def finish(self, raw: dict[str, Any]) -> None:
        """The whole item: what of it nobody has said yet."""
        if self.over:
            return
        for channel, part, text in texts_of(raw):
            rest = self._unsaid(channel, part, text)
            if rest:
                self._say(channel, part, rest, raw["content"][part].get("logprobs") if channel == "text" else None)
        if self.kind not in _READ:
            self._news.append(Aside(dialect=NAME, kind=self.kind, value=raw))
        elif self.kind == "message":
            self._cite(raw)
        if self.kind == "function_call" and not any(self._seen.values()) and raw.get("status") != "incomplete":
            self._news.append(ToolDelta(arguments="{}"))
        sealed = raw.get("encrypted_content")
        if self.kind == "reasoning" and isinstance(sealed, str) and sealed:
            self._news.append(ThinkingDelta(signature=sealed, issuer=NAME))
        self.over = True

    def _cite(self, raw: dict[str, Any]) -> None:
        """What its text cites, with the places in it counted from its beginning."""
        base = 0
        for part in raw["content"] if isinstance(raw.get("content"), list) else ():
            notes = part.get("annotations") if isinstance(part, dict) else None
            for value in notes if isinstance(notes, list) else ():
                if isinstance(value, dict):
                    link = citations.read_openai(value, base)
                    self._news.append(Aside(dialect=NAME, kind="citation", value=value, link=link))
            text = part.get("text") if isinstance(part, dict) else None
            base += len(text) if isinstance(text, str) else 0

    def tell(self, events: list[Event], before: int) -> None:
        """`before`: the characters of all earlier items' text."""
        if self.call and not self._told:
            if not self.over:
                return
            self._news.clear()  # a call that nobody named is none
            self.call = False
        for event in self._news:
            if isinstance(event, Aside):
                events.append(_placed(event, before))
                continue
            block = type(event).__name__ if not isinstance(event, ToolBegan) else "ToolDelta"
            if self._block and block != self._block:
                events.append(BlockEnded())
            self._block = block
            events.append(event)
        self._news.clear()
        if self.over and self._block:
            events.append(BlockEnded())
            self._block = ""


def _placed(event: Aside, before: int) -> Aside:
    link = event.link
    if link is None or link.start is None or not before:
        return event
    end = None if link.end is None else link.end + before
    return replace(event, link=replace(link, start=link.start + before, end=end))
