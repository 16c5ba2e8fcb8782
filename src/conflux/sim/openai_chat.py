"""The simulator's openai-chat face, writing half: a plan becomes OpenAI's bytes.

Law: exact in what it says: the usage of a stream and of a plain answer to the same request are the same, and the
tokens an event delivers add up to it. Written without the gateway's dialects, as the other side of the tests.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import msgspec

from conflux.sim import openai_chat_request
from conflux.sim.ask import Ask
from conflux.sim.line import Headers
from conflux.sim.plan import Plan, call_size, pieces, size
from conflux.sim.quirks import Quirks

FINGERPRINT = "fp_simulated"
_PLACE = "PIECE"
_encode = msgspec.json.encode

read = openai_chat_request.read


def headers(ask: Ask) -> Headers:
    return [
        (b"x-request-id", f"req_sim{ask.seed:016x}".encode()),
        (b"openai-organization", b"simulated-organization"),
        (b"openai-processing-ms", b"7"),
        (b"openai-version", b"2020-10-01"),
        (b"x-ratelimit-limit-requests", b"10000"),
        (b"x-ratelimit-remaining-requests", b"9999"),
    ]


def render(ask: Ask, plan: Plan, created: int, quirks: Quirks) -> "ChatRendering":
    return ChatRendering(ask, plan, created, quirks)


def model_row(model: str, created: int) -> dict[str, Any]:
    return {"id": model, "object": "model", "created": created, "owned_by": "simulator"}


class ChatRendering:
    """A plan as OpenAI's bytes."""

    def __init__(self, ask: Ask, plan: Plan, created: int, quirks: Quirks) -> None:
        if quirks.think_tags and plan.thinking:
            plan = _tagged(plan)
        self._ask = ask
        self._plan = plan
        self._quirks = quirks
        self._created = created
        self._id = f"chatcmpl-sim{ask.seed:016x}"
        self._model = plan.model or ask.model
        self._field = "refusal" if plan.refused else "content"
        asked = bool((ask.body.get("stream_options") or {}).get("include_usage"))
        self._manner = plan.usage.manner
        self._own_chunk = (asked and self._manner not in ("missing", "with-finish")) or self._manner == "own-chunk"
        self._usage_key = asked or self._manner in ("twice", "with-finish", "after-finish", "every-chunk")

    def usage(self) -> dict[str, Any] | None:
        used = self._plan.usage
        if self._manner == "missing":
            return None
        return usage_object(used.prompt, used.completion, used.cached, used.reasoning)

    def whole(self) -> bytes:
        answer = {
            "id": self._id,
            "object": "chat.completion",
            "created": self._created,
            "model": self._model,
            "choices": [self._choice(index) for index in range(len(self._plan.choices))],
            "usage": self.usage(),
            "service_tier": "default",
            "system_fingerprint": FINGERPRINT,
        }
        if answer["usage"] is None:
            del answer["usage"]
        return _encode(answer)

    def _choice(self, index: int) -> dict[str, Any]:
        choice, plan = self._plan.choices[index], self._plan
        message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
        # An answer that only calls has no text at all; one that was cut before its first word has an empty one.
        message[self._field] = choice.text or (None if plan.calls else "")
        if plan.thinking:
            message[self._quirks.reasoning_field] = plan.thinking
        if plan.calls:
            message["tool_calls"] = [
                {
                    "id": self._call_id(index, place),
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for place, call in enumerate(plan.calls)
            ]
        logprobs = self._logprobs(pieces(choice.text)) if plan.logprobs is not None else None
        return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": choice.finish}

    def _call_id(self, index: int, place: int) -> str:
        return f"call_{self._ask.seed % 10**12:012d}{index * 1000 + place}"

    def _logprobs(self, texts: list[str]) -> dict[str, Any]:
        return {self._field: [self._logprob(text) for text in texts],
                "content" if self._field == "refusal" else "refusal": None}  # fmt: skip

    def _logprob(self, text: str) -> dict[str, Any]:
        others = [{"token": f"alt{number}", "logprob": -float(number + 1), "bytes": list(b"alt%d" % number)}
                  for number in range(1, self._plan.logprobs or 0)]  # fmt: skip
        own = {"token": text, "logprob": -0.1, "bytes": list(text.encode())}
        return {**own, "top_logprobs": [own, *others] if self._plan.logprobs else []}

    def events(self) -> Iterator[tuple[bytes, int]]:
        """All choices side by side, a piece of each in turn, as the real one sends them."""
        plan = self._plan
        spoken = 0
        rows = [self._spoken(index) for index in range(len(plan.choices))]
        every = self._manner == "every-chunk"
        for parts in zip_longest(*rows):
            for part in parts:
                if part is None:
                    continue
                event, tokens = part
                spoken += tokens
                yield (self._with_usage(event, spoken) if every else event), tokens
        last = len(plan.choices) - 1
        for index, choice in enumerate(plan.choices):
            here = index == last and self._manner in ("twice", "with-finish", "every-chunk")
            yield self._chunk(index, {}, finish=choice.finish, usage=self.usage() if here else None), 0
        if self._manner == "after-finish":
            yield self._chunk(last, {"content": ""}, usage=self.usage()), 0
        elif self._own_chunk or self._manner == "twice":
            yield _event({**self._base(), "choices": [], "usage": self.usage()}), 0
        if self._quirks.done:
            yield b"data: [DONE]\n\n", 0

    def text_event(self) -> bytes:
        return self._chunk(0, {"content": "more"})

    def _spoken(self, index: int) -> Iterator[tuple[bytes, int]]:
        """Role, thinking, text and calls of one choice."""
        plan = self._plan
        texts = pieces(plan.choices[index].text)
        empty = None if plan.calls and not texts else ""
        yield self._chunk(index, {"role": "assistant", "content": empty, "refusal": None}), 0
        before, after = self._frame(index, {self._quirks.reasoning_field: _PLACE})
        for piece in pieces(plan.thinking):
            yield before + _encode(piece) + after, 1
        if plan.logprobs is not None:
            for piece in texts:
                yield self._chunk(index, {self._field: piece}, logprobs=self._logprobs([piece])), 1
        else:
            # What stays the same is encoded once: a stream of 10,000 tokens costs a join each.
            before, after = self._frame(index, {self._field: _PLACE})
            for piece in texts:
                yield before + _encode(piece) + after, 1
        for place, call in enumerate(plan.calls):
            head = {"index": place, "id": self._call_id(index, place), "type": "function",
                    "function": {"name": call.name, "arguments": ""}}  # fmt: skip
            yield self._chunk(index, {"tool_calls": [head]}), size(call.name)
            before, after = self._frame(index, {"tool_calls": [{"index": place, "function": {"arguments": _PLACE}}]})
            for piece in pieces(call.arguments):
                yield before + _encode(piece) + after, 1

    def _frame(self, index: int, delta: dict[str, Any]) -> tuple[bytes, bytes]:
        """The bytes before and after the one string that changes. It is the last of its text in the chunk, so a
        model of that name does no harm."""
        before, _, after = self._chunk(index, delta).rpartition(_encode(_PLACE))
        return before, after

    def _with_usage(self, event: bytes, spoken: int) -> bytes:
        chunk = msgspec.json.decode(event[6:])
        chunk["usage"] = usage_object(self._plan.usage.prompt, spoken, self._plan.usage.cached, 0)
        return _event(chunk)

    def _base(self) -> dict[str, Any]:
        return {"id": self._id, "object": "chat.completion.chunk", "created": self._created, "model": self._model,
                "service_tier": "default", "system_fingerprint": FINGERPRINT}  # fmt: skip

    def _chunk(
        self,
        index: int,
        delta: dict[str, Any],
        *,
        finish: str | None = None,
        usage: dict[str, Any] | None = None,
        logprobs: dict[str, Any] | None = None,
    ) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        chunk = {**self._base(), "choices": [choice]}
        if self._usage_key:
            chunk["usage"] = usage
        return _event(chunk)


def _tagged(plan: Plan) -> Plan:
    """Thinking as a part of the text. The tags are tokens too, so that what is delivered still adds up."""
    tagged = f"<think>{plan.thinking}</think>"
    choices = tuple(msgspec.structs.replace(one, text=tagged + one.text) for one in plan.choices)
    tokens = sum(size(one.text) for one in choices) + sum(call_size(call) for call in plan.calls) * len(choices)
    return msgspec.structs.replace(plan, thinking="", choices=choices, tokens=tokens)


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + _encode(chunk) + b"\n\n"


def usage_object(prompt: int, completion: int, cached: int, reasoning: int) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


_KINDS = {401: "authentication_error", 403: "permission_error", 404: "invalid_request_error", 429: "rate_limit_error"}


def error_body(status: int, message: str, code: str | None = None, param: str | None = None) -> bytes:
    kind = "server_error" if status >= 500 else _KINDS.get(status, "invalid_request_error")
    return _encode({"error": {"message": message, "type": kind, "param": param, "code": code}})


def error_event(message: str) -> bytes:
    return b"data: " + error_body(500, message) + b"\n\n"
