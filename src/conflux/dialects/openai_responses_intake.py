"""The way in for every answer of the openai-responses dialect, on either lane.

Law: what is noted here is all that is ever known of an answer: usage, size, ends, faults. Nothing foreign raises: an
answer that cannot be read is a Fault, and after a Fault, or the protocol's last word, nothing more is taken in.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from conflux.dialects import strict_json
from conflux.dialects.event_intake import EventIntake
from conflux.dialects.foreign_json import BROKEN
from conflux.dialects.openai_chat_answer_wire import DONE, fault_of
from conflux.dialects.openai_responses_errors import wait_in
from conflux.dialects.openai_responses_usage import read_usage
from conflux.dialects.openai_usage import AbsurdUsage
from conflux.neutral.events import Fault

FINAL = frozenset({"response.completed", "response.incomplete"})
_FAILED = frozenset({"response.failed", "error"})

# type of an event: what it adds to, and the field that holds it
_DELTAS = {
    "response.output_text.delta": ("text", "delta"),
    "response.output_text.done": ("text", "text"),
    "response.refusal.delta": ("refusal", "delta"),
    "response.refusal.done": ("refusal", "refusal"),
    "response.reasoning_summary_text.delta": ("thinking", "delta"),
    "response.reasoning_summary_text.done": ("thinking", "text"),
    "response.reasoning_text.delta": ("thinking", "delta"),
    "response.reasoning_text.done": ("thinking", "text"),
    "response.function_call_arguments.delta": ("call", "delta"),
    "response.function_call_arguments.done": ("call", "arguments"),
    "response.custom_tool_call_input.delta": ("call", "delta"),
    "response.custom_tool_call_input.done": ("call", "input"),
}
DELTAS = frozenset(name for name, (_, field) in _DELTAS.items() if field == "delta")
_ITEMS = frozenset({"response.output_item.added", "response.output_item.done"})

_NAME = re.compile(r"response\.[a-z_.]{1,80}")  # what an event may be called: it goes on as a line of its own

Index = Annotated[int, Meta(ge=0, lt=100_000)]


class Delta(Struct, forbid_unknown_fields=True):
    """The common event: one piece of text. As it may pass."""

    type: str
    delta: str
    item_id: str = ""
    output_index: Index = 0
    content_index: Index = 0
    summary_index: Index = 0
    sequence_number: int = 0
    logprobs: Any = None
    obfuscation: str | None = None


class Taken(Struct):
    """One event, as far as it is read."""

    type: str
    output_index: Index = 0
    content_index: Index = 0
    summary_index: Index = 0
    sequence_number: int = 0
    delta: Any = None
    text: Any = None
    refusal: Any = None
    arguments: Any = None
    input: Any = None
    logprobs: Any = None
    item: dict[str, Any] | None = None
    response: dict[str, Any] | None = None
    error: Any = None
    code: Any = None
    message: Any = None
    channel: str = ""
    is_done: bool = False
    common: bool = False  # a Delta, and nothing else in it

    @property
    def part(self) -> int:
        return self.content_index or self.summary_index


class _Type(Struct):
    type: str = ""


_delta = msgspec.json.Decoder(Delta).decode
_taken = msgspec.json.Decoder(Taken).decode
_type = msgspec.json.Decoder(_Type).decode
_any = msgspec.json.Decoder(dict[str, Any]).decode


class ResponsesIntake(EventIntake):
    """Bytes in, events out, and the tally beside."""

    __slots__ = ("final", "sequence")

    def __init__(self) -> None:
        super().__init__()
        self.final: dict[str, Any] | None = None  # the response as the last word said it
        self.sequence = -1

    def take(self, name: bytes, payload: bytes) -> Taken | None:
        """One event of a stream. None where it holds nothing that is read."""
        tally = self.tally
        if tally.done or tally.fault is not None or payload.strip() in (b"", DONE):
            return None
        try:
            found = _read(payload)
        except BROKEN as error:
            self.fail(f"malformed answer: {error}")
            return None
        if found is None:
            return None
        tally.events += 1
        self.sequence = max(self.sequence, found.sequence_number)
        if found.type in _FAILED or name == b"error":
            tally.fault = _fault(found)
            return None
        if found.channel:
            if not found.is_done:
                tally.output_bytes += len(found.text.encode("utf-8", "replace"))
            tally.content = tally.content or bool(found.text)
        elif found.item is not None:
            tally.content = tally.content or found.item.get("type") in ("function_call", "custom_tool_call")
        elif found.response is not None:
            self._hear(found.response)
            if found.type in FINAL:
                self._end(found.response, streamed=True)
        return found

    def take_whole(self, body: bytes) -> dict[str, Any] | None:
        """A plain answer. None where it is a fault."""
        try:
            found = _any(body)
        except BROKEN as error:
            self.fail(f"malformed answer: {error}" if body.strip() else "the answer is empty")
            return None
        if found.get("error") or found.get("status") in ("failed", "cancelled"):
            self.tally.fault = _fault(Taken(type="response.failed", response=found))
            return None
        if found.get("status") in ("in_progress", "queued"):
            self.fail(f"the answer is not finished: its status is {found['status']}")
            return None
        if not isinstance(found.get("output"), list):
            self.fail("the answer has no output")
            return None
        self.tally.events = 1
        self._hear(found)
        self._end(found, streamed=False)
        return found

    def _hear(self, response: dict[str, Any]) -> None:
        model, upstream_id = response.get("model"), response.get("id")
        self.tally.model = self.tally.model or (model if isinstance(model, str) else None)
        self.tally.upstream_id = self.tally.upstream_id or (upstream_id if isinstance(upstream_id, str) else None)

    def _end(self, response: dict[str, Any], *, streamed: bool) -> None:
        tally = self.tally
        output = response.get("output")
        if not isinstance(output, list):
            output = response["output"] = []
        said = sum(len(text.encode("utf-8", "replace")) for item in output for _, _, text in texts_of(item))
        if not streamed or not tally.output_bytes:
            tally.output_bytes = said
        tally.content = tally.content or bool(said)
        searches = sum(isinstance(item, dict) and item.get("type") == "web_search_call" for item in output)
        try:
            usage = read_usage(strict_json.encode(response.get("usage")))
        except AbsurdUsage:
            usage, tally.usage_absurd = None, True
        if usage is not None:
            tally.usage = msgspec.structs.replace(usage, search=searches) if searches else usage
        tally.finished = tally.done = True
        self.final = response


def _read(payload: bytes) -> Taken | None:
    """Raises what is in BROKEN where an event that matters cannot be read."""
    try:
        one = _delta(payload)
        channel = _DELTAS.get(one.type, ("", ""))[0]
        return Taken(
            type=one.type,
            output_index=one.output_index,
            content_index=one.content_index,
            summary_index=one.summary_index,
            sequence_number=one.sequence_number,
            text=one.delta,
            logprobs=one.logprobs,
            channel=channel,
            common=True,
        )
    except msgspec.ValidationError:
        pass
    kind = _type(payload).type
    if kind not in _FAILED and not _NAME.fullmatch(kind):
        return None
    try:
        found = _taken(payload)
    except msgspec.ValidationError:
        if kind in _DELTAS or kind in _ITEMS or kind in FINAL:
            raise
        return Taken(type=kind)
    if kind in _DELTAS:
        found.channel, field = _DELTAS[kind]
        text = getattr(found, field)
        found.text = text if isinstance(text, str) else ""
        found.is_done = field != "delta"
    return found


def _fault(found: Taken) -> Fault:
    value = (found.response or {}).get("error") or found.error
    if not value:
        value = {"message": found.message or (found.response or {}).get("status") or "", "code": found.code}
    fault = fault_of(value)
    return msgspec.structs.replace(fault, retry_after=wait_in(fault.message))


def texts_of(item: Any) -> Iterator[tuple[str, int, str]]:
    """What an item says, by channel and part."""
    if not isinstance(item, dict):
        return
    match item.get("type"):
        case "message":
            for place, part in enumerate(_listed(item, "content")):
                if isinstance(part.get("text"), str):
                    yield "text", place, part["text"]
                elif isinstance(part.get("refusal"), str):
                    yield "refusal", place, part["refusal"]
        case "reasoning":
            for place, part in enumerate(_listed(item, "summary") or _listed(item, "content")):
                if isinstance(part.get("text"), str):
                    yield "thinking", place, part["text"]
        case "function_call" if isinstance(item.get("arguments"), str):
            yield "call", 0, item["arguments"]
        case "custom_tool_call" if isinstance(item.get("input"), str):
            yield "call", 0, item["input"]


def _listed(item: dict[str, Any], field: str) -> list[dict[str, Any]]:
    found = item.get(field)
    return found if isinstance(found, list) and all(isinstance(part, dict) for part in found) else []
