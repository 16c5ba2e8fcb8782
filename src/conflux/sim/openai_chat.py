"""The simulator's openai-chat face: a request becomes a plan, a plan becomes OpenAI's bytes.

Law: written without the gateway's dialects, as the other side of the tests. Strict about what it is sent, exact in what
it says: the usage of a stream and of a plain answer to the same request are the same.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from conflux.sim import markers
from conflux.sim.plan import CallPlan, Plan, UsagePlan, count_tokens, pieces, seed_of
from conflux.sim.schema import example
from conflux.sim.script import Script

LABEL = "[simulated] "
_CREATED = 1_700_000_000


class BadRequest(Exception):
    pass


class Chat(msgspec.Struct, kw_only=True):
    """The request as far as the simulator reads it."""

    body: dict[str, Any]
    model: str
    messages: list[dict[str, Any]]
    stream: bool
    include_usage: bool
    choices: int
    seed: int
    prompt_tokens: int


def read(raw: bytes) -> Chat:
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise BadRequest(f"not JSON: {error}") from None
    if not isinstance(body, dict) or not isinstance(body.get("model"), str) or not body.get("messages"):
        raise BadRequest("model and messages are needed")
    options = body.get("stream_options") or {}
    if options and not body.get("stream"):
        raise BadRequest("stream_options is only allowed when stream is true")
    prompt = "".join(_text(message) for message in body["messages"])
    return Chat(
        body=body,
        model=body["model"],
        messages=body["messages"],
        stream=bool(body.get("stream")),
        include_usage=bool(options.get("include_usage")),
        choices=int(body.get("n") or 1),
        seed=seed_of(raw),
        prompt_tokens=count_tokens(prompt) + 4 * len(body["messages"]) + 85 * len(_images(body["messages"])),
    )


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return ""


def _images(messages: list[dict[str, Any]]) -> list[str]:
    found = []
    for message in messages:
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            if isinstance(part, dict) and part.get("type") == "image_url":
                url = str(part.get("image_url", {}).get("url", ""))
                kind = re.match(r"data:([^;,]+)", url)
                found.append(f"{kind[1]}, {len(url)} characters" if kind else "an address")
    return found


def plan_for(chat: Chat, script: Script, headers: dict[str, str]) -> Plan:
    """Decide the whole answer."""
    last: dict[str, Any] = next((message for message in reversed(chat.messages) if message.get("role") == "user"), {})
    system = "".join(_text(one) for one in chat.messages if one.get("role") in ("system", "developer"))
    text = _text(last)
    found = markers.read(script.markers(chat.model, text, headers) + " " + system + " " + text)
    common: dict[str, Any] = {
        "thinking": found.think or _thinking(chat),
        "usage": found.usage or UsagePlan(),
        "fault": found.fail,
        "fault_at": found.fail_at,
        "retry_after": found.retry_after,
        "rate": found.rate,
        "first_ms": found.first_ms,
        "model": "another-model-entirely" if found.fail == "wrong-model" else None,
        "logprobs": bool(chat.body.get("logprobs")),
    }
    if found.unknown:
        return Plan(text=LABEL + "unknown marker: " + "; ".join(found.unknown), **common)
    if found.refuse:
        return Plan(refusal=LABEL + "I cannot help with that.", **common)
    results = [message for message in chat.messages if message.get("role") == "tool"]
    calls = _calls(chat, found, results)
    if calls:
        return Plan(calls=calls, **common)
    return Plan(text=_answer(chat, found, results, text, headers), **common)


def _thinking(chat: Chat) -> str:
    effort = chat.body.get("reasoning_effort")
    return f"Thinking with effort {effort}." if effort not in (None, "none") else ""


def _calls(chat: Chat, found: markers.Found, results: list[dict[str, Any]]) -> tuple[CallPlan, ...]:
    if results:
        return ()
    offered = {
        str(tool["function"]["name"]): tool["function"]
        for tool in chat.body.get("tools") or ()
        if isinstance(tool, dict) and isinstance(tool.get("function"), dict)
    }
    if found.calls:
        return tuple(call for call in found.calls if call.name in offered)
    choice = chat.body.get("tool_choice")
    name = None
    if choice == "required" and offered:
        name = next(iter(offered))
    elif isinstance(choice, dict):
        name = str(choice.get("function", {}).get("name"))
    if name is None or name not in offered:
        return ()
    return (CallPlan(name, json.dumps(example(offered[name].get("parameters") or {"type": "object"}, chat.seed))),)


def _answer(chat: Chat, found: markers.Found, results: list[dict[str, Any]], text: str, headers: dict[str, str]) -> str:
    if found.say is not None:
        return found.say
    if found.echo:
        return json.dumps({"headers": headers, "body": chat.body})
    if found.tokens is not None:
        return "".join(f"{number % 1000:03d} " for number in range(found.tokens))
    if results:
        return LABEL + "the tools said: " + "; ".join(_text(result) for result in results)
    shape = chat.body.get("response_format") or {}
    if shape.get("type") == "json_schema":
        return json.dumps(example(shape["json_schema"].get("schema") or {}, chat.seed))
    if shape.get("type") == "json_object":
        return json.dumps({"simulated": True, "you_said": text[:200]})
    images = _images(chat.messages)
    seen = f" I received {len(images)} image(s): {'; '.join(images)}." if images else ""
    return f"{LABEL}You said: {text[:400]}{seen}"


class Rendering:
    """A plan as OpenAI's bytes."""

    def __init__(self, chat: Chat, plan: Plan) -> None:
        self.chat = chat
        self.plan = plan
        self.id = f"chatcmpl-sim{chat.seed:016x}"
        self.model = plan.model or chat.model
        self.finish, self.text, self.completion = self._cut()

    def _cut(self) -> tuple[str, str, int]:
        """Apply stop sequences and the token limit; count what is left."""
        plan, body = self.plan, self.chat.body
        text, finish = plan.text or plan.refusal, "tool_calls" if plan.calls else "stop"
        stops = body.get("stop") or []
        for stop in [stops] if isinstance(stops, str) else stops:
            if stop and stop in text:
                text = text[: text.index(stop)]
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        if limit is not None and not plan.calls and len(pieces(text)) > int(limit):
            text, finish = "".join(pieces(text)[: int(limit)]), "length"
        spoken = len(pieces(text)) + sum(count_tokens(call.name + call.arguments) for call in plan.calls)
        return finish, text, (spoken + len(pieces(plan.thinking))) * self.chat.choices

    def usage(self) -> dict[str, Any] | None:
        wanted = self.plan.usage
        if wanted.manner == "missing":
            return None
        prompt = self.chat.prompt_tokens if wanted.prompt is None else wanted.prompt
        completion = self.completion if wanted.completion is None else wanted.completion
        if wanted.manner == "zero":
            prompt = completion = 0
        if wanted.manner == "absurd":
            prompt, completion = -5, 10**12
        reasoning = wanted.reasoning or (len(pieces(self.plan.thinking)) if wanted.manner != "zero" else 0)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": wanted.cached, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }

    def whole(self) -> bytes:
        message: dict[str, Any] = {"role": "assistant", "content": self.text or None, "refusal": None}
        if self.plan.refusal:
            message = {"role": "assistant", "content": None, "refusal": self.text}
        if self.plan.thinking:
            message["reasoning_content"] = self.plan.thinking
        if self.plan.calls:
            message["tool_calls"] = [
                {
                    "id": self._call_id(place),
                    "type": "function",
                    "function": {"name": one.name, "arguments": one.arguments},
                }
                for place, one in enumerate(self.plan.calls)
            ]
        choices = []
        for index in range(self.chat.choices):
            choice: dict[str, Any] = {
                "index": index,
                "message": message,
                "logprobs": None,
                "finish_reason": self.finish,
            }
            if self.plan.logprobs:
                choice["logprobs"] = {"content": [self._logprob(piece) for piece in pieces(self.text)]}
            choices.append(choice)
        answer = {"id": self.id, "object": "chat.completion", "created": _CREATED, "model": self.model,
                  "choices": choices, "usage": self.usage(), "system_fingerprint": "fp_simulated"}  # fmt: skip
        if answer["usage"] is None:
            del answer["usage"]
        return msgspec.json.encode(answer)

    def _call_id(self, place: int) -> str:
        return f"call_{self.chat.seed % 10**12:012d}{place}"

    def _logprob(self, piece: str) -> dict[str, Any]:
        return {"token": piece, "logprob": -0.1, "bytes": list(piece.encode()), "top_logprobs": []}

    def chunks(self) -> Iterator[tuple[bytes, int]]:
        """The events of a stream, each with the tokens it delivers."""
        usage = self.usage()
        manner = self.plan.usage.manner
        for index in range(self.chat.choices):
            yield self._chunk(index, {"role": "assistant", "content": "", "refusal": None}), 0
            for piece in pieces(self.plan.thinking):
                yield self._chunk(index, {"reasoning_content": piece}), 1
            field = "refusal" if self.plan.refusal else "content"
            for piece in pieces(self.text):
                logprobs = {"content": [self._logprob(piece)]} if self.plan.logprobs else None
                yield self._chunk(index, {field: piece}, logprobs=logprobs), 1
            yield from self._call_chunks(index)
            last = manner == "twice" and usage is not None
            yield self._chunk(index, {}, finish=self.finish, usage=usage if last else None), 0
        if self.chat.include_usage and usage is not None:
            final = {**self._base(), "choices": [], "usage": usage}
            yield b"data: " + msgspec.json.encode(final) + b"\n\n", 0
            if manner == "twice":
                yield b"data: " + msgspec.json.encode(final) + b"\n\n", 0
        yield b"data: [DONE]\n\n", 0

    def _call_chunks(self, index: int) -> Iterator[tuple[bytes, int]]:
        for place, call in enumerate(self.plan.calls):
            head = {"index": place, "id": self._call_id(place), "type": "function",
                    "function": {"name": call.name, "arguments": ""}}  # fmt: skip
            yield self._chunk(index, {"tool_calls": [head]}), count_tokens(call.name)
            for piece in pieces(call.arguments):
                part = {"index": place, "function": {"arguments": piece}}
                yield self._chunk(index, {"tool_calls": [part]}), 1

    def _base(self) -> dict[str, Any]:
        return {"id": self.id, "object": "chat.completion.chunk", "created": _CREATED, "model": self.model,
                "system_fingerprint": "fp_simulated"}  # fmt: skip

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
        if self.chat.include_usage:
            chunk["usage"] = usage
        return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


def error_body(status: int, message: str) -> bytes:
    kind = {401: "authentication_error", 429: "rate_limit_error"}.get(status, "invalid_request_error")
    if status >= 500:
        kind = "server_error"
    return msgspec.json.encode({"error": {"message": message, "type": kind, "param": None, "code": None}})
