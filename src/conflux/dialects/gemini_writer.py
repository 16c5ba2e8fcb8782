"""Events, written as an answer of the gemini dialect.

Law: one piece of text is one chunk; a function call goes out whole, when its block has ended; how it all ended, and
what it used, is the last chunk. Thoughts are told only to a client that asked for them.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Raw

from conflux.dialects import citations, gemini_errors, gemini_wire, strict_json
from conflux.dialects.base import Wanted
from conflux.dialects.gemini_ids import split
from conflux.dialects.gemini_read import REDACTED
from conflux.dialects.gemini_reader import GROUNDING, SIGNATURE
from conflux.dialects.gemini_usage import write_usage
from conflux.dialects.signatures import wrap
from conflux.dialects.sse import write_data
from conflux.neutral.errors import GatewayError
from conflux.neutral.events import (
    Aside,
    Began,
    BlockEnded,
    Event,
    Finished,
    Link,
    RefusalDelta,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolBegan,
    ToolDelta,
)
from conflux.neutral.request import Request
from conflux.neutral.usage import Usage

_REASONS = {
    Stop.END: "STOP",
    Stop.LENGTH: "MAX_TOKENS",
    Stop.TOOL_CALLS: "STOP",
    Stop.STOP_SEQUENCE: "STOP",
    Stop.CONTENT_FILTER: "SAFETY",
    Stop.REFUSAL: "SAFETY",
    Stop.PAUSE: "STOP",
}

_encode = msgspec.json.encode
_TEXT = b'data: {"candidates":[{"content":{"parts":[{"text":'
_AFTER_TEXT = b'}],"role":"model"},"index":0}]'


def keep_alive(wanted: Wanted) -> bytes:
    """A chunk that says nothing: every client reads it, and none shows it."""
    return _TEXT + b'""' + _AFTER_TEXT + tail(wanted, wanted.model) + b"\n\n"


def tail(wanted: Wanted, model: str) -> bytes:
    """What every answer ends with."""
    return b"," + _encode({"modelVersion": model, "responseId": wanted.answer_id})[1:]


class GeminiWriter:
    """Events, as a Gemini answer."""

    def __init__(self, wanted: Wanted, request: Request) -> None:
        self._wanted = wanted
        self._model = wanted.model
        self._tail = tail(wanted, wanted.model)
        reasoning = request.reasoning
        self._thoughts = request.dialect != gemini_wire.NAME or (
            reasoning is not None and reasoning.summary is not None
        )
        self._calls: dict[int, tuple[ToolBegan, list[str]]] = {}  # candidate: the call that is open
        self._stops: dict[int, Stop] = {}
        self.lost: set[str] = set()
        self._said: dict[int, list[str]] = {}  # candidate: its text, which what it stands on is counted in
        self._links: dict[int, list[Link]] = {}
        self._grounds: dict[int, dict[str, Any]] = {}  # as Gemini itself said them
        self._refused: set[int] = set()  # candidates that declined in words

    def feed(self, events: Iterable[Event]) -> bytes:
        return b"".join([self._write(event) for event in events])

    def keep_alive(self) -> bytes:
        return keep_alive(self._wanted)

    def fail(self, error: GatewayError) -> bytes:
        return gemini_errors.event(error)

    def last(self, usage: Usage, cost: Raw | None = None) -> bytes:
        candidates = [
            {
                "content": {"parts": [{"text": ""}], "role": "model"},
                "finishReason": self._reason(index),
                "index": index,
                **self._grounding(index),
            }
            for index in sorted(self._stops)
        ]
        return write_data(strict_json.encode(self._answer(candidates, usage)))

    def whole(self, events: Iterable[Event], usage: Usage, cost: Raw | None = None) -> bytes:
        found: dict[int, list[dict[str, Any]]] = {}
        logprobs: dict[int, list[Any]] = {}
        for event in events:
            if isinstance(event, Began):
                self._began(event)
                continue
            part = self._part(event)
            if part is not None:
                _append(found.setdefault(_index(event), []), part)
            if isinstance(event, TextDelta) and isinstance(event.logprobs, dict):
                logprobs.setdefault(event.index, []).extend(event.logprobs.get("content") or ())
        candidates = []
        for index in sorted(found.keys() | self._stops.keys()):
            candidate: dict[str, Any] = {
                "content": {"parts": found.get(index, []), "role": "model"},
                "finishReason": self._reason(index),
                "index": index,
                **self._grounding(index),
            }
            if logprobs.get(index):
                candidate["logprobsResult"] = _logprobs(logprobs[index])
            candidates.append(candidate)
        return strict_json.encode(self._answer(candidates, usage))

    def _answer(self, candidates: list[dict[str, Any]], usage: Usage) -> dict[str, Any]:
        return {"candidates": candidates, "usageMetadata": write_usage(usage), "modelVersion": self._model,
                "responseId": self._wanted.answer_id}  # fmt: skip

    def _reason(self, index: int) -> str:
        """Only a reason tells this protocol's clients that the words are a refusal."""
        stop = self._stops.get(index, Stop.END)
        return _REASONS[Stop.REFUSAL if stop is Stop.END and index in self._refused else stop]

    def _began(self, event: Began) -> None:
        self._model = self._wanted.model or event.model
        self._tail = tail(self._wanted, self._model)

    def _write(self, event: Event) -> bytes:
        if type(event) is TextDelta and event.index == 0 and event.logprobs is None:
            self._said.setdefault(0, []).append(event.text)
            return b"".join((_TEXT, _encode(event.text), _AFTER_TEXT, self._tail, b"\n\n"))
        if isinstance(event, Began):
            self._began(event)
            return b""
        part = self._part(event)
        if part is None:
            return b""
        candidate: dict[str, Any] = {"content": {"parts": [part], "role": "model"}, "index": _index(event)}
        if isinstance(event, TextDelta) and isinstance(event.logprobs, dict) and event.logprobs.get("content"):
            candidate["logprobsResult"] = _logprobs(event.logprobs["content"])
        return b"data: " + _encode({"candidates": [candidate]})[:-1] + self._tail + b"\n\n"

    def _part(self, event: Event) -> dict[str, Any] | None:
        """The part that an event makes, or completes."""
        match event:
            case TextDelta():
                self._said.setdefault(event.index, []).append(event.text)
                return {"text": event.text}
            case Aside():
                return self._aside(event)
            case RefusalDelta():
                self._refused.add(event.index)
                return {"text": event.text}
            case ThinkingDelta():
                return self._thought(event) if self._thoughts else None
            case ToolBegan():
                self._calls[event.index] = (event, [])
            case ToolDelta():
                if event.index in self._calls:
                    self._calls[event.index][1].append(event.arguments)
            case BlockEnded():
                call = self._calls.pop(event.index, None)
                return _call(call[0], "".join(call[1])) if call is not None else None
            case Finished():
                if event.sequence:
                    citations.note(self.lost, "stop_sequence")
                self._stops[event.index] = event.stop
        return None

    def _aside(self, event: Aside) -> dict[str, Any] | None:
        """What the text stands on is said with the last words; what Gemini signed of it beside it."""
        index = event.index
        if event.dialect != gemini_wire.NAME:
            link = citations.unsaid(event, self.lost, places=True, quotes=False)
            if link is not None:
                self._links.setdefault(index, []).append(link)
        elif event.kind == GROUNDING:
            self._grounds[index] = event.value
        elif event.kind == SIGNATURE:
            return {"text": "", "thoughtSignature": event.value}
        return None

    def _grounding(self, index: int) -> dict[str, Any]:
        found = self._grounds.get(index)
        if found is None and index in self._links:
            found = citations.write_gemini(self._links[index], "".join(self._said.get(index, ())))
        return {} if found is None else {GROUNDING: found}

    def _thought(self, event: ThinkingDelta) -> dict[str, Any] | None:
        found: dict[str, Any] = {"text": event.text, "thought": True}
        issuer = event.issuer or ""
        if event.signature:
            found["thoughtSignature"] = wrap(event.signature, issuer, gemini_wire.NAME)
        elif event.redacted:
            found["thoughtSignature"] = wrap(event.redacted, issuer + REDACTED, gemini_wire.NAME)
        elif not event.text:
            return None
        return found


def _index(event: Event) -> int:
    return getattr(event, "index", 0)


def _append(parts: list[dict[str, Any]], part: dict[str, Any]) -> None:
    """Pieces of one text are one part of a plain answer."""
    last = parts[-1] if parts else {}
    if "text" in part and "text" in last and part.get("thought") == last.get("thought"):
        last["text"] += part["text"]
        if "thoughtSignature" in part:
            last["thoughtSignature"] = part["thoughtSignature"]
    else:
        parts.append(part)


def _call(began: ToolBegan, arguments: str) -> dict[str, Any]:
    call_id, signature = split(began.call_id)
    args: dict[str, Any] = {}
    try:
        args = strict_json.decode_object(arguments.encode("utf-8", "replace")) if arguments.strip() else {}
    except GatewayError:
        args = {"input": arguments}  # cut at the limit, or wrong: said as the model wrote it
    part: dict[str, Any] = {"functionCall": {"id": call_id, "name": began.name, "args": args}}
    if signature:
        part["thoughtSignature"] = signature
    return part


def _logprobs(content: list[Any]) -> dict[str, Any]:
    chosen = [_logprob(one) for one in content]
    tops = [{"candidates": [_logprob(other) for other in one.get("top_logprobs") or ()]} for one in content]
    return {"chosenCandidates": chosen, "topCandidates": tops}


def _logprob(one: Any) -> dict[str, Any]:
    return {"token": one.get("token"), "logProbability": one.get("logprob")}
