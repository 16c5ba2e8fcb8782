"""Events, written as an answer of the openai-responses dialect.

Law: `response.created` comes first; an item is added before anything is said of it, is done with all of it, and only
then the next one is added. `output_index` has no gaps and `sequence_number` counts every event. Thinking is told as a
summary, which is what clients show; its seal goes along where the client asked for it, with its issuer's name.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Raw

from conflux.dialects import citations, openai_responses_errors, strict_json
from conflux.dialects.base import Wanted
from conflux.dialects.openai_responses_items import CallItem, MessageItem, OpenItem, ReasoningItem, Sequence, WholeItem
from conflux.dialects.openai_responses_read import ENCRYPTED
from conflux.dialects.openai_responses_usage import write_usage
from conflux.dialects.openai_responses_wire import NAME
from conflux.neutral.errors import GatewayError
from conflux.neutral.events import (
    Aside,
    Began,
    BlockEnded,
    Event,
    Finished,
    RefusalDelta,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolBegan,
    ToolDelta,
)
from conflux.neutral.request import Request
from conflux.neutral.usage import Usage

_REFUSED = "The model declined to answer."
_INCOMPLETE = {Stop.LENGTH: "max_output_tokens", Stop.CONTENT_FILTER: "content_filter"}
_DEFAULTS: dict[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "store": False,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}


class ResponsesWriter:
    """Events, as an OpenAI Responses answer."""

    def __init__(self, wanted: Wanted, request: Request) -> None:
        self._wanted = wanted
        self._model = wanted.model
        self._tools = {tool.name: tool for tool in request.tools}
        self._sealed = ENCRYPTED in request.echo.get("include", ())
        self._mark = wanted.answer_id.partition("_")[2]
        # What every answer repeats of its request, encoded once.
        kept = {"store": wanted.stored, "previous_response_id": wanted.previous}
        repeated = {**_DEFAULTS, **kept, **{name: value for name, value in request.echo.items() if name != "include"}}
        self._repeated = {name: Raw(strict_json.encode(value)) for name, value in repeated.items()}
        self.lost: set[str] = set()
        self._sequence = Sequence()
        self._open: OpenItem | None = None
        self._over = False  # the open item gets no more
        self._output: list[dict[str, Any]] = []
        self._stop = Stop.END
        self._refused = False  # a part of the answer says so

    def feed(self, events: Iterable[Event]) -> bytes:
        return b"".join([self._write(event) for event in events])

    def _write(self, event: Event) -> bytes:
        item = None if self._over else self._open
        match event:
            case TextDelta():
                if isinstance(item, MessageItem):
                    return item.text(event)
                message = MessageItem(self._sequence, self._mark)
                return self._next(message) + message.text(event)
            case ToolDelta():
                return item.arguments(event) if isinstance(item, CallItem) else b""
            case ThinkingDelta():
                if isinstance(item, ReasoningItem):
                    return item.thought(event)
                thought = ReasoningItem(self._sequence, self._mark, sealed=self._sealed)
                return self._next(thought) + thought.thought(event)
            case RefusalDelta():
                if not isinstance(item, MessageItem):
                    return self._refuse(event.text)
                self._refused = True
                return item.refusal(event)
            case ToolBegan():
                return self._call(event)
            case BlockEnded():
                self._over = True  # done with what comes next: only the end says whether it was cut
                return b""
            case Began(model=model):
                self._model = self._wanted.model or model
                return self._begin()
            case Aside():
                return self._aside(event, item)
            case Finished():
                if event.sequence:
                    citations.note(self.lost, "stop_sequence")
                self._stop = event.stop
                return self._end_items()
            case _:
                return b""

    def _aside(self, event: Aside, item: OpenItem | None) -> bytes:
        """A note on the text, or an item of the same protocol as it came."""
        noted: Any = event.value
        if event.dialect != NAME:
            noted = citations.unsaid(event, self.lost, places=True, quotes=False)
            if noted is None:
                return b""
        elif event.kind != "citation":
            out = self._next(WholeItem(self._sequence, self._mark, noted))
            self._over = True
            return out
        if isinstance(item, MessageItem):
            return item.note(noted)
        message = MessageItem(self._sequence, self._mark)
        return self._next(message) + message.note(noted)

    def _refuse(self, text: str) -> bytes:
        self._refused = True
        message = MessageItem(self._sequence, self._mark)
        return self._next(message) + message.refusal(RefusalDelta(text=text))

    def _call(self, event: ToolBegan) -> bytes:
        return self._next(CallItem(self._sequence, self._mark, event, self._tools.get(event.name)))

    def _begin(self) -> bytes:
        if self._sequence.next:
            return b""
        return self._told("response.created") + self._told("response.in_progress")

    def _next(self, item: OpenItem) -> bytes:
        """The item that is open is done; this one is added."""
        out = self._begin() + self._close()
        item.place(len(self._output))
        self._open, self._over = item, False
        return out + item.begin()

    def _close(self, status: str = "completed") -> bytes:
        item, self._open = self._open, None
        if item is None:
            return b""
        out = item.close(status)
        self._output.append(item.item(status))
        return out

    def _told(self, kind: str) -> bytes:
        return self._sequence.event(kind, {"response": self._response("in_progress")})

    def _response(self, status: str, **more: Any) -> dict[str, Any]:
        return {
            "id": self._wanted.answer_id,
            "object": "response",
            "created_at": self._wanted.created,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "model": self._model,
            "output": self._output,
            **self._repeated,
            "usage": None,
            **more,
        }

    def _ended(self, usage: Usage, cost: Raw | None) -> dict[str, Any]:
        reason = _INCOMPLETE.get(self._stop)
        if self._stop is Stop.REFUSAL and not self._refused:
            reason = "content_filter"  # nothing else would tell that its words are a refusal
        status = "completed" if reason is None else "incomplete"
        details = None if reason is None else {"reason": reason}
        return self._response(status, incomplete_details=details, usage=write_usage(usage, cost))

    def _end_items(self) -> bytes:
        """What is open is done; an answer is never empty where the model refused."""
        out = self._close("incomplete" if self._stop is Stop.LENGTH else "completed")
        if self._stop in (Stop.REFUSAL, Stop.CONTENT_FILTER) and not self._output:
            out += self._refuse(_REFUSED) + self._close()
        return out

    def last(self, usage: Usage, cost: Raw | None = None) -> bytes:
        out = self._begin() + self._end_items()
        response = self._ended(usage, cost)
        return out + self._sequence.event(f"response.{response['status']}", {"response": response})

    def whole(self, events: Iterable[Event], usage: Usage, cost: Raw | None = None) -> bytes:
        for event in events:
            self._write(event)  # the stream nobody reads puts the items together
        self._end_items()
        return strict_json.encode(self._ended(usage, cost))

    def keep_alive(self) -> bytes:
        return self._begin() or self._told("response.in_progress")

    def fail(self, error: GatewayError) -> bytes:
        out = self._begin()
        response = self._response("failed", error=openai_responses_errors.failure(error))
        return out + self._sequence.event("response.failed", {"response": response})
