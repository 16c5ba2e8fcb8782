"""Answers of the openai-chat dialect carried through, the same dialect at both ends.

Law: the end of an answer is held back until the request is settled: the usage and [DONE] of a stream, the whole body
of a plain one. What names the upstream is replaced or left out; choices and usage pass as they came, but for what no
client could put together.
"""

from typing import Any

from msgspec import UNSET, Raw, UnsetType

from conflux.dialects import openai_errors, strict_json
from conflux.dialects.base import Wanted
from conflux.dialects.event_intake import EventPassThrough
from conflux.dialects.foreign_json import NULL
from conflux.dialects.openai_chat_answer_wire import DONE_EVENT, Choice, Chunk, DressedPiece, read_dressed_piece
from conflux.dialects.openai_chat_calls import NAMELESS, Choices, written
from conflux.dialects.openai_chat_intake import Intake
from conflux.dialects.openai_chat_thoughts import Thoughts, resealed
from conflux.dialects.openai_chat_writer import keep_alive
from conflux.dialects.openai_usage import write_usage
from conflux.neutral.errors import GatewayError
from conflux.neutral.usage import Usage

_LESSONS = 8  # an upstream whose chunks begin ever otherwise is not looked at for ever
_MISSES = 8  # nor one whose choices are ever more than a piece of text


class ChatPassThrough(EventPassThrough[Intake]):
    """OpenAI chat on both ends."""

    chunk, answer = b"chat.completion.chunk", b"chat.completion"  # what its objects are called

    # As it begins.
    _head = b""  # what every chunk of this answer begins with
    _choices: Raw | None = None  # those of a plain answer
    _thoughts: dict[int, Thoughts] | None = None
    _usage: bytes | Raw | None = None  # the last the upstream said, as it may pass
    _lead = b""  # the upstream's own words before the choices, in most answers the same in all chunks
    _ready = b""  # the same, while an event begins with what comes next
    _learnt = 0  # how often they were looked for
    _missed = 0  # how often choices were more than a piece of text
    _strange = 0  # how often they were not even one in its upstream's own dress

    def __init__(self, wanted: Wanted, intake: Intake | None = None) -> None:
        self._intake = intake = intake or Intake()
        self._wanted = wanted
        self._said = Choices()
        self.tally = intake.tally

    def feed(self, data: bytes) -> bytes:
        """Most chunks say what the one before said and other choices, and nothing behind them: then these are all that
        is read. It is as good as reading it all: up to there JSON was the same, and the rest is one array and a brace.
        """
        lead = self._ready
        if (
            lead
            and data.startswith(lead)
            and data.endswith(b"]}\n\n")
            and data.find(b"\n") == len(data) - 2
            and b"\r" not in data
        ):
            said = data[len(lead) : -3]
            if self._missed < _MISSES:
                if self._intake.take_piece(said):
                    return b"".join((self._head, said, b"}\n\n"))
                self._missed += 1
            if self._strange < _MISSES:
                plain = self._undressed(said)
                if plain is not None:
                    return b"".join((self._head, plain, b"}\n\n"))
                self._strange += 1
            taken = self._intake.take_choices(Raw(said))
            if taken is not None:
                if self.tally.fault is not None:
                    return self._rested(b"")
                return b"".join((self._head, self._mended(*taken), b"}\n\n"))
        return self._rested(super().feed(data))

    def _undressed(self, said: bytes) -> bytes | None:
        """A piece of text in the upstream's own dress, without it. Where all are, none is looked at as a plain one."""
        found = self._intake.take_piece(said, read_dressed_piece)
        if not isinstance(found, DressedPiece):
            return None
        self._missed = _MISSES
        again = found.delta.role is not None and not self._said.first(found.index)
        if again:
            found.delta.role = None
        elif found.undressed:
            return said
        return b'[{"index":%d,"delta":%b,"finish_reason":null}]' % (found.index, strict_json.encode(found.delta))

    def _rested(self, out: bytes) -> bytes:
        self._ready = self._lead if self._intake.resting else b""
        return out

    def _learn(self, payload: bytes, raw: Raw | UnsetType) -> None:
        """How this upstream's chunks begin, if it says nothing behind the choices."""
        self._learnt += 1
        end = payload.find(b'"choices":') + len(b'"choices":')
        if raw is not UNSET and payload[end:] == bytes(raw) + b"}":
            self._lead = b"data: " + payload[:end]

    def _event(self, name: bytes, payload: bytes) -> bytes:
        taken = self._intake.take(name, payload)
        if taken is None:
            if self.tally.done:
                self._over()
            return b""
        chunk, raw, choices, usage = taken
        if chunk.usage is not UNSET:
            self._keep(usage)
        if not choices:
            return b""  # the usage chunk: held back, it is the last word but one
        raw = self._mended(raw, choices)
        if not self._head:
            self._head = b"data: " + self._begin(chunk, self.chunk)
        if chunk.usage is UNSET and self._learnt < _LESSONS:
            self._learn(payload, chunk.choices)
        if usage is None or not self._wanted.include_usage:
            return b"".join((self._head, raw, b"}\n\n"))
        return b"".join((self._head, raw, b',"usage":', usage, b"}\n\n"))

    def _mended(self, raw: Raw, choices: list[Choice]) -> Raw:
        """As clients can put them together, with what seals a thought as it is given to them: without who sealed it."""
        changed, sealed = self._intake.bare, False
        for choice in choices:
            delta = choice.delta
            if delta is None or delta.role or delta.tool_calls or choice.finish_reason == "":
                changed = self._mend(choice) or changed
            if delta is not None and delta.reasoning_details is not None:
                sealed = True
        return self._written(choices, sealed) if changed or sealed else raw

    def _mend(self, choice: Choice) -> bool:
        return self._said.mend(choice, self.tally.upstream_id)

    def _written(self, choices: list[Choice], sealed: bool) -> Raw:
        if not sealed:
            return Raw(strict_json.encode([written(choice) for choice in choices]))
        if self._thoughts is None:
            self._thoughts = {}
        return resealed(choices, self._thoughts)

    def _over(self) -> None:
        """Nothing more comes."""
        if self._said.nameless():
            self._intake.fail(NAMELESS)

    def end(self) -> bytes:
        out = super().end()
        if self.tally.finished:
            self._over()
        return out

    def _keep(self, usage: bytes | Raw | None) -> None:
        if self.tally.usage is None:
            self._usage = None
        elif usage is not None and usage != NULL:
            self._usage = usage

    def _begin(self, chunk: Chunk | None, kind: bytes) -> bytes:
        """All fields before the choices: the caller's own id and model, and when the upstream began."""
        wanted = self._wanted
        created = (chunk.created if chunk is not None else None) or wanted.created
        model = strict_json.encode(wanted.model or self.tally.model or "")
        return b'{"id":"%b","object":"%b","created":%d,"model":%b,"choices":' % (
            wanted.answer_id.encode(), kind, created, model
        )  # fmt: skip

    def whole(self, body: bytes) -> None:
        taken = self._intake.take_whole(body)
        if taken is None:
            return
        chunk, raw, choices, usage = taken
        self._choices = self._whole(raw, choices)
        self._keep(usage)
        self._head = self._begin(chunk, self.answer)

    def _whole(self, raw: Raw, choices: list[Choice]) -> Raw:
        changed = self._intake.bare
        if len({choice.index for choice in choices}) < len(choices):
            changed = True
            for place, choice in enumerate(choices):
                choice.index = place
        for choice in choices:
            changed = self._said.mend_whole(choice, self.tally.upstream_id) or changed
        self._over()
        sealed = any(choice.message.reasoning_details is not None for choice in choices if choice.message is not None)
        return self._written(choices, sealed) if changed or sealed else raw

    def _reason(self, index: int) -> dict[str, Any]:
        """The end of a choice that the upstream gave none."""
        return {"index": index, "delta": {}, "finish_reason": self._said.reason(index)}

    def last(self, usage: Usage, cost: Raw | None = None) -> bytes:
        if self._choices is not None:
            return b"".join((self._head, self._choices, b',"usage":', self._counted(usage, cost), b"}"))
        head = self._head or b"data: " + self._begin(None, self.chunk)
        ends = [self._reason(index) for index in self._intake.unfinished()]
        ended = b"".join((head, strict_json.encode(ends), b"}\n\n")) if ends else b""
        if not self._wanted.include_usage:
            return ended + DONE_EVENT
        return b"".join((ended, head, b'[],"usage":', self._counted(usage, cost), b"}\n\n", DONE_EVENT))

    def keep_alive(self) -> bytes:
        return keep_alive(self._wanted)

    def fail(self, error: GatewayError) -> bytes:
        return openai_errors.event(error)

    def _counted(self, usage: Usage, cost: Raw | None) -> bytes | Raw:
        """The upstream's own words where it counted, else what was estimated and billed; and what it costs."""
        if self._usage is None:
            return strict_json.encode(write_usage(usage, cost))
        if cost is None:
            return self._usage
        return b"".join((bytes(self._usage).rstrip()[:-1], b',"cost":', cost, b"}"))
