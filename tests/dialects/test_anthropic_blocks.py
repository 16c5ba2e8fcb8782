"""Blocks as strict clients need them: without gaps, begun before they go on, each with all that it begins with."""

import json
from typing import Any

import anthropic.lib.streaming._messages as official
import pytest
from anthropic._models import construct_type_unchecked
from anthropic.types import RawMessageStreamEvent

from conflux.dialects.anthropic_messages import AnthropicMessages
from conflux.dialects.base import Lane
from conflux.relay.lanes import CompatLane
from tests.dialects.golden import cuts
from tests.dialects.messages import BILLED, WANTED, read
from tests.interop.asked import sse

DIALECT = AnthropicMessages()
TEXT = '{"type":"content_block_start","index":%s,"content_block":{"type":"text","text":""}}'
CALL = '{"type":"content_block_start","index":%s,"content_block":{"type":"tool_use","id":"%s","name":"f","input":{}}}'
SAID = '{"type":"content_block_delta","index":%s,"delta":{"type":"text_delta","text":"%s"}}'
ARGUED = '{"type":"content_block_delta","index":%s,"delta":{"type":"input_json_delta","partial_json":"%s"}}'
STOP = '{"type":"content_block_stop","index":%s}'
LAST = ('{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":3,"output_tokens":4}}',
        '{"type":"message_stop"}')  # fmt: skip


def wire(*events: str) -> bytes:
    return b"".join(f"event: {json.loads(one)['type']}\ndata: {one}\n\n".encode() for one in (*events, *LAST))


def lanes() -> list[Lane]:
    return [DIALECT.passthrough(WANTED), CompatLane(DIALECT.reader({}), DIALECT.writer(WANTED, read()))]


def handed_on(lane: Lane, pieces: list[bytes]) -> bytes:
    out = b"".join([lane.feed(piece) for piece in pieces]) + lane.end()
    return out + lane.last(lane.tally.usage or BILLED) if lane.tally.fault is None else out


def accumulated(stream: bytes) -> list[dict[str, Any]]:
    """What the official client makes of it, told to be strict about what is open."""
    snapshot: Any = None
    going: set[int] = set()
    buffers: dict[int, bytes] = {}
    for name, text in sse(stream):
        data = json.loads(text)
        if name == "content_block_start":
            assert data["index"] == len(snapshot.content)
            going.add(data["index"])
        elif name.startswith("content_block"):
            assert data["index"] in going
        if name == "content_block_stop":
            going.remove(data["index"])
        event: Any = construct_type_unchecked(type_=RawMessageStreamEvent, value=data)  # type: ignore[arg-type]
        snapshot = official.accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
    assert snapshot is not None and not going
    return [block.to_dict() for block in snapshot.content]


REPAIRED: dict[str, tuple[tuple[str, ...], list[dict[str, Any]]]] = {
    "a gap": (
        (TEXT % 3, SAID % (3, "a"), STOP % 3, TEXT % 7, SAID % (7, "b"), STOP % 7),
        [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
    ),
    "the same number twice": (
        (TEXT % 0, SAID % (0, "a"), STOP % 0, TEXT % 0, SAID % (0, "b"), STOP % 0),
        [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
    ),
    "the same number twice, the first not ended": (
        (TEXT % 0, SAID % (0, "a"), TEXT % 0, SAID % (0, "b"), STOP % 0),
        [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
    ),
    "an end of nothing": (
        (STOP % 0, TEXT % 0, STOP % 5, SAID % (0, "a"), STOP % 0, STOP % 0),
        [{"type": "text", "text": "a"}],
    ),
    "no end": ((TEXT % 0, SAID % (0, "a"), TEXT % 1, SAID % (1, "b")), [{"type": "text", "text": "a"},
                                                                         {"type": "text", "text": "b"}]),
    "no numbers": (
        tuple(one.replace('"index":0,', "").replace(',"index":0', "")
              for one in (TEXT % 0, SAID % (0, "a"), STOP % 0, TEXT % 0, SAID % (0, "b"), STOP % 0)),
        [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
    ),
    "a text that begins with nothing": (
        ('{"type":"content_block_start","index":0,"content_block":{"type":"text"}}', SAID % (0, "a"), STOP % 0),
        [{"type": "text", "text": "a"}],
    ),
    "a delta of nothing": (
        (TEXT % 0, SAID % (0, "a"), '{"type":"content_block_delta","index":0}',
         '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":null}}', STOP % 0),
        [{"type": "text", "text": "a"}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REPAIRED)
def test_repaired(case: str) -> None:
    events, blocks = REPAIRED[case]
    for place in (0, 1):
        whole = handed_on(lanes()[place], [wire(*events)])
        assert accumulated(whole) == blocks
        for pieces in cuts(wire(*events), case):
            assert handed_on(lanes()[place], pieces) == whole


@pytest.mark.parametrize("events", [
    (SAID % (0, "a"),),
    (TEXT % 0, SAID % (1, "a")),
    (TEXT % 0, STOP % 0, SAID % (0, "a")),
    (TEXT % 0, ARGUED % (0, "{}")),
    (CALL % (0, "t"), SAID % (0, "a")),
    (TEXT % 0, TEXT % 1, SAID % (-1, "a")),
    ('{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","input":{}}}',),
])  # fmt: skip
def test_what_continues_nothing_ends_the_answer_and_is_not_billed(events: tuple[str, ...]) -> None:
    for lane in lanes():
        out = handed_on(lane, [wire(*events)])
        assert lane.tally.fault is not None
        assert b"message_stop" not in out and b"message_delta" not in out
        assert lane.tally.output_bytes == int(events[0] == CALL % (0, "t"))  # its name, which went out


def test_blocks_side_by_side_pass_as_they_came() -> None:
    events = (CALL % (0, "x"), CALL % (1, "y"), ARGUED % (0, "1"), ARGUED % (1, "2"), STOP % 0, STOP % 1)
    lane = DIALECT.passthrough(WANTED)
    passed = handed_on(lane, [wire(*events)]).split(b"\n\n")[1:7]
    assert passed == wire(*events).split(b"\n\n")[:6]


def test_case_04_every_call_has_an_id_of_its_own() -> None:
    bare = CALL.replace('"id":"%s",', "") + "%.0s"
    for form, first in ((bare, ""), (CALL, ""), (CALL, "same"), (CALL.replace('"%s"', "null%.0s"), "")):
        events = [form % (0, first), STOP % 0, form % (1, first), STOP % 1]
        for lane in lanes():
            ids = [block["id"] for block in accumulated(handed_on(lane, [wire(*events)]))]
            assert len(set(ids)) == 2 and all(ids)
            assert ids[0] == first or ids[0].startswith("toolu_")
        plain = {"id": "i", "content": [json.loads(one)["content_block"] for one in (events[0], events[2])]}
        lane = DIALECT.passthrough(WANTED)
        lane.whole(json.dumps(plain).encode())
        assert len({block["id"] for block in json.loads(lane.last(BILLED))["content"]}) == 2


def test_what_is_well_formed_passes_byte_by_byte() -> None:
    events = (TEXT % 0, SAID % (0, "a"), STOP % 0, CALL % (1, "t"), ARGUED % (1, "{}"), STOP % 1)
    out = handed_on(DIALECT.passthrough(WANTED), [wire(*events)])
    assert out.split(b"\n\n")[1:7] == wire(*events).split(b"\n\n")[:6]
