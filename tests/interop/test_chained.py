"""A gateway behind a gateway: what a provider far behind sealed comes back to the gateway that knows whose it is.

Law: no socket. The gateway behind writes an answer that another dialect's provider sealed; the one before hands it on
to its client, takes the client's next turn and forwards it; the one behind must read the seal as it was.
"""

import json
from typing import Any

import pytest

from conflux.dialects import DIALECTS
from conflux.dialects.base import NOWHERE, Shape, Wanted, Written
from conflux.dialects.gemini_ids import sign
from conflux.neutral.events import (
    Began,
    BlockEnded,
    Event,
    Finished,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolBegan,
    ToolDelta,
)
from conflux.neutral.request import Part, Thinking, ToolCall
from conflux.neutral.usage import Usage
from tests.interop.asked import Asked
from tests.interop.cases import FACES, UPSTREAMS

SEAL, CALL = "c2VhbGVk", sign("call_1", "c2lnbmVk")
BILLED = Usage(input=1, output=1)
SEALED = [(face, issuer) for face in UPSTREAMS for issuer in UPSTREAMS if face != issuer]


def wanted(face: str) -> Wanted:
    return Wanted(answer_id=f"{DIALECTS[face].id_prefix}ours", model="m", created=1, include_usage=True)


def answered(issuer: str) -> list[Event]:
    call: list[Event] = [ToolBegan(call_id=CALL, name="weather"), ToolDelta(arguments='{"city":"a"}'), BlockEnded()]
    return [Began(id="i", model="m"), ThinkingDelta(text="hm"), ThinkingDelta(signature=SEAL, issuer=issuer),
            BlockEnded(), TextDelta(text="so"), BlockEnded(), *call, Finished(stop=Stop.TOOL_CALLS)]  # fmt: skip


def next_turn(face: str, issuer: str, *, streamed: bool) -> dict[str, Any]:
    """The client's, after an answer that went through both gateways."""
    client, dialect = FACES[face], DIALECTS[face]
    body = client.body("m", Asked("Hi", tools=True, reasoning=True), streamed)
    place = dialect.find(client.path("m", streamed)) or NOWHERE
    behind = dialect.writer(wanted(face), dialect.read_request(dialect.open(json.dumps(body).encode(), place)))
    before = dialect.passthrough(wanted(face))
    if streamed:
        came = behind.feed(answered(issuer)) + behind.last(BILLED)
        seen = client.streamed(before.feed(came) + before.end() + before.last(BILLED))
    else:
        before.whole(behind.whole(answered(issuer), BILLED))
        seen = client.whole(before.last(BILLED))
    return client.again(body, seen, ["sunny"])


def forwarded(face: str, body: dict[str, Any], **quirks: Any) -> tuple[Written, list[Part]]:
    """As the gateway before sends it, and all parts that the one behind reads."""
    dialect = DIALECTS[face]
    place = dialect.find(FACES[face].path("m", False)) or NOWHERE
    sent = dialect.forward(dialect.open(json.dumps(body).encode(), place), Shape(model="m", quirks=quirks))
    request = dialect.read_request(dialect.open(sent.body, place))
    return sent, [part for message in request.messages for part in message.parts]


def seals(parts: list[Part]) -> list[Thinking]:
    return [part for part in parts if isinstance(part, Thinking) and part.signature]


# The clients of chat that are played here put no list of a stream together.
MANNERS = [(face, issuer, streamed) for face, issuer in SEALED for streamed in (False, face != "openai-chat")]


@pytest.mark.parametrize(("face", "issuer", "streamed"), sorted(set(MANNERS)))
def test_case_25_a_seal_comes_back_through_two_gateways(face: str, issuer: str, streamed: bool) -> None:
    sent, parts = forwarded(face, next_turn(face, issuer, streamed=streamed), conflux=True)
    assert [(part.signature, part.issuer) for part in seals(parts)] == [(SEAL, issuer)]
    assert [part.id for part in parts if isinstance(part, ToolCall)] == [CALL]
    assert sent.dropped == ()


@pytest.mark.parametrize(("face", "issuer"), SEALED)
def test_case_25_whoever_is_no_gateway_gets_its_own_seals_only(face: str, issuer: str) -> None:
    sent, parts = forwarded(face, next_turn(face, issuer, streamed=False))
    assert seals(parts) == []
    assert any("reasoning signature" in name or "thinking" in name for name in sent.dropped)
    assert b"Y2Z4LTEg" not in sent.body
