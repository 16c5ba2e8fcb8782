"""Answers of the openai-completions dialect, written from events or carried through.

Law: a completion holds text and nothing else. A refusal is text too, and its reason says what it was; thoughts and
calls have no place. What is said of tokens' chances passes as the same dialect's reader gave it.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Raw

from conflux.dialects import openai_errors, strict_json
from conflux.dialects.base import Wanted
from conflux.dialects.citations import note, unsaid
from conflux.dialects.openai_chat_answer_wire import DONE_EVENT, Choice
from conflux.dialects.openai_chat_relay import ChatPassThrough
from conflux.dialects.openai_usage import write_usage
from conflux.dialects.sse import write_data
from conflux.neutral.errors import GatewayError
from conflux.neutral.events import (
    Aside,
    Began,
    Event,
    Finished,
    RefusalDelta,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolBegan,
)
from conflux.neutral.usage import Usage

KIND = "text_completion"
_REASONS = {Stop.LENGTH: "length", Stop.CONTENT_FILTER: "content_filter", Stop.REFUSAL: "content_filter"}


def keep_alive(wanted: Wanted) -> bytes:
    """A chunk that says nothing: every client reads it, and none shows it."""
    return _chunk(wanted, wanted.model, [_choice(0, "", None, None)])


class CompletionsPassThrough(ChatPassThrough):
    """Completions on both ends."""

    __slots__ = ()
    chunk = answer = KIND.encode()

    def keep_alive(self) -> bytes:
        return keep_alive(self._wanted)

    def _mended(self, raw: Raw, choices: list[Choice]) -> Raw:
        return raw  # a text is a text

    def _whole(self, raw: Raw, choices: list[Choice]) -> Raw:
        return raw

    def _reason(self, index: int) -> dict[str, Any]:
        return _choice(index, "", None, "stop")


class CompletionsWriter:
    """Events, as a completion."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._model = wanted.model
        self._refused: set[int] = set()
        self.lost: set[str] = set()

    def feed(self, events: Iterable[Event]) -> bytes:
        return b"".join([self._write(event) for event in events])

    def _write(self, event: Event) -> bytes:
        match event:
            case Began(model=model):
                self._model = self._wanted.model or model
                return b""
            case TextDelta() | RefusalDelta() | Finished():
                self._leave(event)
                return _chunk(self._wanted, self._model, [self._said(event)])
            case _:
                self._leave(event)
                return b""

    def _leave(self, event: Event) -> None:
        """What a completion has no words for."""
        if isinstance(event, ThinkingDelta):
            note(self.lost, "reasoning")
        elif isinstance(event, ToolBegan):
            note(self.lost, "tool_calls")
        elif isinstance(event, Aside) and unsaid(event, self.lost, places=False, quotes=False) is not None:
            note(self.lost, "citations")
        elif isinstance(event, Finished) and event.sequence:
            note(self.lost, "stop_sequence")

    def _said(self, event: TextDelta | RefusalDelta | Finished) -> dict[str, Any]:
        match event:
            case TextDelta():
                return _choice(event.index, event.text, event.logprobs, None)
            case RefusalDelta():
                self._refused.add(event.index)
                return _choice(event.index, event.text, None, None)
            case Finished():
                reason = "content_filter" if event.index in self._refused else _REASONS.get(event.stop, "stop")
                return _choice(event.index, "", None, reason)

    def last(self, usage: Usage, cost: Raw | None = None) -> bytes:
        if not self._wanted.include_usage:
            return DONE_EVENT
        return _chunk(self._wanted, self._model, [], usage=write_usage(usage, cost)) + DONE_EVENT

    def whole(self, events: Iterable[Event], usage: Usage, cost: Raw | None = None) -> bytes:
        found: dict[int, dict[str, Any]] = {}
        for event in events:
            if isinstance(event, TextDelta | RefusalDelta | Finished):
                self._leave(event)
                _gather(found, self._said(event))
            elif isinstance(event, Began):
                self._model = self._wanted.model or event.model
            else:
                self._leave(event)
        choices = [choice for _, choice in sorted(found.items())]
        return strict_json.encode(_answer(self._wanted, self._model, choices, usage=write_usage(usage, cost)))

    def keep_alive(self) -> bytes:
        return keep_alive(self._wanted)

    def fail(self, error: GatewayError) -> bytes:
        return openai_errors.event(error)


def _gather(found: dict[int, dict[str, Any]], piece: dict[str, Any]) -> None:
    whole = found.setdefault(piece["index"], _choice(piece["index"], "", None, "stop"))
    whole["text"] += piece["text"]
    whole["finish_reason"] = piece["finish_reason"] or whole["finish_reason"]
    if isinstance(piece["logprobs"], dict):
        said = whole["logprobs"] = whole["logprobs"] or {}
        for name, values in piece["logprobs"].items():
            if isinstance(values, list):
                said[name] = (said.get(name) or []) + values


def _choice(index: int, text: str, logprobs: Any, finish: str | None) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": finish}


def _answer(wanted: Wanted, model: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"id": wanted.answer_id, "object": KIND, "created": wanted.created, "model": model, "choices": choices,
            **more}  # fmt: skip


def _chunk(wanted: Wanted, model: str, choices: list[dict[str, Any]], **more: Any) -> bytes:
    return write_data(strict_json.encode(_answer(wanted, model, choices, **more)))
