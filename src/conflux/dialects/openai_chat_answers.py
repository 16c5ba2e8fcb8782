"""Answers of the openai-chat dialect: read as events and written from events.

Law: blocks leave the reader one after the other, however the upstream interleaved them; what comes for a block that
is not open waits for its turn and is never lost. The writer adds nothing that no event said.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from conflux.dialects import strict_json
from conflux.dialects.base import Tally, Wanted
from conflux.dialects.openai_chat_answer_wire import (
    DONE,
    DONE_EVENT,
    Choice,
    ToolCallDelta,
    chunk_decoder,
    fault_of,
    is_null,
    note,
    note_usage,
    read_choices,
    text_of,
)
from conflux.dialects.openai_usage import write_usage
from conflux.dialects.sse import SseError, SseReader, write_data
from conflux.neutral.events import (
    Began,
    BlockEnded,
    Event,
    Fault,
    Finished,
    RefusalDelta,
    Reported,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolBegan,
    ToolDelta,
)
from conflux.neutral.usage import Usage

_STOPS = {
    "stop": Stop.END,
    "length": Stop.LENGTH,
    "tool_calls": Stop.TOOL_CALLS,
    "function_call": Stop.TOOL_CALLS,
    "content_filter": Stop.CONTENT_FILTER,
}
_REASONS = {
    Stop.END: "stop",
    Stop.LENGTH: "length",
    Stop.TOOL_CALLS: "tool_calls",
    Stop.STOP_SEQUENCE: "stop",
    Stop.CONTENT_FILTER: "content_filter",
    Stop.REFUSAL: "content_filter",
    Stop.PAUSE: "stop",
}


class ChatReader:
    """An OpenAI chat upstream's answer, as events."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._sse = SseReader()
        self._began = False
        self._open: dict[int, tuple[str, int]] = {}  # choice -> the block that is open: (what, tool index)
        self._named: dict[tuple[int, int], tuple[str | None, str | None, bool]] = {}  # call -> id, name, custom
        self._begun: set[tuple[int, int]] = set()
        self._parked: dict[tuple[int, int], list[str]] = {}  # arguments that wait for their block
        self._after: list[Event] = []  # what came while a tool call was open
        self._finishing: dict[int, Stop] = {}
        self._reported = False

    def feed(self, data: bytes) -> list[Event]:
        try:
            payloads = self._sse.feed(data)
        except SseError as error:
            return self._broken(str(error))
        return [event for _, payload in payloads for event in self._payload(payload)]

    def end(self) -> list[Event]:
        found = [event for _, payload in self._sse.end() for event in self._payload(payload)]
        return found + self._close()

    def whole(self, body: bytes) -> list[Event]:
        if not body.strip():
            return self._broken("the answer is empty")
        return self._payload(body) + self._close()

    def _broken(self, message: str) -> list[Event]:
        fault = Fault(message=message)
        self.tally.fault = fault
        return [fault]

    def _payload(self, payload: bytes) -> list[Event]:
        if self.tally.fault is not None:
            return []
        if payload == DONE:
            self.tally.finished = self.tally.done = True
            return self._close()
        try:
            chunk = chunk_decoder.decode(payload)
            if "error" in chunk and not is_null(chunk["error"]):
                self.tally.fault = fault_of(chunk["error"])
                return [self.tally.fault]
            raw = chunk.get("choices")
            if raw is None and "usage" not in chunk:
                return self._broken("the answer has no choices")
            choices = read_choices(raw)[1] if raw is not None else []
        except msgspec.MsgspecError as error:
            return self._broken(f"malformed answer: {error}")
        events: list[Event] = []
        if not self._began:
            self._began = True
            self.tally.upstream_id, self.tally.model = text_of(chunk.get("id")), text_of(chunk.get("model"))
            events.append(Began(id=self.tally.upstream_id or "", model=self.tally.model or ""))
        note(self.tally, choices)
        self.tally.events += 1
        for choice in choices:
            events += self._choice(choice)
        usage = chunk.get("usage")
        if usage is not None:
            note_usage(self.tally, usage)
        return events

    def _choice(self, choice: Choice) -> list[Event]:
        events: list[Event] = []
        delta, index = choice.delta or choice.message, choice.index
        if delta is not None:
            thinking = delta.reasoning_content or delta.reasoning
            if thinking:
                events += self._say("thinking", ThinkingDelta(text=thinking, index=index))
            if delta.content:
                events += self._say("text", TextDelta(text=delta.content, index=index, logprobs=choice.logprobs))
            if delta.refusal:
                events += self._say("refusal", RefusalDelta(text=delta.refusal, index=index))
            for place, call in enumerate(delta.tool_calls or ()):
                events += self._tool(index, call.index if call.index is not None else place, call)
            if delta.function_call is not None:
                call = ToolCallDelta(id=f"call_{delta.function_call.name or ''}", function=delta.function_call)
                events += self._tool(index, 0, call)
        if choice.finish_reason is not None:
            self._finishing[index] = _STOPS.get(choice.finish_reason, Stop.END)
        return events

    def _say(self, block: str, event: TextDelta | ThinkingDelta | RefusalDelta) -> list[Event]:
        now = self._open.get(event.index)
        if now is not None and now[0] == "tool":
            self._after.append(event)  # nobody says when a call ends: closing it now could cut it
            return []
        return [*self._switch(event.index, block), event]

    def _switch(self, index: int, block: str, tool: int = -1) -> list[Event]:
        now = self._open.get(index)
        if now == (block, tool):
            return []
        self._open[index] = (block, tool)
        return [BlockEnded(index=index)] if now is not None else []

    def _tool(self, index: int, tool: int, call: ToolCallDelta) -> list[Event]:
        key = (index, tool)
        inner = call.function or call.custom
        arguments = ((inner.arguments if call.custom is None else inner.input) or "") if inner else ""
        call_id, name, custom = self._named.get(key, (None, None, False))
        call_id, name = call_id or call.id or None, name or (inner.name if inner else None) or None
        self._named[key] = (call_id, name, custom or call.custom is not None)
        self._parked.setdefault(key, []).append(arguments)
        now = self._open.get(index)
        if name is None or (now is not None and now[0] == "tool" and now[1] != tool):
            return []  # not named yet, or another call is open: it waits for its turn
        return self._flush(key)

    def _flush(self, key: tuple[int, int]) -> list[Event]:
        index, tool = key
        events: list[Event] = []
        if key not in self._begun:
            self._begun.add(key)
            call_id, name, custom = self._named[key]
            events += self._switch(index, "tool", tool)
            events.append(
                ToolBegan(call_id=call_id or f"call_{index}_{tool}", name=name or "", index=index, custom=custom)
            )
        text = "".join(self._parked.pop(key, ()))
        if text:
            events.append(ToolDelta(arguments=text, index=index))
        return events

    def _close(self) -> list[Event]:
        """Let what waited have its turn, end what is open, then say how it ended and what it used."""
        if self.tally.fault is not None or self._reported:
            return []
        self._reported = True
        events: list[Event] = []
        for key in sorted(self._parked):
            events += self._flush(key)
        for event in self._after:
            if isinstance(event, TextDelta | ThinkingDelta | RefusalDelta):
                events += [*self._switch(event.index, type(event).__name__), event]
        events += [BlockEnded(index=index) for index in sorted(self._open)]
        self._open.clear()
        for index, stop in sorted(self._finishing.items()):
            called = stop is Stop.END and any(key[0] == index for key in self._begun)
            events.append(Finished(stop=Stop.TOOL_CALLS if called else stop, index=index))
        if self.tally.usage is not None:
            events.append(Reported(usage=self.tally.usage))
        return events


class ChatWriter:
    """Events, as an OpenAI chat answer."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._model = wanted.model
        self._tools: dict[int, int] = {}
        self._custom: dict[int, bool] = {}
        self._spoken: set[int] = set()

    def feed(self, events: Iterable[Event]) -> bytes:
        return b"".join([self._write(event) for event in events])

    def last(self, usage: Usage) -> bytes:
        if not self._wanted.include_usage:
            return DONE_EVENT
        return self._chunk([], usage=write_usage(usage)) + DONE_EVENT

    def _write(self, event: Event) -> bytes:
        match event:
            case Began(model=model):
                self._model = self._wanted.model or model
                return b""
            case TextDelta():
                return self._delta(event.index, {"content": event.text}, logprobs=event.logprobs)
            case ThinkingDelta():
                return self._delta(event.index, {"reasoning_content": event.text}) if event.text else b""
            case RefusalDelta():
                return self._delta(event.index, {"refusal": event.text})
            case ToolBegan():
                place = self._tools[event.index] = self._tools.get(event.index, -1) + 1
                self._custom[event.index] = event.custom
                kind, body = ("custom", "input") if event.custom else ("function", "arguments")
                call = {
                    "index": place,
                    "id": event.call_id,
                    "type": kind,
                    kind: {"name": event.name, body: ""},
                }
                return self._delta(event.index, {"tool_calls": [call]})
            case ToolDelta():
                kind, body = ("custom", "input") if self._custom.get(event.index) else ("function", "arguments")
                call = {"index": self._tools.get(event.index, 0), kind: {body: event.arguments}}
                return self._delta(event.index, {"tool_calls": [call]})
            case Finished():
                return self._delta(event.index, {}, finish=_REASONS[event.stop])
            case _:
                return b""

    def _delta(self, index: int, delta: dict[str, Any], finish: str | None = None, logprobs: Any = None) -> bytes:
        if index not in self._spoken:
            self._spoken.add(index)
            delta = {"role": "assistant", **delta}
        choice: dict[str, Any] = {"index": index, "delta": delta, "finish_reason": finish}
        if logprobs is not None:
            choice["logprobs"] = logprobs
        return self._chunk([choice])

    def _chunk(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        wanted = self._wanted
        chunk = {"id": wanted.answer_id, "object": "chat.completion.chunk", "created": wanted.created,
                 "model": self._model, "choices": choices, **more}  # fmt: skip
        return write_data(strict_json.encode(chunk))

    def whole(self, events: Iterable[Event], usage: Usage) -> bytes:
        gathered: dict[int, _Gathered] = {}
        for event in events:
            if isinstance(event, Began):
                self._model = self._wanted.model or event.model
            elif not isinstance(event, Reported | Fault):
                gathered.setdefault(event.index, _Gathered()).add(event)
        answer = {
            "id": self._wanted.answer_id,
            "object": "chat.completion",
            "created": self._wanted.created,
            "model": self._model,
            "choices": [choice.render(index) for index, choice in sorted(gathered.items())],
            "usage": write_usage(usage),
        }
        return strict_json.encode(answer)


class _Gathered:
    """One choice of a plain answer, gathered from its events."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.thinking: list[str] = []
        self.refusal: list[str] = []
        self.calls: list[dict[str, Any]] = []
        self.logprobs: list[Any] = []
        self.finish = "stop"

    def add(self, event: Event) -> None:
        match event:
            case TextDelta():
                self.text.append(event.text)
                if isinstance(event.logprobs, dict):
                    self.logprobs += event.logprobs.get("content") or []
            case ThinkingDelta():
                self.thinking.append(event.text)
            case RefusalDelta():
                self.refusal.append(event.text)
            case ToolBegan():
                kind, body = ("custom", "input") if event.custom else ("function", "arguments")
                self.calls.append({"id": event.call_id, "type": kind, kind: {"name": event.name, body: ""}})
            case ToolDelta() if self.calls:
                call = self.calls[-1]
                kind, body = ("custom", "input") if call["type"] == "custom" else ("function", "arguments")
                call[kind][body] += event.arguments
            case Finished():
                self.finish = _REASONS[event.stop]
            case _:
                pass

    def render(self, index: int) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.text) if self.text else None}
        if self.refusal:
            message["refusal"] = "".join(self.refusal)
        if self.thinking:
            message["reasoning_content"] = "".join(self.thinking)
        if self.calls:
            message["tool_calls"] = self.calls
        choice: dict[str, Any] = {"index": index, "message": message, "finish_reason": self.finish}
        if self.logprobs:
            choice["logprobs"] = {"content": self.logprobs}
        return choice
