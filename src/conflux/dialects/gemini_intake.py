"""The way in for every answer of the gemini dialect, on either lane.

Law: what is noted here is all that is ever known of an answer: usage, size, ends, faults. Nothing foreign raises: an
answer that cannot be read is a Fault, and after a Fault nothing more is taken in. Gemini says no last word: an answer
is over when its connection is, and whole when every candidate had a reason to finish.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct

from conflux.dialects.event_intake import EventIntake
from conflux.dialects.foreign_json import BROKEN, NULL
from conflux.dialects.gemini_answer_wire import (
    Candidate,
    Part,
    read_candidates,
    read_chunk,
    read_feedback,
)
from conflux.dialects.gemini_errors import fault_of
from conflux.dialects.gemini_usage import WireUsage, read_usage
from conflux.dialects.openai_usage import AbsurdUsage
from conflux.neutral.usage import Usage

_usage = msgspec.json.Decoder(WireUsage | None).decode


class Taken(Struct):
    """One event as it may pass, and what was read of it."""

    candidates: Raw | None  # as they came
    read: list[Candidate]
    feedback: Raw | None
    blocked: str | None
    usage: WireUsage | None
    finishes: bool  # it holds the end of a candidate


class Intake(EventIntake):
    """Bytes in, events out, and the tally beside."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[int, bool] = {}  # candidate: has it finished

    def read_on(self, data: bytes) -> Iterator[Taken]:
        """One by one: whoever finds fault with an event takes in no further one."""
        return self._taken(self.cut(data))

    def read_rest(self) -> Iterator[Taken]:
        """What the upstream left without its end, when it closed."""
        yield from self._taken(self.rest())
        self.closed()

    def whole(self, body: bytes) -> Taken | None:
        """A plain answer. None where it is a fault."""
        if not body.strip():
            self.fail("the answer is empty")
            return None
        found = self._read(body)
        if found is None or not (found.read or found.blocked):
            self.fail("the answer has no candidates")
            return None
        self.tally.done = self.tally.finished = True
        return found

    def _taken(self, events: list[tuple[bytes, bytes]]) -> Iterator[Taken]:
        for _, payload in events:
            if self.tally.fault is None and payload.strip():
                taken = self._read(payload.replace(b"\n", b" ") if b"\n" in payload else payload)
                if taken is not None:
                    yield taken

    def _read(self, payload: bytes) -> Taken | None:
        tally = self.tally
        try:
            if not payload.isascii():
                payload.decode()  # what is skipped in reading passes all the same
            chunk = read_chunk(payload)
            if chunk.error is not UNSET and chunk.error != NULL:
                tally.fault = fault_of(msgspec.json.decode(chunk.error))
                return None
            raw = None if chunk.candidates is UNSET else chunk.candidates
            candidates = (read_candidates(raw) or []) if raw is not None else []
            feedback = None if chunk.prompt_feedback is UNSET else chunk.prompt_feedback
            blocked = _blocked(feedback) if feedback is not None else None
            usage = None if chunk.usage_metadata is UNSET else _usage(chunk.usage_metadata)
        except BROKEN as error:
            self.fail(f"malformed answer: {error}")
            return None
        if not tally.model and isinstance(chunk.model_version, str):
            tally.model = chunk.model_version
        if not tally.upstream_id and isinstance(chunk.response_id, str):
            tally.upstream_id = chunk.response_id
        if raw is None and feedback is None and usage is None:
            return None
        tally.events += 1
        finishes = blocked is not None
        for candidate in candidates:
            finishes = self._note(candidate) or finishes
        if blocked is not None and not candidates:
            self._seen[0] = True
        if finishes:
            tally.finished = all(self._seen.values())
        return Taken(raw, candidates, feedback, blocked, self._counted(usage, candidates), finishes)

    def _note(self, candidate: Candidate) -> bool:
        tally = self.tally
        for part in (candidate.content.parts if candidate.content is not None else None) or ():
            size = written(part)
            if size:
                tally.output_bytes += size
                tally.content = True
        ends = bool(candidate.finish_reason) and candidate.finish_reason != "FINISH_REASON_UNSPECIFIED"
        if ends:
            self._seen[candidate.index] = True
        elif candidate.index not in self._seen:
            self._seen[candidate.index] = tally.finished = False
        return ends

    def _counted(self, wire: WireUsage | None, candidates: list[Candidate]) -> WireUsage | None:
        if wire is None:
            return None
        tally = self.tally
        try:
            found = read_usage(wire)
        except AbsurdUsage:
            tally.usage, tally.usage_absurd = None, True
            return None
        if found is None:
            return None
        searches = sum(len(_queries(one.grounding_metadata)) for one in candidates if one.grounding_metadata)
        if tally.usage is not None:
            searches += tally.usage.search
        tally.usage, tally.usage_absurd = found.plus(Usage(search=searches)) if searches else found, False
        return wire


def _queries(grounding: dict[str, Any]) -> list[Any]:
    found = grounding.get("webSearchQueries")
    return found if isinstance(found, list) else []


def _blocked(raw: Raw) -> str | None:
    feedback = read_feedback(raw)
    reason = feedback.block_reason if feedback is not None else None
    return reason if reason and reason != "BLOCK_REASON_UNSPECIFIED" else None


def written(part: Part) -> int:
    """UTF-8 bytes the model wrote in a part, for an estimate where nobody counts."""
    if part.text:
        return _size(part.text)
    call = part.function_call
    if call is not None:
        return _size(call.name) + (0 if call.args is UNSET else len(bytes(call.args)))
    said: Any = part.executable_code or part.code_execution_result
    if said is not None:
        return _size(str(said.get("code") or said.get("output") or ""))
    return len(part.inline_data.data) if part.inline_data is not None else 0


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8"))
