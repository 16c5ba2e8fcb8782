"""Every upstream's answer to every client: whatever its bytes are, what the client gets is its own protocol to the end.

Law: all readers and all writers of the table, so a new dialect is fuzzed against the others without a word here.
"""

import asyncio
import gzip
import json
import zlib
from random import Random

from conflux.dialects import DIALECTS
from conflux.dialects.base import AnswerReader, Wanted
from conflux.dialects.freeform import FreeformReader
from conflux.dialects.think_tags import ThinkTagsReader
from conflux.faces.coding import decoded
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.events import Event
from conflux.neutral.request import Request
from conflux.neutral.usage import Usage
from tests.fuzz.laws import check_events, cut

WANTED = Wanted(answer_id="any_0123456789", model="house/model", created=7, include_usage=True)
CLIENTS = [dialect for name, dialect in DIALECTS.items() if name != "embeddings"]
BROKE = GatewayError(Kind.UPSTREAM_FAILED, "it broke off")
MOST = 100_000  # bytes of a body once it is unpacked


def written(events: list[Event]) -> None:
    asked = Request(dialect="openai-chat", messages=())
    for client in CLIENTS:
        for broken in (False, True):
            writer = client.writer(WANTED, asked)
            out = writer.feed(events) + writer.keep_alive() + (writer.fail(BROKE) if broken else writer.last(Usage()))
            assert out.endswith(b"\n\n") and b"\r" not in out
            for block in out.removesuffix(b"\n\n").split(b"\n\n"):
                lines = [line for line in block.split(b"\n") if not line.startswith(b":")]
                data = [line for line in lines if line.startswith(b"data: ")]
                assert len(data) == (1 if lines else 0) and len(lines) <= 2
                assert not data or data[0] == b"data: [DONE]" or json.loads(data[0][6:])
        json.loads(client.writer(WANTED, asked).whole(events, Usage()))


def _every(make: list[AnswerReader], data: bytes, chance: Random) -> None:
    for reader in make:
        pieces = cut(data, chance)
        events = [event for piece in pieces for event in reader.feed(piece)] + reader.end()
        check_events(events)
        written(events)


def chat(data: bytes, chance: Random) -> None:
    reader = DIALECTS["openai-chat"].reader
    freeform = FreeformReader(reader({}), frozenset({"p", "weather"}))
    _every([reader({}), ThinkTagsReader(reader({})), freeform], data, chance)


def responses(data: bytes, chance: Random) -> None:
    _every([DIALECTS["openai-responses"].reader({})], data, chance)


def messages(data: bytes, chance: Random) -> None:
    _every([DIALECTS["anthropic-messages"].reader({})], data, chance)


def gemini(data: bytes, chance: Random) -> None:
    _every([DIALECTS["gemini"].reader({})], data, chance)


def errors(data: bytes, chance: Random) -> None:
    """What an upstream says in refusing, in every client's words."""
    for dialect in DIALECTS.values():
        fault = dialect.upstream_error(chance.choice((400, 401, 429, 500, 529)), data)
        said = GatewayError(Kind.UPSTREAM_FAILED, fault.message, retry_after=fault.retry_after)
        for client in DIALECTS.values():
            for style in ("openai", "conflux"):
                status, body = client.error(said, style)
                assert 400 <= status < 600 and json.loads(body)
            assert client.error_event(said).endswith(b"\n\n")


def packed(data: bytes, chance: Random) -> None:
    """A packed body: what was packed, or a refusal, and never more than the limit."""
    coding = chance.choice((b"gzip", b"deflate", b"zstd"))
    try:
        found = asyncio.run(decoded(data, coding, MOST))
    except GatewayError as error:
        assert error.kind in (Kind.INVALID, Kind.TOO_LARGE)
        return
    assert len(found) <= MOST


PACKED = tuple(pack(text) for pack in (gzip.compress, zlib.compress) for text in (b"{}" * 40, b"\0" * 200_000, b""))
