"""One conversation in nobody's protocol, and what an answer to it says: what the faces of the matrix have in common.

Law: a face turns `Asked` into its own request and its own answer into `Seen`, judging the answer as strictly as the
official client's types do. What is expected of an answer is said once, for all of them, in cases.py.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import msgspec

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
CITY: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city", "people"],
    "additionalProperties": False,
}
WEATHER: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


class Asked(NamedTuple):
    text: str
    tools: bool = False
    image: bool = False
    reasoning: bool = False
    schema: bool = False
    limit: int | None = None


class Call(NamedTuple):
    id: str  # "" where the protocol needs none
    name: str
    arguments: str


class Used(NamedTuple):
    """By the arithmetic of the neutral buckets: what was cached is beside the rest of the prompt."""

    prompt: int
    cached: int
    completion: int  # thinking included
    reasoning: int | None  # None: the protocol does not tell


class Seen(msgspec.Struct):
    """An answer, however it came."""

    id: str = ""
    model: str = ""
    text: str = ""
    thinking: str = ""
    refused: bool = False
    calls: list[Call] = []
    stop: str = ""  # end | tools | length | refusal | error
    used: Used | None = None
    error: str = ""  # what it says of a failure
    turn: Any = None  # the answer as it stands in the next request


class Face(Protocol):
    name: str
    id_prefix: str

    def path(self, model: str, stream: bool) -> str: ...
    def body(self, model: str, asked: Asked, stream: bool) -> dict[str, Any]: ...
    def again(self, body: dict[str, Any], seen: Seen, results: list[str]) -> dict[str, Any]:
        """The same conversation with this answer and what the tools said to it."""
        ...

    def whole(self, body: bytes) -> Seen: ...
    def streamed(self, body: bytes) -> Seen: ...
    def complaint(self, body: bytes) -> str:
        """The words of an error that came with its own status."""
        ...


def sse(body: bytes) -> Iterator[tuple[str, str]]:
    """Name and data of each event of a stream as we write it: at most one line of each, nothing else but comments."""
    assert body.endswith(b"\n\n"), body[-200:]
    for block in body.decode().removesuffix("\n\n").split("\n\n"):
        lines = [line for line in block.split("\n") if not line.startswith(":")]
        if not lines:
            continue
        name = ""
        if lines[0].startswith("event: "):
            name = lines.pop(0).removeprefix("event: ")
        assert len(lines) == 1 and lines[0].startswith("data: "), block
        yield name, lines[0].removeprefix("data: ")


def loaded(data: str) -> Any:
    return json.loads(data)
