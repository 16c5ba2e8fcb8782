"""The simulator's embeddings: the same text, the same vector, and no two texts alike.

Law: as strict as the real one. Written without the gateway's dialects, as the other side of the tests.
"""

import base64
import hashlib
import struct
from collections.abc import Iterator
from typing import Any

import msgspec

from conflux.sim import openai_chat
from conflux.sim.ask import Ask, BadRequest
from conflux.sim.plan import Plan, count_tokens, seed_of
from conflux.sim.quirks import Quirks

DIMENSIONS = 64
_KNOWN = frozenset({"input", "model", "dimensions", "encoding_format", "user"})

headers = openai_chat.headers
error_body = openai_chat.error_body
error_event = openai_chat.error_event


def read(raw: bytes, path: str, salt: int, quirks: Quirks) -> Ask:
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"We could not parse the JSON body of your request: {error}") from None
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        raise BadRequest("you must provide a model parameter", "model")
    for name in body:
        if name not in _KNOWN or name in quirks.refuses:
            raise BadRequest(f"Unknown parameter: '{name}'.", name)
    if body.get("encoding_format", "float") not in ("float", "base64"):
        raise BadRequest("Invalid value for 'encoding_format'", "encoding_format")
    inputs = inputs_of(body.get("input"))
    tokens = sum(count_tokens(one) if isinstance(one, str) else len(one) for one in inputs)
    return Ask(
        body=body, path=path, model=body["model"], stream=False, seed=seed_of(raw, salt), prompt_tokens=tokens,
        text=" ".join(one for one in inputs if isinstance(one, str)),
    )  # fmt: skip


def inputs_of(found: Any) -> list[Any]:
    """One item for each embedding: a text, or its tokens."""
    if isinstance(found, str) and found:
        return [found]
    if not isinstance(found, list) or not found or not all(isinstance(one, str | int | list) and one for one in found):
        raise BadRequest("'$.input' is invalid", "input")
    return [found] if isinstance(found[0], int) else found


def vector(text: Any, dimensions: int) -> list[float]:
    seed = msgspec.json.encode(text)
    blocks = b"".join(hashlib.sha256(b"%d:" % place + seed).digest() for place in range(-(-dimensions // 32)))
    return [byte / 128 - 1 for byte in blocks[:dimensions]]


def render(ask: Ask, plan: Plan, created: int, quirks: Quirks) -> "EmbeddingRendering":
    return EmbeddingRendering(ask, plan)


class EmbeddingRendering:
    def __init__(self, ask: Ask, plan: Plan) -> None:
        self._ask = ask
        self._plan = plan

    def whole(self) -> bytes:
        body, used = self._ask.body, self._plan.usage
        dimensions = body.get("dimensions") or DIMENSIONS
        rows = []
        for index, text in enumerate(inputs_of(body["input"])):
            found: Any = vector(text, dimensions)
            if body.get("encoding_format") == "base64":
                found = base64.b64encode(struct.pack(f"<{dimensions}f", *found)).decode()
            rows.append({"object": "embedding", "index": index, "embedding": found})
        answer: dict[str, Any] = {"object": "list", "data": rows, "model": self._plan.model or self._ask.model}
        if used.manner != "missing":
            answer["usage"] = {"prompt_tokens": used.prompt, "total_tokens": used.prompt}
        return msgspec.json.encode(answer)

    def events(self) -> Iterator[tuple[bytes, int]]:
        yield self.whole(), 0

    def text_event(self) -> bytes:
        return b""
