"""Answers of the gemini dialect carried through, the same dialect at both ends.

Law: what ends an answer is held back until the request is settled: from the first reason to finish on, or the whole
body of a plain one. What names the upstream is replaced or left out; candidates pass as they came.
"""

import msgspec
from msgspec import Raw

from conflux.dialects import gemini_errors
from conflux.dialects.base import Tally, Wanted
from conflux.dialects.gemini_intake import Intake, Taken
from conflux.dialects.gemini_usage import WireUsage, write_usage
from conflux.dialects.gemini_writer import keep_alive, tail
from conflux.neutral.errors import GatewayError
from conflux.neutral.usage import Usage


class GeminiPassThrough:
    """Gemini on both ends."""

    __slots__ = ("_held", "_intake", "_tail", "_usage", "_wanted", "_whole", "tally")

    def __init__(self, wanted: Wanted) -> None:
        self._intake = Intake()
        self.tally: Tally = self._intake.tally
        self._wanted = wanted
        self._tail = b""
        self._held: list[Taken] = []
        self._whole = False
        self._usage: WireUsage | None = None  # the last the upstream said

    def feed(self, data: bytes) -> bytes:
        return b"".join([self._event(taken) for taken in self._intake.read_on(data)])

    def end(self) -> bytes:
        return b"".join([self._event(taken) for taken in self._intake.read_rest()])

    def keep_alive(self) -> bytes:
        return keep_alive(self._wanted)

    def fail(self, error: GatewayError) -> bytes:
        return gemini_errors.event(error)

    def whole(self, body: bytes) -> None:
        taken = self._intake.whole(body)
        self._whole = True
        if taken is not None:
            self._usage = taken.usage
            self._held.append(taken)

    def last(self, usage: Usage, cost: Raw | None = None) -> bytes:
        out = [self._said(taken, None) for taken in self._held[:-1]]
        end = self._held[-1] if self._held else Taken(None, [], None, None, None, True)
        counted = self._usage if self.tally.usage is not None else None
        told = msgspec.json.encode(counted if counted is not None else write_usage(usage))
        out.append(self._said(end, told))
        if self._whole:
            return out[-1]
        return b"".join([b"data: " + one + b"\n\n" for one in out])

    def _event(self, taken: Taken) -> bytes:
        if taken.usage is not None:
            self._usage = taken.usage
        if taken.finishes or self._held:
            self._held.append(taken)
            return b""
        if taken.candidates is None and taken.feedback is None:
            return b""  # a count alone: the last one is told at the end
        return b"data: " + self._said(taken, None) + b"\n\n"

    def _said(self, taken: Taken, usage: bytes | None) -> bytes:
        if not self._tail:
            model = self._wanted.model or self.tally.model or ""
            self._tail = tail(self._wanted, model)
        pieces: list[bytes] = []
        if taken.candidates is not None:
            pieces += (b',"candidates":', bytes(taken.candidates))
        if taken.feedback is not None:
            pieces += (b',"promptFeedback":', bytes(taken.feedback))
        if usage is None and taken.usage is not None:
            usage = msgspec.json.encode(taken.usage)
        if usage is not None:
            pieces += (b',"usageMetadata":', usage)
        body = b"".join((*pieces, self._tail))
        return b"{" + body[1:]
