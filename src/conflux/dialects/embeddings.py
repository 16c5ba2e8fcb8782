"""The embeddings dialect: POST /v1/embeddings.

Law: as in base.py, with nothing to translate: only a provider that speaks this dialect can serve it, and what it
answers passes but for what names it. An embedding is never streamed, and writes no tokens.
"""

from array import array
from base64 import b64decode, b64encode
from collections.abc import Mapping
from math import isfinite
from sys import byteorder
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from conflux.dialects import openai_errors, strict_json
from conflux.dialects.base import NOWHERE, AnswerReader, AnswerWriter, Lane, Place, Shape, Tally, Wanted, Written
from conflux.dialects.complaints import complaint
from conflux.dialects.foreign_json import BROKEN
from conflux.dialects.openai_chat_answer_wire import fault_of
from conflux.dialects.openai_chat_wire import NOT_FORWARDED, OURS
from conflux.dialects.openai_usage import AbsurdUsage, read_usage
from conflux.neutral.errors import GatewayError, Kind, invalid
from conflux.neutral.events import Fault
from conflux.neutral.fields import Field, Words
from conflux.neutral.request import Envelope, Request
from conflux.neutral.usage import Usage

NAME = "embeddings"
MOST_INPUTS = 2048
BROKEN_ANSWER = "broken_embeddings"  # the code of a fault whose words are ours, and may be told
_TOKEN_BYTES = 4  # what the estimate of tokens takes three of; a token given as a number is one


class _Body(Struct):
    input: str | list[str | int | list[int]]
    model: str | None = None
    dimensions: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None
    stream: bool | None = None


class _Row(Struct):
    """One embedding: floats or base64, unread."""

    embedding: Raw
    index: int
    object: str = "embedding"


class _Answer(Struct):
    data: list[_Row] = []
    model: str | None = None
    usage: Raw = Raw(b"null")
    error: Any = None


_answer = msgspec.json.Decoder(_Answer).decode
_NO_NUMBERS = (b"n", b'"', b"{", b"t", b"f")  # in each that is not a number there is one of these
_WORDS = {"encoding_format": ("encoding format", "float, base64")}


# What its clients call a field that is refused.
_CALLED: Words = {Field.MESSAGES: ("input",)}


class Embeddings:
    """The dialect as the table of dialects holds it."""

    name = NAME
    id_prefix = "embd-"
    id_header = b""
    routes: tuple[str, ...] = ("/v1/embeddings", "/embeddings")
    words: Words = _CALLED
    listens: tuple[bytes, ...] = ()

    def find(self, path: str) -> Place | None:
        return None

    def open(self, raw: bytes, place: Place = NOWHERE) -> Envelope:
        body, size = strict_json.decode_measured(raw)
        try:
            found = msgspec.convert(body, _Body)
        except msgspec.ValidationError as error:
            raise complaint(str(error), body, _WORDS) from None
        if found.stream:
            raise invalid("stream: an embedding is not streamed: leave it out", "stream")
        if "task_type" in body:
            raise invalid("task_type: no task is an embedding: send model alone", "task_type")
        return Envelope(
            dialect=NAME,
            body=body,
            kind="embedding",
            size=size,
            widest=_widest(found.input),
            model=found.model,
            max_output=0,
            dimensions=found.dimensions,
            end_user=found.user,
        )

    def read_request(self, envelope: Envelope) -> Request:
        raise GatewayError(
            Kind.UNSUPPORTED, "this model's provider makes no embeddings: choose another model", param="model"
        )

    def write_request(self, request: Request, shape: Shape) -> Written:
        raise GatewayError(Kind.UNSUPPORTED, "this model only makes embeddings: use POST /v1/embeddings", param="model")

    def forward(self, envelope: Envelope, shape: Shape) -> Written:
        body = {name: value for name, value in envelope.body.items() if name not in NOT_FORWARDED}
        body["model"] = shape.model
        dropped = tuple(sorted((NOT_FORWARDED - OURS) & envelope.body.keys()))
        return Written(body=strict_json.encode(body), dropped=dropped)

    def path(self, shape: Shape) -> str:
        return "/embeddings"

    def reader(self, names: Mapping[str, str]) -> AnswerReader:
        raise AssertionError("embeddings only pass through")

    def writer(self, wanted: Wanted, request: Request) -> AnswerWriter:
        raise AssertionError("embeddings only pass through")

    def passthrough(self, wanted: Wanted) -> Lane:
        return EmbeddingsPassThrough(wanted)

    def error(self, error: GatewayError, style: str) -> tuple[int, bytes]:
        return openai_errors.body(error, style)

    def error_event(self, error: GatewayError) -> bytes:
        return openai_errors.event(error)

    def upstream_error(self, status: int, body: bytes) -> Fault:
        return openai_errors.read_upstream_error(status, body)


def asked(body: dict[str, Any]) -> dict[str, Any]:
    """What the answer is held to: how many embeddings, and as what."""
    found = body.get("input")
    several = isinstance(found, list) and not all(type(one) is int for one in found)
    return {"inputs": len(found) if several and found else 1, "encoding": body.get("encoding_format") or "float"}


def _widest(found: str | list[Any]) -> int:
    """Bytes of the longest single input: each must fit into the model by itself."""
    if isinstance(found, str):
        if not found:
            raise invalid("input: must not be empty", "input")
        return len(found.encode("utf-8", "replace"))
    if not found:
        raise invalid("input: must hold at least one item", "input")
    kinds = {type(one) for one in found}
    if len(kinds) != 1:
        raise invalid("input: is a text, a list of texts, a list of tokens, or a list of such lists", "input")
    if kinds == {int}:
        return len(found) * _TOKEN_BYTES
    if len(found) > MOST_INPUTS:
        raise invalid(f"input: holds {len(found)} items, and at most {MOST_INPUTS} are taken at once", "input")
    for place, one in enumerate(found):
        if not one:
            raise invalid(f"input[{place}]: must not be empty", f"input[{place}]")
    if kinds == {str}:
        return max(len(one.encode("utf-8", "replace")) for one in found)
    return max(len(one) for one in found) * _TOKEN_BYTES


def _written(raw: Raw, encoding: str) -> Raw:
    """An embedding as it was asked for, whichever way its upstream writes them. Raises ValueError where it is none."""
    said = bytes(raw).strip()
    if said[:1] == b"[" and encoding != "base64":
        # Numbers as they came, unread.
        if said[1:-1].strip() and not any(mark in said for mark in _NO_NUMBERS) and said.find(b"[", 1) < 0:
            return raw
        raise ValueError("not a list of numbers")
    if said[:1] == b'"' and encoding == "base64" and len(said) > 2:
        return raw
    if said[:1] == b"[":
        numbers = array("f", msgspec.json.decode(said, type=list[float]))
        _swap(numbers)
        text = b64encode(numbers.tobytes()).decode()
        if not text:
            raise ValueError("an empty list")
        return Raw(strict_json.encode(text))
    numbers = array("f")
    numbers.frombytes(b64decode(msgspec.json.decode(said, type=str), validate=True))
    _swap(numbers)
    if not numbers or not all(map(isfinite, numbers)):
        raise ValueError("not a list of numbers")
    return Raw(strict_json.encode(numbers.tolist()))


def _swap(numbers: "array[float]") -> None:
    """On the wire the lowest byte comes first."""
    if byteorder == "big":
        numbers.byteswap()


class EmbeddingsPassThrough:
    """Embeddings on both ends."""

    def __init__(self, wanted: Wanted) -> None:
        self.tally = Tally()
        self._wanted = wanted
        self._rows: list[_Row] = []

    def whole(self, body: bytes) -> None:
        tally = self.tally
        try:
            found = _answer(body)
        except BROKEN as error:
            tally.fault = Fault(message=f"malformed answer: {error}" if body.strip() else "the answer is empty")
            return
        if found.error or not found.data:
            tally.fault = fault_of(found.error) if found.error else Fault(message="the answer has no embeddings")
            return
        wanted = self._wanted
        if wanted.inputs and len(found.data) != wanted.inputs:
            said = f"{len(found.data)} embeddings came for {wanted.inputs} inputs"
            tally.fault = Fault(message=said, code=BROKEN_ANSWER)
            return
        if {row.index for row in found.data} != set(range(len(found.data))):
            # Nobody can tell which of them is of which input.
            tally.fault = Fault(message="the embeddings are not numbered as their inputs", code=BROKEN_ANSWER)
            return
        for place, row in enumerate(found.data):
            try:
                row.embedding = _written(row.embedding, wanted.encoding)
            except (ValueError, OverflowError, msgspec.MsgspecError):
                tally.fault = Fault(message=f"embedding {place} is no list of numbers", code=BROKEN_ANSWER)
                return
        try:
            tally.usage = read_usage(found.usage)
        except AbsurdUsage:
            tally.usage_absurd = True
        tally.model, self._rows = found.model, sorted(found.data, key=lambda row: row.index)
        tally.events, tally.content, tally.finished, tally.done = 1, True, True, True

    def last(self, usage: Usage, cost: Raw | None = None) -> bytes:
        model = self._wanted.model or self.tally.model or ""
        count = {"prompt_tokens": usage.prompt_total, "total_tokens": usage.total}
        return strict_json.encode({"object": "list", "data": self._rows, "model": model, "usage": count})

    def feed(self, data: bytes) -> bytes:
        raise AssertionError("an embedding is not streamed")

    def end(self) -> bytes:
        raise AssertionError("an embedding is not streamed")

    def keep_alive(self) -> bytes:
        return b""

    def fail(self, error: GatewayError) -> bytes:
        return openai_errors.event(error)
