"""The simulator's openai-responses face, writing half: a plan becomes OpenAI's bytes.

Law: exact in what it says: a stream and a plain answer to the same request say the same, in the real one's order of
events. Written without the gateway's dialects, as the other side of the tests.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from conflux.sim import openai_chat, openai_responses_request
from conflux.sim.ask import Ask
from conflux.sim.plan import CallPlan, Plan, pieces, size
from conflux.sim.quirks import Quirks

_encode = msgspec.json.encode

read = openai_responses_request.read
headers = openai_chat.headers
error_body = openai_chat.error_body


def render(ask: Ask, plan: Plan, created: int, quirks: Quirks) -> "ResponsesRendering":
    return ResponsesRendering(ask, plan, created)


def error_event(message: str) -> bytes:
    event = {"type": "error", "code": "server_error", "message": message, "param": None, "sequence_number": 0}
    return b"event: error\ndata: " + _encode(event) + b"\n\n"


class ResponsesRendering:
    """A plan as OpenAI's bytes."""

    def __init__(self, ask: Ask, plan: Plan, created: int) -> None:
        self._ask = ask
        self._plan = plan
        self._created = created
        self._number = 0
        self._mark = f"sim{ask.seed:016x}"
        self._kinds = _kinds(ask.body)

    def usage(self) -> dict[str, Any] | None:
        used = self._plan.usage
        if used.manner == "missing":
            return None
        return {
            "input_tokens": used.prompt,
            "input_tokens_details": {"cached_tokens": used.cached},
            "output_tokens": used.completion,
            "output_tokens_details": {"reasoning_tokens": used.reasoning},
            "total_tokens": used.prompt + used.completion,
        }

    def whole(self) -> bytes:
        return _encode(self._ended())

    def _ended(self) -> dict[str, Any]:
        reason = self._cut()
        output = [self._done(place, item) for place, item in enumerate(self._items())]
        return {**self._response("completed" if reason is None else "incomplete"), "output": output,
                "incomplete_details": None if reason is None else {"reason": reason},
                "usage": self.usage()}  # fmt: skip

    def _cut(self) -> str | None:
        """Why the answer is not whole."""
        return {"length": "max_output_tokens", "content_filter": "content_filter"}.get(self._plan.choices[0].finish)

    def _response(self, status: str) -> dict[str, Any]:
        body = self._ask.body
        return {
            "id": f"resp_{self._mark}",
            "object": "response",
            "created_at": self._created,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "instructions": body.get("instructions"),
            "model": self._plan.model or self._ask.model,
            "output": [],
            "parallel_tool_calls": body.get("parallel_tool_calls", True),
            "previous_response_id": None,
            "service_tier": "default",
            "store": body.get("store", True),
            "text": body.get("text") or {"format": {"type": "text"}},
            "tool_choice": body.get("tool_choice", "auto"),
            "tools": body.get("tools", []),
            "usage": None,
            "metadata": body.get("metadata", {}),
        }

    def _items(self) -> list[str | CallPlan]:
        """What is said, in order: "reasoning", "message", or a call."""
        plan = self._plan
        found: list[str | CallPlan] = ["reasoning"] if plan.thinking else []
        if plan.choices[0].text or not plan.calls:
            found.append("message")
        return [*found, *plan.calls]

    def _done(self, place: int, item: str | CallPlan) -> dict[str, Any]:
        last = place == len(self._items()) - 1
        status = "incomplete" if last and self._cut() is not None else "completed"
        if isinstance(item, CallPlan):
            return self._call(place, item, status, whole=True)
        if item == "reasoning":
            found: dict[str, Any] = {"id": f"rs_{self._mark}{place}", "type": "reasoning",
                                     "summary": [{"type": "summary_text", "text": self._plan.thinking}]}  # fmt: skip
            if "reasoning.encrypted_content" in self._ask.body.get("include", ()):
                found["encrypted_content"] = f"sealed-{self._mark}"
            return found
        text = self._plan.choices[0].text
        return {"id": f"msg_{self._mark}{place}", "type": "message", "status": status, "role": "assistant",
                "content": [self._part(text, pieces(text))]}  # fmt: skip

    def _part(self, text: str, spoken: list[str]) -> dict[str, Any]:
        if self._plan.refused:
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": self._logprobs(spoken)}

    def _logprobs(self, texts: list[str]) -> list[dict[str, Any]]:
        wanted = self._plan.logprobs
        if wanted is None:
            return []
        one = [{"token": text, "logprob": -0.1, "bytes": list(text.encode())} for text in texts]
        return [{**found, "top_logprobs": [found] if wanted else []} for found in one]

    def _call(self, place: int, call: CallPlan, status: str, *, whole: bool) -> dict[str, Any]:
        custom, namespace = self._kinds.get(call.name, (False, None))
        found: dict[str, Any] = {
            "id": f"{'ctc' if custom else 'fc'}_{self._mark}{place}",
            "type": "custom_tool_call" if custom else "function_call",
            "status": status,
            "call_id": f"call_{self._ask.seed % 10**12:012d}{place}",
            "name": call.name,
        }
        if namespace is not None:
            found["namespace"] = namespace
        found["input" if custom else "arguments"] = self._said(call) if whole else ""
        return found

    def _said(self, call: CallPlan) -> str:
        """A freeform tool is told its `input` as it is."""
        if not self._kinds.get(call.name, (False, None))[0]:
            return call.arguments
        try:
            found = json.loads(call.arguments)["input"]
        except (ValueError, KeyError, TypeError):
            return call.arguments
        return str(found)

    def events(self) -> Iterator[tuple[bytes, int]]:
        yield self._event("response.created", response=self._response("in_progress")), 0
        yield self._event("response.in_progress", response=self._response("in_progress")), 0
        items = self._items()
        for place, item in enumerate(items):
            if isinstance(item, CallPlan):
                yield from self._call_events(place, item)
            elif item == "reasoning":
                yield from self._reasoning_events(place)
            else:
                yield from self._message_events(place)
        ended = self._ended()
        yield self._event(f"response.{ended['status']}", response=ended), 0

    def _call_events(self, place: int, call: CallPlan) -> Iterator[tuple[bytes, int]]:
        begun = self._call(place, call, "in_progress", whole=False)
        yield self._event("response.output_item.added", output_index=place, item=begun), size(call.name)
        custom = begun["type"] == "custom_tool_call"
        kind = "custom_tool_call_input" if custom else "function_call_arguments"
        head = {"item_id": begun["id"], "output_index": place}
        text = self._said(call)
        for piece in pieces(text):
            yield self._event(f"response.{kind}.delta", **head, delta=piece), 1
        yield self._event(f"response.{kind}.done", **head, **{"input" if custom else "arguments": text}), 0
        yield self._item_done(place, call), 0

    def _reasoning_events(self, place: int) -> Iterator[tuple[bytes, int]]:
        done = self._done(place, "reasoning")
        yield self._event("response.output_item.added", output_index=place, item={**done, "summary": []}), 0
        head = {"item_id": done["id"], "output_index": place, "summary_index": 0}
        text = self._plan.thinking
        part = {"type": "summary_text", "text": ""}
        yield self._event("response.reasoning_summary_part.added", **head, part=part), 0
        for piece in pieces(text):
            yield self._event("response.reasoning_summary_text.delta", **head, delta=piece), 1
        yield self._event("response.reasoning_summary_text.done", **head, text=text), 0
        yield self._event("response.reasoning_summary_part.done", **head, part={**part, "text": text}), 0
        yield self._item_done(place, "reasoning"), 0

    def _message_events(self, place: int) -> Iterator[tuple[bytes, int]]:
        done = self._done(place, "message")
        begun = {**done, "status": "in_progress", "content": []}
        yield self._event("response.output_item.added", output_index=place, item=begun), 0
        head = {"item_id": done["id"], "output_index": place, "content_index": 0}
        yield self._event("response.content_part.added", **head, part=self._part("", [])), 0
        text = self._plan.choices[0].text
        if self._plan.refused:
            for piece in pieces(text):
                yield self._event("response.refusal.delta", **head, delta=piece), 1
            yield self._event("response.refusal.done", **head, refusal=text), 0
        else:
            for piece in pieces(text):
                yield self._text(head, piece), 1
            logprobs = self._logprobs(pieces(text))
            yield self._event("response.output_text.done", **head, text=text, logprobs=logprobs), 0
        yield self._event("response.content_part.done", **head, part=done["content"][0]), 0
        yield self._item_done(place, "message"), 0

    def _text(self, head: dict[str, Any], piece: str) -> bytes:
        return self._event(
            "response.output_text.delta", **head, delta=piece, logprobs=self._logprobs([piece]), obfuscation="x" * 4
        )

    def text_event(self) -> bytes:
        return self._text({"item_id": f"msg_{self._mark}0", "output_index": 0, "content_index": 0}, "more")

    def _item_done(self, place: int, item: str | CallPlan) -> bytes:
        return self._event("response.output_item.done", output_index=place, item=self._done(place, item))

    def _event(self, kind: str, **fields: Any) -> bytes:
        number, self._number = self._number, self._number + 1
        data = {"type": kind, **fields, "sequence_number": number}
        return b"event: " + kind.encode() + b"\ndata: " + _encode(data) + b"\n\n"


def _kinds(body: dict[str, Any]) -> dict[str, tuple[bool, str | None]]:
    """Of each tool: is it freeform, and whose group is it in."""
    found = {}
    for tool in body.get("tools", ()):
        namespace = tool.get("name") if tool.get("type") == "namespace" else None
        for one in tool.get("tools", ()) if namespace is not None else (tool,):
            found[str(one.get("name"))] = (one.get("type") == "custom", namespace)
    return found
