"""Answers of the openai-responses dialect carried through, the same dialect at both ends.

Law: the last word of a stream, and a whole plain answer, are held back until the request is settled. Deltas pass as
they came; what names the upstream (ids and models of responses, fields that are not the protocol's own) is replaced or
left out.
"""

from typing import Any

from msgspec import UNSET, Raw, UnsetType, defstruct, json
from msgspec.structs import replace

from conflux.dialects import openai_responses_errors, strict_json
from conflux.dialects.base import Wanted
from conflux.dialects.event_intake import EventPassThrough
from conflux.dialects.foreign_json import BROKEN
from conflux.dialects.openai_responses_intake import DELTAS, FINAL, ResponsesIntake, Taken
from conflux.dialects.openai_responses_usage import write_usage
from conflux.dialects.sse import write_event
from conflux.neutral.errors import GatewayError
from conflux.neutral.usage import Usage

# The protocol's own fields of a response; its id, model, usage and error are said here.
_RESPONSE = (
    "object", "created_at", "completed_at", "status", "background", "incomplete_details", "instructions",
    "max_output_tokens", "max_tool_calls", "metadata", "output", "parallel_tool_calls", "prompt_cache_key",
    "reasoning", "safety_identifier", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p",
    "truncation", "user",
)  # fmt: skip
_ITEM = frozenset(
    {
        "id", "type", "status", "role", "content", "phase", "call_id", "name", "namespace", "arguments", "input",
        "output", "action", "actions", "summary", "encrypted_content", "queries", "results", "code", "outputs",
        "result", "pending_safety_checks", "operation", "environment", "max_output_length", "tools", "server_label",
        "approval_request_id", "error", "execution", "revised_prompt", "size", "quality", "background",
        "output_format", "container_id", "caller",
    }
)  # fmt: skip
# Of any other event: its place, and what it says.
_EVENT = frozenset(
    {
        "type", "sequence_number", "output_index", "content_index", "summary_index", "item_id", "delta", "text",
        "refusal", "arguments", "input", "name", "part", "item", "annotation", "annotation_index", "logprobs", "code",
        "partial_image_b64", "partial_image_index", "obfuscation", "command", "command_index",
    }
)  # fmt: skip
_delta_fields = ("type", "item_id", "output_index", "content_index", "summary_index", "delta", "logprobs",
                 "sequence_number", "obfuscation")  # fmt: skip
# A delta with fields of its own: only the known ones are kept, unread.
_sifted = json.Decoder(defstruct("Sifted", [(name, Raw | UnsetType, UNSET) for name in _delta_fields])).decode
_any = json.Decoder(dict[str, Any]).decode
_CREATED = "response.created"


class ResponsesPassThrough(EventPassThrough[ResponsesIntake]):
    """OpenAI Responses on both ends."""

    __slots__ = ("_ahead", "_held", "_last")

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted, ResponsesIntake())
        self._ahead = 0  # how many events more than the upstream's its client was told
        self._held: dict[str, Any] | None = None  # the response as it was last told
        self._last = ""  # the type of the last word, "" where the answer is a plain one

    def _event(self, name: bytes, payload: bytes) -> bytes:
        taken = self._intake.take(name, payload)
        if taken is None:
            return b""
        if b"\n" in payload:
            payload = payload.replace(b"\n", b" ")  # between tokens only; what passes must stay one line
        if taken.common and taken.type in DELTAS and not self._ahead:
            return b"".join((b"event: ", taken.type.encode(), b"\ndata: ", payload, b"\n\n"))
        if taken.type == _CREATED and self._held is not None:
            self._ahead -= 1  # said here, in the silence before it
            return b""
        if taken.type in FINAL:
            self._last, self._held = taken.type, self._response(self._intake.final or {})
            return b""
        if not taken.type.isprintable():
            return b""  # no protocol has such a word, and its line ends would become ours
        try:
            payload.decode()  # what nobody read may be no text
            return self._rare(taken, payload)
        except BROKEN as error:
            self._intake.fail(f"malformed answer: {error}")
            return b""

    def _rare(self, taken: Taken, payload: bytes) -> bytes:
        if taken.type in DELTAS:
            delta = _sifted(payload)
            if self._ahead:
                delta = replace(delta, sequence_number=taken.sequence_number + self._ahead)
            return write_event(taken.type.encode(), strict_json.encode(delta))
        found = {field: value for field, value in _any(payload).items() if field in _EVENT}
        if self._ahead:
            found["sequence_number"] = taken.sequence_number + self._ahead
        if taken.response is not None:
            found["response"] = self._held = self._response(taken.response)
        if isinstance(found.get("item"), dict):
            found["item"] = _item(found["item"])
        return write_event(taken.type.encode(), strict_json.encode(found))

    def _response(self, response: dict[str, Any]) -> dict[str, Any]:
        wanted = self._wanted
        found = {"id": wanted.answer_id, **{name: response[name] for name in _RESPONSE if name in response}}
        output = response.get("output")
        found["output"] = [_item(item) for item in output if isinstance(item, dict)] if isinstance(output, list) else []
        return {
            **found,
            "model": wanted.model or self.tally.model or "",
            "error": None,
            "previous_response_id": wanted.previous,
            "store": wanted.stored,
            "usage": None,
        }

    def whole(self, body: bytes) -> None:
        found = self._intake.take_whole(body)
        if found is not None:
            self._held = self._response(found)

    def last(self, usage: Usage, cost: Raw | None = None) -> bytes:
        response = {**(self._held or self._response({})), "usage": write_usage(usage, cost)}
        if not self._last:
            return strict_json.encode(response)
        event = {"type": self._last, "response": response, "sequence_number": self._intake.sequence + self._ahead}
        return write_event(self._last.encode(), strict_json.encode(event))

    def keep_alive(self) -> bytes:
        out = b"" if self._held is not None else self._told(_CREATED)
        return out + self._told("response.in_progress")

    def _told(self, kind: str) -> bytes:
        self._held = self._held or self._begun()
        self._ahead += 1
        event = {"type": kind, "response": self._held, "sequence_number": self._intake.sequence + self._ahead}
        return write_event(kind.encode(), strict_json.encode(event))

    def _begun(self) -> dict[str, Any]:
        """A response of which nothing is known yet."""
        known = {"object": "response", "created_at": self._wanted.created, "status": "in_progress",
                 "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}  # fmt: skip
        return self._response(known)

    def fail(self, error: GatewayError) -> bytes:
        out = b"" if self._held is not None else self._told(_CREATED)
        response = {**(self._held or {}), "status": "failed", "error": openai_responses_errors.failure(error)}
        number = self._intake.sequence + self._ahead + 1
        event = {"type": "response.failed", "response": response, "sequence_number": number}
        return out + write_event(b"response.failed", strict_json.encode(event))


def _item(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name in _ITEM}
