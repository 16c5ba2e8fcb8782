"""Answers of the openai-chat dialect carried through, the same dialect at both ends.

Law: the end of an answer is held back until the request is settled: the usage chunk and [DONE] of a stream, the
whole body of a plain one. What names the upstream is replaced or left out; everything else passes as it came.
"""

from typing import Any

import msgspec
from msgspec import Raw

from conflux.dialects import strict_json
from conflux.dialects.base import Tally, Wanted
from conflux.dialects.openai_chat_answer_wire import (
    DONE,
    DONE_EVENT,
    PASSED,
    Choice,
    chunk_decoder,
    fault_of,
    is_null,
    note,
    note_usage,
    read_choices,
    text_of,
)
from conflux.dialects.openai_usage import write_usage
from conflux.dialects.sse import SseError, SseReader, write_data
from conflux.neutral.events import Fault
from conflux.neutral.usage import Usage


class ChatPassThrough:
    """OpenAI chat on both ends."""

    __slots__ = (
        "_asked",
        "_body",
        "_created",
        "_id",
        "_model",
        "_reader",
        "_upstream_created",
        "_usage_chunk",
        "tally",
    )

    def __init__(self, wanted: Wanted) -> None:
        self.tally = Tally()
        self._id = Raw(strict_json.encode(wanted.answer_id))
        self._model = Raw(strict_json.encode(wanted.model)) if wanted.model else None
        self._created = wanted.created
        self._upstream_created: Raw | None = None
        self._asked = wanted.include_usage
        self._reader = SseReader()
        self._body: dict[str, Raw] | None = None
        self._usage_chunk: dict[str, Raw] | None = None

    def feed(self, data: bytes) -> bytes:
        try:
            events = self._reader.feed(data)
        except SseError as error:
            self.tally.fault = Fault(message=str(error))
            return b""
        return b"".join([self._event(payload) for _, payload in events])

    def end(self) -> bytes:
        return b"".join([self._event(payload) for _, payload in self._reader.end()])

    def _event(self, payload: bytes) -> bytes:
        tally = self.tally
        if tally.fault is not None:
            return b""
        if payload == DONE:
            tally.finished = tally.done = True
            return b""
        try:
            chunk = chunk_decoder.decode(payload)
            if "error" in chunk and not is_null(chunk["error"]):
                tally.fault = fault_of(chunk["error"])
                return b""
            choices = self._take(chunk)
        except msgspec.MsgspecError as error:
            tally.fault = Fault(message=f"malformed chunk: {error}")
            return b""
        tally.events += 1
        usage = chunk.get("usage")
        if usage is not None:
            if not is_null(usage):
                note_usage(tally, usage)
                if not self._asked:
                    del chunk["usage"]
                if not choices:
                    # The usage chunk: held back, it is the last word but one.
                    self._usage_chunk = chunk
                    return b""
            elif not self._asked:
                del chunk["usage"]
        return b"data: " + strict_json.encode(chunk) + b"\n\n"

    def _take(self, chunk: dict[str, Raw]) -> list[Choice]:
        """Replace what names the upstream, read what must be known."""
        tally = self.tally
        if tally.events == 0:
            tally.upstream_id = text_of(chunk.get("id"))
            tally.model = text_of(chunk.get("model"))
            self._upstream_created = chunk.get("created")
        chunk["id"] = self._id
        if self._model is not None:
            chunk["model"] = self._model
        if not chunk.keys() <= PASSED:
            for name in chunk.keys() - PASSED:
                del chunk[name]
        raw = chunk.get("choices")
        if raw is None:
            return []
        chunk["choices"], choices = read_choices(raw)
        if choices:
            note(tally, choices)
        return choices

    def whole(self, body: bytes) -> None:
        tally = self.tally
        try:
            found = chunk_decoder.decode(body)
            if "error" in found and not is_null(found["error"]):
                tally.fault = fault_of(found["error"])
                return
            if "choices" not in found:
                tally.fault = Fault(message="the answer has no choices")
                return
            self._take(found)
        except msgspec.MsgspecError as error:
            tally.fault = Fault(message=f"malformed answer: {error}")
            return
        usage = found.get("usage")
        if usage is not None:
            note_usage(tally, usage)
        self._body = found

    def last(self, usage: Usage) -> bytes:
        if self._body is not None:
            if self.tally.usage is None:
                self._body["usage"] = Raw(strict_json.encode(write_usage(usage)))
            return strict_json.encode(self._body)
        if not self._asked:
            return DONE_EVENT
        if self.tally.usage is not None and self._usage_chunk is not None:
            chunk: dict[str, Any] = {"choices": [], **self._usage_chunk}
        else:
            created = self._upstream_created or self._created
            chunk = {"id": self._id, "object": "chat.completion.chunk", "created": created,
                     "model": self._model or self.tally.model or "", "choices": [],
                     "usage": write_usage(usage)}  # fmt: skip
        return write_data(strict_json.encode(chunk)) + DONE_EVENT
