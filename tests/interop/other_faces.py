"""Anthropic's Messages and Google's generateContent as a strict client reads them.

Law: Messages pass the official package's own types, generateContent a mirror of its documented ones that knows no
other field.
"""

import json
from typing import Any

import msgspec
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from tests.interop.asked import CITY, PIXEL, WEATHER, Asked, Call, Seen, Used, loaded, sse

_EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
_STOPS = {"end_turn": "end", "max_tokens": "length", "tool_use": "tools", "refusal": "refusal"}
_GROWS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


class Messages:
    name = "anthropic-messages"
    id_prefix = "msg_"

    def path(self, model: str, stream: bool) -> str:
        return "/v1/messages?beta=true"

    def body(self, model: str, asked: Asked, stream: bool) -> dict[str, Any]:
        content: list[dict[str, Any]] = [{"type": "text", "text": asked.text}]
        if asked.image:
            source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
            content.insert(0, {"type": "image", "source": source})
        body: dict[str, Any] = {"model": model, "max_tokens": asked.limit or 4000, "stream": stream,
                                "messages": [{"role": "user", "content": content}]}  # fmt: skip
        if asked.tools:
            body["tools"] = [{"name": "weather", "description": "Tells it", "input_schema": WEATHER}]
        if asked.reasoning:
            body["thinking"] = {"type": "enabled", "budget_tokens": 2000}
        if asked.schema:
            body["output_config"] = {"format": {"type": "json_schema", "schema": CITY}}
        return body

    def again(self, body: dict[str, Any], seen: Seen, results: list[str]) -> dict[str, Any]:
        said = [{"type": "tool_result", "tool_use_id": call.id, "content": result}
                for call, result in zip(seen.calls, results, strict=True)]  # fmt: skip
        turns = [{"role": "assistant", "content": seen.turn}, {"role": "user", "content": said}]
        return {**body, "messages": [*body["messages"], *turns]}

    def complaint(self, body: bytes) -> str:
        data = loaded(body.decode())
        assert data["type"] == "error" and data["error"]["type"]
        return str(data["error"]["message"])

    def whole(self, body: bytes) -> Seen:
        data = loaded(body.decode())
        if data["type"] == "error":
            return Seen(stop="error", error=self.complaint(body))
        return self._seen(data)

    def streamed(self, body: bytes) -> Seen:
        message: dict[str, Any] = {}
        is_open, over, error = False, False, ""
        for name, text in sse(body):
            event = loaded(text)
            assert name == event["type"]
            assert not over and not error, "nothing follows"
            if name == "ping":
                continue
            if name == "error":
                error = self.complaint(text.encode())
                continue
            _EVENT.validate_python(event)
            match name:
                case "message_start":
                    assert not message and event["message"]["content"] == []
                    message = event["message"]
                case "content_block_start":
                    assert not is_open and event["index"] == len(message["content"])
                    is_open = True
                    message["content"].append({**event["content_block"], "partial_json": ""})
                case "content_block_delta":
                    assert is_open and event["index"] == len(message["content"]) - 1
                    self._grow(message["content"][-1], event["delta"])
                case "content_block_stop":
                    assert is_open and event["index"] == len(message["content"]) - 1
                    is_open = False
                case "message_delta":
                    assert not is_open and message["stop_reason"] is None
                    message |= event["delta"]
                    message["usage"] |= {k: v for k, v in event["usage"].items() if v is not None}
                case "message_stop":
                    assert message["stop_reason"] is not None
                    over = True
        for block in message.get("content", ()):
            arguments = block.pop("partial_json")
            if block["type"] == "tool_use":
                block["input"] = json.loads(arguments or "{}")
        if error:
            said = "".join(block.get("text", "") for block in message.get("content", ()))
            return Seen(message.get("id", ""), message.get("model", ""), said, stop="error", error=error)
        assert over
        return self._seen(message)

    def _grow(self, block: dict[str, Any], delta: dict[str, Any]) -> None:
        if delta["type"] == "signature_delta":
            block["signature"] = delta["signature"]
            return
        field = _GROWS[delta["type"]]
        block[field] += delta[field]

    def _seen(self, data: dict[str, Any]) -> Seen:
        Message.model_validate(data)
        assert data["role"] == "assistant" and data["type"] == "message"
        usage = data["usage"]
        seen = Seen(
            id=data["id"],
            model=data["model"],
            stop=_STOPS[data["stop_reason"]],
            refused=data["stop_reason"] == "refusal",
            calls=[],
            used=Used(usage["input_tokens"] + (usage.get("cache_creation_input_tokens") or 0),
                      usage.get("cache_read_input_tokens") or 0, usage["output_tokens"], None),
            turn=data["content"],
        )  # fmt: skip
        for block in data["content"]:
            match block["type"]:
                case "text":
                    seen.text += block["text"]
                case "thinking":
                    assert isinstance(block["signature"], str)
                    seen.thinking += block["thinking"]
                case "tool_use":
                    seen.calls.append(Call(block["id"], block["name"], json.dumps(block["input"])))
                case other:
                    raise AssertionError(f"a block of type {other}")
        return seen


class _Record(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    pass


class _Function(_Record, kw_only=True):
    name: str
    args: dict[str, Any]
    id: str | None = None


class _Part(_Record, omit_defaults=True, kw_only=True):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: _Function | None = None


class _Content(_Record, kw_only=True):
    parts: list[_Part] = []
    role: str


class _Candidate(_Record, kw_only=True):
    content: _Content
    index: int = 0
    finish_reason: str | None = None
    finish_message: str | None = None
    safety_ratings: list[Any] | None = None


class _Usage(_Record, kw_only=True):
    prompt_token_count: int
    total_token_count: int
    candidates_token_count: int = 0
    cached_content_token_count: int = 0
    thoughts_token_count: int = 0
    tool_use_prompt_token_count: int = 0
    prompt_tokens_details: list[Any] | None = None
    candidates_tokens_details: list[Any] | None = None
    cost: Any = None


class _Answer(_Record, kw_only=True):
    response_id: str
    model_version: str
    candidates: list[_Candidate] = []
    prompt_feedback: dict[str, Any] | None = None
    usage_metadata: _Usage | None = None
    create_time: str | None = None


class Gemini:
    name = "gemini"
    id_prefix = ""

    def path(self, model: str, stream: bool) -> str:
        return f"/v1beta/models/{model}:{'streamGenerateContent?alt=sse' if stream else 'generateContent'}"

    def body(self, model: str, asked: Asked, stream: bool) -> dict[str, Any]:
        parts: list[dict[str, Any]] = [{"text": asked.text}]
        if asked.image:
            parts.append({"inlineData": {"mimeType": "image/png", "data": PIXEL}})
        body: dict[str, Any] = {"contents": [{"role": "user", "parts": parts}]}
        settings: dict[str, Any] = {}
        if asked.tools:
            body["tools"] = [{"functionDeclarations": [{"name": "weather", "parametersJsonSchema": WEATHER}]}]
        if asked.reasoning:
            settings["thinkingConfig"] = {"includeThoughts": True, "thinkingLevel": "high"}
        if asked.schema:
            settings |= {"responseMimeType": "application/json", "responseJsonSchema": CITY}
        if asked.limit is not None:
            settings["maxOutputTokens"] = asked.limit
        return {**body, "generationConfig": settings} if settings else body

    def again(self, body: dict[str, Any], seen: Seen, results: list[str]) -> dict[str, Any]:
        said = []
        for call, result in zip(seen.calls, results, strict=True):
            answer: dict[str, Any] = {"name": call.name, "response": {"output": result}}
            said.append({"functionResponse": answer | ({"id": call.id} if call.id else {})})
        turns = [{"role": "model", "parts": seen.turn}, {"role": "user", "parts": said}]
        return {**body, "contents": [*body["contents"], *turns]}

    def complaint(self, body: bytes) -> str:
        error = loaded(body.decode())["error"]
        assert isinstance(error["code"], int) and error["status"].isupper()
        return str(error["message"])

    def whole(self, body: bytes) -> Seen:
        if "error" in loaded(body.decode()):
            return Seen(stop="error", error=self.complaint(body))
        return self._seen([msgspec.json.decode(body, type=_Answer)], "")

    def streamed(self, body: bytes) -> Seen:
        chunks, error = [], ""
        for name, text in sse(body):
            assert name == "" and not error
            if "error" in loaded(text):
                error = self.complaint(text.encode())
            else:
                chunks.append(msgspec.json.decode(text, type=_Answer))
        return self._seen(chunks, error)

    def _seen(self, chunks: list[_Answer], error: str) -> Seen:
        if not chunks:
            return Seen(stop="error", error=error)
        assert len({chunk.response_id for chunk in chunks}) == len({chunk.model_version for chunk in chunks}) == 1
        seen = Seen(id=chunks[0].response_id, model=chunks[0].model_version, error=error, turn=[], calls=[])
        finish = ""
        for candidate in (one for chunk in chunks for one in chunk.candidates):
            assert candidate.index == 0 and not finish, "nothing follows"
            finish = candidate.finish_reason or ""
            for part in candidate.content.parts:
                seen.turn.append(msgspec.to_builtins(part))
                if part.function_call is not None:
                    call = part.function_call
                    seen.calls.append(Call(call.id or "", call.name, json.dumps(call.args)))
                elif part.thought:
                    seen.thinking += part.text or ""
                else:
                    seen.text += part.text or ""
        blocked = bool((chunks[-1].prompt_feedback or {}).get("blockReason"))
        seen.refused = blocked or finish in ("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "RECITATION")
        if error:
            seen.stop = "error"
            return seen
        assert blocked or finish
        ends = "tools" if seen.calls else "end"
        seen.stop = "refusal" if seen.refused else {"STOP": ends, "MAX_TOKENS": "length"}[finish]
        usage = chunks[-1].usage_metadata
        assert usage is not None
        completion = usage.candidates_token_count + usage.thoughts_token_count
        assert usage.total_token_count == usage.prompt_token_count + usage.tool_use_prompt_token_count + completion
        cached = usage.cached_content_token_count
        seen.used = Used(usage.prompt_token_count - cached, cached, completion, usage.thoughts_token_count)
        return seen
