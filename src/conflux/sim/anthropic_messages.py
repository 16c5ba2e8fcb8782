"""The simulator's anthropic-messages face, writing half: a plan becomes Anthropic's bytes.

Law: exact in what it says: the usage of a stream and of a plain answer to the same request are the same, and the
tokens an event delivers add up to it. Written without the gateway's dialects, as the other side of the tests.
"""

import base64
from collections.abc import Iterator
from typing import Any

import msgspec

from conflux.sim import anthropic_messages_request
from conflux.sim.ask import Ask
from conflux.sim.line import Headers
from conflux.sim.plan import CallPlan, Plan, pieces, size
from conflux.sim.quirks import Quirks

read = anthropic_messages_request.read

_encode = msgspec.json.encode
_FINISHES = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
_KINDS = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
    404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 504: "timeout_error",
    529: "overloaded_error",
}  # fmt: skip
_PLACE = "PIECE"


def headers(ask: Ask) -> Headers:
    return [
        (b"request-id", f"req_sim{ask.seed:016x}".encode()),
        (b"anthropic-organization-id", b"simulated-organization"),
        (b"anthropic-ratelimit-requests-limit", b"4000"),
        (b"anthropic-ratelimit-requests-remaining", b"3999"),
    ]


def render(ask: Ask, plan: Plan, created: int, quirks: Quirks) -> "MessagesRendering":
    return MessagesRendering(ask, plan)


class MessagesRendering:
    """A plan as Anthropic's bytes."""

    def __init__(self, ask: Ask, plan: Plan) -> None:
        self._ask = ask
        self._plan = plan
        self._missing = plan.usage.manner == "missing"
        self._text = plan.choices[0].text
        self._finish = "refusal" if plan.refused else _FINISHES[plan.choices[0].finish]

    def whole(self) -> bytes:
        plan = self._plan
        content: list[dict[str, Any]] = []
        if plan.thinking:
            content.append({"type": "thinking", "thinking": plan.thinking, "signature": self._signature()})
        if self._text or not plan.calls:
            content.append({"type": "text", "text": self._text})
        content += [{**self._call(place, call), "input": _arguments(call)} for place, call in enumerate(plan.calls)]
        return _encode(self._message(content, self._finish, self._usage(plan.usage.completion)))

    def events(self) -> Iterator[tuple[bytes, int]]:
        plan = self._plan
        yield _event("message_start", message=self._message([], None, self._usage(1))), 0
        yield _event("ping"), 0
        index = 0
        if plan.thinking:
            yield self._start(index, {"type": "thinking", "thinking": "", "signature": ""}), 0
            yield from self._pieces(index, plan.thinking, "thinking_delta", "thinking")
            yield _delta(index, {"type": "signature_delta", "signature": self._signature()}), 0
            yield _event("content_block_stop", index=index), 0
            index += 1
        if self._text or not plan.calls:
            yield self._start(index, {"type": "text", "text": ""}), 0
            yield from self._pieces(index, self._text, "text_delta", "text")
            yield _event("content_block_stop", index=index), 0
            index += 1
        for place, call in enumerate(plan.calls):
            yield self._start(index, self._call(place, call)), size(call.name)
            yield _delta(index, {"type": "input_json_delta", "partial_json": ""}), 0
            yield from self._pieces(index, call.arguments, "input_json_delta", "partial_json")
            yield _event("content_block_stop", index=index), 0
            index += 1
        said: dict[str, Any] = {"delta": {"stop_reason": self._finish, "stop_sequence": None}}
        usage = self._usage(plan.usage.completion)
        yield _event("message_delta", **said, **({} if usage is None else {"usage": usage})), 0
        yield _event("message_stop"), 0

    def text_event(self) -> bytes:
        return _delta(0, {"type": "text_delta", "text": "more"})

    def _start(self, index: int, block: dict[str, Any]) -> bytes:
        return _event("content_block_start", index=index, content_block=block)

    def _pieces(self, index: int, text: str, kind: str, field: str) -> Iterator[tuple[bytes, int]]:
        before, _, after = _delta(index, {"type": kind, field: _PLACE}).rpartition(_encode(_PLACE))
        for piece in pieces(text):
            yield before + _encode(piece) + after, 1

    def _call(self, place: int, call: CallPlan) -> dict[str, Any]:
        return {"type": "tool_use", "id": f"toolu_sim{self._ask.seed % 10**12:012d}{place}", "name": call.name,
                "input": {}}  # fmt: skip

    def _signature(self) -> str:
        return base64.b64encode(f"simulated {self._ask.seed}".encode()).decode()

    def _message(
        self, content: list[dict[str, Any]], finish: str | None, usage: dict[str, Any] | None
    ) -> dict[str, Any]:
        found: dict[str, Any] = {
            "id": f"msg_sim{self._ask.seed:016x}",
            "type": "message",
            "role": "assistant",
            "model": self._plan.model or self._ask.model,
            "content": content,
            "stop_reason": finish,
            "stop_sequence": None,
        }
        return found if usage is None else {**found, "usage": usage}

    def _usage(self, output: int) -> dict[str, Any] | None:
        used = self._plan.usage
        if self._missing:
            return None
        found: dict[str, Any] = {
            "input_tokens": used.prompt - used.cached,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": used.cached,
            "output_tokens": min(output, used.completion),
            "service_tier": "standard",
        }
        if used.reasoning and output == used.completion:
            found["output_tokens_details"] = {"thinking_tokens": used.reasoning}
        return found


def _arguments(call: CallPlan) -> Any:
    try:
        return msgspec.json.decode(call.arguments or "{}")
    except msgspec.DecodeError:
        return {}  # cut at the limit


def _event(name: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encode({"type": name, **fields}))


def _delta(index: int, delta: dict[str, Any]) -> bytes:
    return _event("content_block_delta", index=index, delta=delta)


def error_body(status: int, message: str, code: str | None = None, param: str | None = None) -> bytes:
    kind = code or _KINDS.get(status, "api_error")
    return _encode({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_sim"})


def error_event(message: str) -> bytes:
    return b"event: error\ndata: " + error_body(500, message) + b"\n\n"
