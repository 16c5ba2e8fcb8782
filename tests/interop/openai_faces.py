"""OpenAI's three protocols as a strict client reads them: chat completions, completions, responses.

Law: every answer and every event passes the official package's own types; what these let pass and its stream helpers
trip over is asserted here.
"""

from typing import Any

from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.interop.asked import CITY, PIXEL, WEATHER, Asked, Call, Seen, Used, loaded, sse

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_STOPS = {"stop": "end", "length": "length", "tool_calls": "tools", "content_filter": "refusal"}
IMAGE = f"data:image/png;base64,{PIXEL}"


def _used(usage: dict[str, Any], prompt: str, completion: str) -> Used:
    cached = (usage.get(f"{prompt}_tokens_details") or {}).get("cached_tokens", 0)
    reasoning = (usage.get(f"{completion}_tokens_details") or {}).get("reasoning_tokens", 0)
    total = usage[f"{prompt}_tokens"] + usage[f"{completion}_tokens"]
    assert usage["total_tokens"] == total
    return Used(usage[f"{prompt}_tokens"] - cached, cached, usage[f"{completion}_tokens"], reasoning)


def _complaint(body: bytes) -> str:
    error = loaded(body.decode())["error"]
    assert isinstance(error, dict) and set(error) >= {"message", "type", "param", "code"}, error
    return f"{error['param'] or ''} {error['message']}".strip()


class Chat:
    name = "openai-chat"
    id_prefix = "chatcmpl-"
    complaint = staticmethod(_complaint)

    def path(self, model: str, stream: bool) -> str:
        return "/v1/chat/completions"

    def body(self, model: str, asked: Asked, stream: bool) -> dict[str, Any]:
        content: Any = asked.text
        if asked.image:
            content = [{"type": "text", "text": asked.text}, {"type": "image_url", "image_url": {"url": IMAGE}}]
        body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": content}], "stream": stream}
        if stream:
            body["stream_options"] = {"include_usage": True}
        if asked.tools:
            body["tools"] = [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}]
        if asked.reasoning:
            body["reasoning_effort"] = "high"
        if asked.schema:
            shape = {"name": "city", "schema": CITY, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": shape}
        if asked.limit is not None:
            body["max_completion_tokens"] = asked.limit
        return body

    def again(self, body: dict[str, Any], seen: Seen, results: list[str]) -> dict[str, Any]:
        said = [{"role": "tool", "tool_call_id": call.id, "content": result}
                for call, result in zip(seen.calls, results, strict=True)]  # fmt: skip
        return {**body, "messages": [*body["messages"], seen.turn, *said]}

    def whole(self, body: bytes) -> Seen:
        data = loaded(body.decode())
        if "error" in data:
            return Seen(stop="error", error=_complaint(body))
        ChatCompletion.model_validate(data)
        assert data["object"] == "chat.completion"
        (choice,) = data["choices"]
        assert choice["index"] == 0
        message = choice["message"]
        assert message["role"] == "assistant" and "content" in message
        return self._seen(data, message, choice["finish_reason"], data["usage"])

    def streamed(self, body: bytes) -> Seen:
        events = list(sse(body))
        assert all(name == "" for name, _ in events)
        if "error" in loaded(events[-1][1] if events[-1][1] != "[DONE]" else "{}"):
            events.append(("", "[DONE]"))
        assert [data for _, data in events].count("[DONE]") == 1 and events[-1][1] == "[DONE]"
        message: dict[str, Any] = {"role": "", "content": None}
        calls: list[dict[str, Any]] = []
        finish, usage, first, error = "", None, None, ""
        for _, text in events[:-1]:
            data = loaded(text)
            if "error" in data:
                error = data["error"]["message"]
                continue
            assert not error and usage is None, "nothing follows"
            ChatCompletionChunk.model_validate(data)
            first = first or data
            assert [data[key] for key in ("id", "model", "created", "object")] == [
                first[key] for key in ("id", "model", "created", "object")
            ]
            usage = data.get("usage") or usage
            for choice in data["choices"]:
                assert choice["index"] == 0 and not finish
                finish = choice.get("finish_reason") or ""
                self._add(message, calls, choice["delta"])
            assert data["choices"] or usage
        if first is None:
            return Seen(stop="error", error=error)
        if calls:
            message["tool_calls"] = calls
        if error:
            return Seen(first["id"], first["model"], message["content"] or "", stop="error", error=error)
        assert finish and usage is not None
        assert message["role"] == "assistant"
        return self._seen(first, message, finish, usage)

    def _add(self, message: dict[str, Any], calls: list[dict[str, Any]], delta: dict[str, Any]) -> None:
        """As the official client does: by putting texts together, so that role, id and name may come once only."""
        message["role"] += delta.get("role") or ""
        for name in ("content", "refusal", "reasoning_content"):
            if delta.get(name):
                message[name] = (message.get(name) or "") + delta[name]
        for piece in delta.get("tool_calls") or ():
            assert isinstance(piece["index"], int) and piece["index"] <= len(calls)
            if piece["index"] == len(calls):
                calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
            call = calls[piece["index"]]
            call["id"] += piece.get("id") or ""
            for name in ("name", "arguments"):
                call["function"][name] += piece.get("function", {}).get(name) or ""

    def _seen(self, data: dict[str, Any], message: dict[str, Any], finish: str, usage: dict[str, Any]) -> Seen:
        refused = bool(message.get("refusal")) or finish == "content_filter"
        calls = [Call(one["id"], one["function"]["name"], one["function"]["arguments"])
                 for one in message.get("tool_calls") or ()]  # fmt: skip
        return Seen(
            id=data["id"],
            model=data["model"],
            text=message["content"] or "",
            thinking=message.get("reasoning_content") or "",
            refused=refused,
            calls=calls,
            stop="refusal" if refused else _STOPS[finish],
            used=_used(usage, "prompt", "completion"),
            turn=message,
        )


class Completions:
    name = "openai-completions"
    id_prefix = "cmpl-"
    complaint = staticmethod(_complaint)

    def path(self, model: str, stream: bool) -> str:
        return "/v1/completions"

    def body(self, model: str, asked: Asked, stream: bool) -> dict[str, Any]:
        """The protocol has no word for most of what is asked: a client can only try the chat protocol's."""
        body: dict[str, Any] = {"model": model, "prompt": asked.text, "stream": stream}
        if stream:
            body["stream_options"] = {"include_usage": True}
        chat = Chat().body(model, asked, stream)
        for name in ("tools", "reasoning_effort", "response_format"):
            if name in chat:
                body[name] = chat[name]
        if asked.image:
            body["prompt"] = chat["messages"][0]["content"]
        body["max_tokens"] = asked.limit or 400  # the protocol's own 16 would end most answers
        return body

    def again(self, body: dict[str, Any], seen: Seen, results: list[str]) -> dict[str, Any]:
        raise AssertionError("the protocol has no tools")

    def whole(self, body: bytes) -> Seen:
        data = loaded(body.decode())
        if "error" in data:
            return Seen(stop="error", error=_complaint(body))
        Completion.model_validate(data)
        (choice,) = data["choices"]
        assert data["object"] == "text_completion" and choice["index"] == 0
        return self._seen(data, choice["text"], choice["finish_reason"], data["usage"])

    def streamed(self, body: bytes) -> Seen:
        events = list(sse(body))
        text, finish, usage, first, error = "", "", None, None, ""
        for _, one in events:
            if one == "[DONE]":
                continue
            data = loaded(one)
            if "error" in data:
                error = data["error"]["message"]
                continue
            assert not error and usage is None
            Completion.model_validate({"usage": None, **data, "choices": [
                {"finish_reason": "stop", **{k: v for k, v in choice.items() if v is not None}}
                for choice in data["choices"]
            ]})  # fmt: skip
            first = first or data
            assert data["id"] == first["id"] and data["model"] == first["model"]
            usage = data.get("usage") or usage
            for choice in data["choices"]:
                assert choice["index"] == 0 and not finish
                text += choice["text"]
                finish = choice.get("finish_reason") or ""
        if first is None or error:
            found = first or {"id": "", "model": ""}
            return Seen(found["id"], found["model"], text, stop="error", error=error)
        assert finish and usage is not None and events[-1][1] == "[DONE]"
        return self._seen(first, text, finish, usage)

    def _seen(self, data: dict[str, Any], text: str, finish: str, usage: dict[str, Any]) -> Seen:
        return Seen(id=data["id"], model=data["model"], text=text, stop=_STOPS[finish],
                    refused=finish == "content_filter", used=_used(usage, "prompt", "completion"))  # fmt: skip


class Responses:
    name = "openai-responses"
    id_prefix = "resp_"
    complaint = staticmethod(_complaint)

    def path(self, model: str, stream: bool) -> str:
        return "/v1/responses"

    def body(self, model: str, asked: Asked, stream: bool) -> dict[str, Any]:
        parts: list[dict[str, Any]] = [{"type": "input_text", "text": asked.text}]
        if asked.image:
            parts.append({"type": "input_image", "image_url": IMAGE})
        body: dict[str, Any] = {"model": model, "input": [{"role": "user", "content": parts}], "stream": stream,
                                "store": False}  # fmt: skip
        if asked.tools:
            body["tools"] = [{"type": "function", "name": "weather", "parameters": WEATHER, "strict": True}]
        if asked.reasoning:
            body["reasoning"] = {"effort": "high", "summary": "auto"}
            body["include"] = ["reasoning.encrypted_content"]
        if asked.schema:
            body["text"] = {"format": {"type": "json_schema", "name": "city", "schema": CITY, "strict": True}}
        if asked.limit is not None:
            body["max_output_tokens"] = asked.limit
        return body

    def again(self, body: dict[str, Any], seen: Seen, results: list[str]) -> dict[str, Any]:
        said = [{"type": "function_call_output", "call_id": call.id, "output": result}
                for call, result in zip(seen.calls, results, strict=True)]  # fmt: skip
        return {**body, "input": [*body["input"], *seen.turn, *said]}

    def whole(self, body: bytes) -> Seen:
        data = loaded(body.decode())
        if data.get("error"):
            return Seen(stop="error", error=_complaint(body))
        Response.model_validate(data)
        return self._seen(data)

    def streamed(self, body: bytes) -> Seen:
        events = [(name, loaded(data)) for name, data in sse(body)]
        added: list[dict[str, Any]] = []
        parts: set[tuple[int, int]] = set()
        done: dict[int, dict[str, Any]] = {}
        text = ""
        for place, (name, event) in enumerate(events):
            _EVENT.validate_python(event)
            assert name == event["type"] and event["sequence_number"] == place
            match name:
                case "response.output_item.added":
                    assert event["output_index"] == len(added)
                    added.append(event["item"])
                case "response.content_part.added":
                    parts.add((event["output_index"], event["content_index"]))
                case "response.output_text.delta" | "response.refusal.delta":
                    assert (event["output_index"], event["content_index"]) in parts
                    text += event["delta"]
                case "response.output_item.done":
                    assert event["item"]["id"] == added[event["output_index"]]["id"]
                    done[event["output_index"]] = event["item"]
        assert [name for name, _ in events[:2]] == ["response.created", "response.in_progress"]
        last = events[-1][1]["response"]
        assert last["id"] == events[0][1]["response"]["id"]
        if events[-1][0] == "response.failed":
            assert last["error"]["code"]
            return Seen(last["id"], last["model"], text, stop="error", error=last["error"]["message"])
        assert events[-1][0] in ("response.completed", "response.incomplete")
        assert last["output"] == [done[place] for place in range(len(added))]
        seen = self._seen(last)
        assert seen.text == text or seen.refused
        return seen

    def _seen(self, data: dict[str, Any]) -> Seen:
        seen = Seen(id=data["id"], model=data["model"], turn=data["output"], calls=[],
                    used=_used(data["usage"], "input", "output"))  # fmt: skip
        for item in data["output"]:
            if item["type"] == "reasoning":
                seen.thinking += "".join(part["text"] for part in item["summary"])
            elif item["type"] == "function_call":
                seen.calls.append(Call(item["call_id"], item["name"], item["arguments"]))
            else:
                assert item["type"] == "message" and item["role"] == "assistant"
                for part in item["content"]:
                    seen.refused = seen.refused or part["type"] == "refusal"
                    seen.text += part.get("text", "")
        why = (data["incomplete_details"] or {}).get("reason")
        assert (data["status"] == "incomplete") is (why is not None)
        seen.refused = seen.refused or why == "content_filter"
        length = "length" if why == "max_output_tokens" else "tools" if seen.calls else "end"
        seen.stop = "refusal" if seen.refused else length
        return seen
