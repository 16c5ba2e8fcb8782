"""Events, written as an answer of the openai-chat dialect.

Law: nothing is added that no event said, but for what the wire demands: a role with the first delta of each choice,
an index on every tool delta, and ids and names exactly once.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Raw

from conflux.dialects import citations, openai_errors, strict_json
from conflux.dialects.base import Wanted
from conflux.dialects.openai_chat_answer_wire import DONE_EVENT
from conflux.dialects.openai_chat_thoughts import Thoughts
from conflux.dialects.openai_chat_wire import NAME
from conflux.dialects.openai_usage import write_usage
from conflux.dialects.sse import write_data
from conflux.neutral.errors import GatewayError
from conflux.neutral.events import (
    Aside,
    Began,
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

_REASONS = {
    Stop.END: "stop",
    Stop.LENGTH: "length",
    Stop.TOOL_CALLS: "tool_calls",
    Stop.STOP_SEQUENCE: "stop",
    Stop.CONTENT_FILTER: "content_filter",
    Stop.REFUSAL: "content_filter",
    Stop.PAUSE: "stop",
}


def keep_alive(wanted: Wanted) -> bytes:
    """A chunk that says nothing: every client reads it, and none shows it."""
    chunk = {"id": wanted.answer_id, "object": "chat.completion.chunk", "created": wanted.created,
             "model": wanted.model, "choices": [{"index": 0, "delta": {}, "finish_reason": None}]}  # fmt: skip
    return write_data(strict_json.encode(chunk))


class ChatWriter:
    """Events, as an OpenAI chat answer."""

    def __init__(self, wanted: Wanted, *, by_function: bool = False) -> None:
        self._wanted = wanted
        self._by_function = by_function  # the client offered its tools in the older form, which has one call
        self._model = wanted.model
        self._tools: dict[int, int] = {}
        self._custom: dict[int, bool] = {}
        self._spoken: set[int] = set()
        self._thoughts: dict[int, Thoughts] = {}
        self._chars: dict[int, int] = {}  # of each choice's text
        self.lost: set[str] = set()

    def feed(self, events: Iterable[Event]) -> bytes:
        return b"".join([self._write(event) for event in events])

    def last(self, usage: Usage, cost: Raw | None = None) -> bytes:
        if not self._wanted.include_usage:
            return DONE_EVENT
        return self._chunk([], usage=write_usage(usage, cost)) + DONE_EVENT

    def keep_alive(self) -> bytes:
        return keep_alive(self._wanted)

    def fail(self, error: GatewayError) -> bytes:
        return openai_errors.event(error)

    def _write(self, event: Event) -> bytes:
        match event:
            case Began(model=model):
                self._model = self._wanted.model or model
                return b""
            case TextDelta():
                self._chars[event.index] = self._chars.get(event.index, 0) + len(event.text)
                return self._delta(event.index, {"content": event.text}, logprobs=event.logprobs)
            case ThinkingDelta():
                return self._think(event)
            case RefusalDelta():
                return self._delta(event.index, {"refusal": event.text})
            case ToolBegan():
                self._tools[event.index] = self._tools.get(event.index, -1) + 1
                self._custom[event.index] = event.custom
                return self._called(event.index, _call(event))
            case ToolDelta():
                kind, body = _kind(self._custom.get(event.index, False))
                return self._called(event.index, {kind: {body: event.arguments}})
            case Aside():
                noted = noted_in(event, self._chars.get(event.index, 0), self.lost)
                return self._delta(event.index, noted) if noted else b""
            case Finished():
                if event.sequence:
                    citations.note(self.lost, "stop_sequence")
                return self._delta(event.index, {}, finish=_reason(event.stop, self._by_function))
            case _:
                return b""

    def _called(self, index: int, call: dict[str, Any]) -> bytes:
        place = self._tools.get(index, 0)
        if self._by_function:
            if place == 0:
                return self._delta(index, {"function_call": call["function"]})
            place -= 1  # for a second call the older form has no word
        return self._delta(index, {"tool_calls": [{"index": place, **call}]})

    def _think(self, event: ThinkingDelta) -> bytes:
        thoughts = self._thoughts.setdefault(event.index, Thoughts())
        delta: dict[str, Any] = {"reasoning_content": event.text} if event.text else {}
        sealed = thoughts.add(event)
        if sealed is not None:
            delta["reasoning_details"] = [sealed]
        return self._delta(event.index, delta) if delta else b""

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

    def whole(self, events: Iterable[Event], usage: Usage, cost: Raw | None = None) -> bytes:
        gathered: dict[int, _Gathered] = {}
        for event in events:
            if isinstance(event, Began):
                self._model = self._wanted.model or event.model
            elif not isinstance(event, Reported | Fault):
                if isinstance(event, Finished) and event.sequence:
                    citations.note(self.lost, "stop_sequence")
                gathered.setdefault(event.index, _Gathered(self.lost)).add(event)
        answer = {
            "id": self._wanted.answer_id,
            "object": "chat.completion",
            "created": self._wanted.created,
            "model": self._model,
            "choices": [choice.render(index, self._by_function) for index, choice in sorted(gathered.items())],
            "usage": write_usage(usage, cost),
        }
        return strict_json.encode(answer)


def noted_in(event: Aside, length: int, lost: set[str]) -> dict[str, Any]:
    """What stands beside the text, as a message has it. `length`: of the text before it."""
    if event.dialect == NAME:
        return {"audio": event.value} if event.kind == "audio" else {"annotations": [event.value]}
    link = citations.unsaid(event, lost, places=True, quotes=False)
    return {"annotations": [citations.write_chat(link, length)]} if link is not None else {}


def _reason(stop: Stop, by_function: bool) -> str:
    return "function_call" if by_function and stop is Stop.TOOL_CALLS else _REASONS[stop]


def _kind(custom: bool) -> tuple[str, str]:
    """What a call is called on the wire, and its arguments."""
    return ("custom", "input") if custom else ("function", "arguments")


def _call(event: ToolBegan) -> dict[str, Any]:
    kind, body = _kind(event.custom)
    return {"id": event.call_id, "type": kind, kind: {"name": event.name, body: ""}}


class _Gathered:
    """One choice of a plain answer, gathered from its events."""

    def __init__(self, lost: set[str]) -> None:
        self.lost = lost
        self.notes: dict[str, Any] = {}
        self.text: list[str] = []
        self.thinking: list[str] = []
        self.thoughts = Thoughts()
        self.sealed: list[dict[str, Any]] = []
        self.refusal: list[str] = []
        self.calls: list[tuple[ToolBegan, list[str]]] = []
        self.logprobs: dict[str, list[Any]] = {}
        self.stop = Stop.END

    def add(self, event: Event) -> None:
        match event:
            case TextDelta():
                self.text.append(event.text)
                if isinstance(event.logprobs, dict):
                    for name in ("content", "refusal"):
                        values = event.logprobs.get(name)
                        if isinstance(values, list):
                            self.logprobs.setdefault(name, []).extend(values)
            case ThinkingDelta():
                self.thinking.append(event.text)
                sealed = self.thoughts.add(event)
                if sealed is not None:
                    self.sealed.append(sealed)
            case RefusalDelta():
                self.refusal.append(event.text)
            case ToolBegan():
                self.calls.append((event, []))
            case ToolDelta() if self.calls:
                self.calls[-1][1].append(event.arguments)
            case Finished():
                self.stop = event.stop
            case Aside():
                for name, value in noted_in(event, sum(map(len, self.text)), self.lost).items():
                    self.notes[name] = [*self.notes.get(name, ()), *value] if name == "annotations" else value
            case _:
                pass

    def render(self, index: int, by_function: bool) -> dict[str, Any]:
        content = "".join(self.text)
        silent = self.calls or self.refusal
        message: dict[str, Any] = {"role": "assistant", "content": content or (None if silent else "")}
        if self.refusal:
            message["refusal"] = "".join(self.refusal)
        message |= self.notes
        if any(self.thinking):
            message["reasoning_content"] = "".join(self.thinking)
        if self.sealed:
            message["reasoning_details"] = self.sealed
        calls = [self._render_call(began, parts) for began, parts in self.calls]
        if by_function and calls:
            message["function_call"] = calls.pop(0)["function"]
        if calls:
            message["tool_calls"] = calls
        choice: dict[str, Any] = {"index": index, "message": message, "finish_reason": _reason(self.stop, by_function)}
        if self.logprobs:
            choice["logprobs"] = {"content": None, "refusal": None, **self.logprobs}
        return choice

    def _render_call(self, began: ToolBegan, parts: list[str]) -> dict[str, Any]:
        call = _call(began)
        kind, body = _kind(began.custom)
        call[kind][body] = "".join(parts)
        return call
