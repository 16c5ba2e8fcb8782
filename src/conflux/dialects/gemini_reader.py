"""Answers of the gemini dialect, read as events.

Law: a part of another kind ends the block before it; a function call is one block, whole as it came, with an id of
ours where it has none and its thought signature inside of the id. The ends are said when the answer is over, since
Gemini counts with its last words.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from conflux.dialects import citations, gemini_wire
from conflux.dialects.base import Tally
from conflux.dialects.foreign_json import BROKEN, NULL
from conflux.dialects.gemini_answer_wire import Candidate, FunctionCall, Part
from conflux.dialects.gemini_ids import made, sign
from conflux.dialects.gemini_intake import Intake, Taken
from conflux.neutral.events import (
    Aside,
    Began,
    BlockEnded,
    Event,
    Finished,
    Reported,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolBegan,
    ToolDelta,
)

_FILTERED = frozenset(
    {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
     "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR"}
)  # fmt: skip
# By these the model says that it failed, not that it finished.
_FAILURES = frozenset(
    {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
     "MALFORMED_RESPONSE", "NO_IMAGE", "IMAGE_OTHER"}
)  # fmt: skip


# The parts of an answer that leave whole.
GROUNDING, SIGNATURE = "groundingMetadata", "thoughtSignature"
# What is read of a candidate and of its parts, or stands for nothing. A safety rating is how every answer is rated.
_READ = frozenset({"content", "finishReason", "finishMessage", "index", "logprobsResult", "groundingMetadata",
                   "safetyRatings", "avgLogprobs", "tokenCount"})  # fmt: skip
_PART = frozenset({"text", "thought", "thoughtSignature", "functionCall", "inlineData", "executableCode",
                   "codeExecutionResult"})  # fmt: skip


class GeminiReader:
    """A Gemini upstream's answer, as events. `names`: what a function is called there: what it was called."""

    def __init__(self, names: Any) -> None:
        self._intake = Intake()
        self.tally: Tally = self._intake.tally
        self._names = names
        self._began = False
        self._ended = False
        self._blocks: dict[int, str] = {}  # candidate: the block that is open
        self._stops: dict[int, Stop] = {}
        self._called: set[int] = set()
        self._calls = 0
        self._grounds: dict[int, dict[str, Any]] = {}
        self._said: dict[int, list[str]] = {}  # candidate: its text, which what it stands on counts in

    def feed(self, data: bytes) -> list[Event]:
        events = self._events(self._intake.read_on(data))
        return events + self._close() if self.tally.fault is not None else events

    def end(self) -> list[Event]:
        return self._events(self._intake.read_rest()) + self._close()

    def whole(self, body: bytes) -> list[Event]:
        taken = self._intake.whole(body)
        return self._events([taken] if taken is not None else []) + self._close()

    def _events(self, taken: Iterable[Taken]) -> list[Event]:
        events: list[Event] = []
        for one in taken:
            if not self._began:
                self._began = True
                events.append(Began(id=self.tally.upstream_id or "", model=self.tally.model or ""))
            if one.blocked is not None and not one.read:
                self._stops.setdefault(0, Stop.CONTENT_FILTER)
            strange = one.finishes
            for candidate in one.read:
                strange = self._candidate(candidate, events) or strange
                if candidate.grounding_metadata:
                    grounds = self._grounds.get(candidate.index, {})
                    self._grounds[candidate.index] = grounds | candidate.grounding_metadata
                if self.tally.fault is not None:
                    return events
            if strange and one.candidates is not None:
                citations.note(self.tally.lost, *_unread(one.candidates))
        return events

    def _candidate(self, candidate: Candidate, events: list[Event]) -> bool:
        """Is there a part of a kind that nobody knows?"""
        index = candidate.index
        logprobs = _logprobs(candidate.logprobs_result)
        strange = False
        for part in (candidate.content.parts if candidate.content is not None else None) or ():
            if part.function_call is not None:
                self._call(part.function_call, part.thought_signature, index, events)
            elif part.text is not None and part.thought:
                self._think(part, index, events)
            else:
                text = part.text if part.text is not None else _shown(part)
                strange = strange or (part.text is None and not text)
                if text or logprobs is not None:
                    self._switch("text", index, events)
                    events.append(TextDelta(text=text, index=index, logprobs=logprobs))
                    self._said.setdefault(index, []).append(text)
                    logprobs = None
                if part.thought_signature and part.function_call is None:
                    said = Aside(dialect=gemini_wire.NAME, kind=SIGNATURE, value=part.thought_signature, index=index)
                    events.append(said)
        reason = candidate.finish_reason
        if not reason or reason == "FINISH_REASON_UNSPECIFIED":
            return strange
        if reason in _FAILURES:
            self._intake.fail(f"the answer ended with {reason}: {candidate.finish_message or ''}"[:300])
        elif reason in _FILTERED:
            self._stops[index] = Stop.CONTENT_FILTER
        else:
            self._stops[index] = Stop.LENGTH if reason == "MAX_TOKENS" else Stop.END
        return strange

    def _cite(self, grounding: dict[str, Any], index: int, events: list[Event]) -> None:
        """The pages as every protocol may say them, and the whole of it for Gemini's own clients."""
        for link in citations.read_gemini(grounding, "".join(self._said.get(index, ()))):
            events.append(Aside(dialect=gemini_wire.NAME, kind="citation", value=None, index=index, link=link))
        events.append(Aside(dialect=gemini_wire.NAME, kind=GROUNDING, value=grounding, index=index))

    def _think(self, part: Part, index: int, events: list[Event]) -> None:
        signature = part.thought_signature or None
        if part.text or signature:
            self._switch("thinking", index, events)
            issuer = gemini_wire.NAME if signature else None
            events.append(ThinkingDelta(text=part.text or "", index=index, signature=signature, issuer=issuer))

    def _call(self, call: FunctionCall, signature: str | None, index: int, events: list[Event]) -> None:
        if not call.name:
            self._intake.fail("the answer has a function call without a name")
            return
        self._end_block(index, events)
        self._calls += 1
        self._called.add(index)
        arguments = _arguments(call.args)
        call_id = call.id or made(self.tally.upstream_id, index, self._calls, call.name, arguments)
        name = self._names.get(call.name, call.name)
        events += (
            ToolBegan(call_id=sign(call_id, signature), name=name, index=index),
            ToolDelta(arguments=arguments, index=index),
            BlockEnded(index=index),
        )

    def _switch(self, block: str, index: int, events: list[Event]) -> None:
        if self._blocks.get(index) != block:
            self._end_block(index, events)
            self._blocks[index] = block

    def _end_block(self, index: int, events: list[Event]) -> None:
        if self._blocks.pop(index, None) is not None:
            events.append(BlockEnded(index=index))

    def _close(self) -> list[Event]:
        if self._ended:
            return []
        self._ended = True
        if self.tally.fault is not None:
            return [self.tally.fault]
        events: list[Event] = []
        for index, grounding in sorted(self._grounds.items()):
            self._cite(grounding, index, events)
        for index in sorted(self._blocks):
            self._end_block(index, events)
        for index, stop in sorted(self._stops.items()):
            called = stop is Stop.END and index in self._called
            events.append(Finished(stop=Stop.TOOL_CALLS if called else stop, index=index))
        if self.tally.usage is not None:
            events.append(Reported(usage=self.tally.usage))
        return events


def _unread(candidates: Raw) -> Iterator[str]:
    """What no event carries."""
    try:
        found = msgspec.json.decode(candidates) or ()
    except BROKEN:  # where nobody reads, an upstream may write what cannot be
        yield "unknown part"
        return
    for candidate in found:
        yield from citations.beyond(candidate, _READ)
        content = candidate.get("content")
        for part in (content.get("parts") if isinstance(content, dict) else None) or ():
            yield from citations.beyond(part, _PART)


def _arguments(raw: Raw | UnsetType) -> str:
    if raw is UNSET or raw == NULL:
        return "{}"
    try:
        return msgspec.json.encode(msgspec.json.decode(raw)).decode()
    except BROKEN:  # pragma: no cover - it was read as a part of the whole before
        return "{}"


def _shown(part: Part) -> str:
    """What no event can carry, as the text that chats show of it."""
    if part.executable_code is not None:
        language = str(part.executable_code.get("language") or "").lower()
        return f"\n```{language}\n{part.executable_code.get('code') or ''}\n```\n"
    if part.code_execution_result is not None:
        return f"\n```\n{part.code_execution_result.get('output') or ''}\n```\n"
    blob = part.inline_data
    return f"![image](data:{blob.mime_type};base64,{blob.data})" if blob is not None else ""


def _logprobs(found: Any) -> Any:
    """Gemini's log probabilities, as the chat wire says them: that is what events carry."""
    if not isinstance(found, dict) or not isinstance(found.get("chosenCandidates"), list):
        return None
    chosen, tops = found["chosenCandidates"], found.get("topCandidates")
    content = []
    for place, one in enumerate(chosen):
        top = tops[place] if isinstance(tops, list) and place < len(tops) else None
        others = top.get("candidates") if isinstance(top, dict) else None
        listed = [_logprob(other) for other in others] if isinstance(others, list) else []
        content.append({**_logprob(one), "top_logprobs": listed})
    return {"content": content, "refusal": None}


def _logprob(one: Any) -> dict[str, Any]:
    one = one if isinstance(one, dict) else {}
    token = one.get("token")
    token = token if isinstance(token, str) else ""
    value = one.get("logProbability")
    return {"token": token, "logprob": value if isinstance(value, int | float) else 0.0,
            "bytes": list(token.encode("utf-8", "replace"))}  # fmt: skip
