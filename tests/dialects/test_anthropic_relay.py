"""Answers carried through: the golden table, whatever the cuts, and nothing of the upstream's own."""

import json
from typing import Any

import pytest

from conflux.dialects.anthropic_relay import MessagesPassThrough
from conflux.neutral.errors import GatewayError, Kind
from tests.dialects.golden import cuts
from tests.dialects.messages import BILLED, WANTED, GoldenStream, streams


def relay(pieces: list[bytes]) -> tuple[bytes, MessagesPassThrough]:
    lane = MessagesPassThrough(WANTED)
    out = b"".join([lane.feed(piece) for piece in pieces]) + lane.end()
    if lane.tally.fault is None and lane.tally.finished:
        out += lane.last(lane.tally.usage or BILLED)
    return out, lane


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_relayed(golden: GoldenStream) -> None:
    out, lane = relay([golden.wire])
    assert out == golden.relayed
    golden.noted(lane.tally)


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_case_35_relayed_the_same_however_it_is_cut(golden: GoldenStream) -> None:
    for pieces in cuts(golden.wire, golden.name):
        assert relay(pieces)[0] == golden.relayed


def test_the_end_is_held_back_until_it_is_settled() -> None:
    lane = MessagesPassThrough(WANTED)
    (golden,) = [one for one in streams() if one.name == "plain_text"]
    out = lane.feed(golden.wire) + lane.end()
    assert b"content_block_stop" in out and b"message_delta" not in out and b"message_stop" not in out


def plain(**fields: Any) -> Any:
    lane = MessagesPassThrough(WANTED)
    answer = {"id": "msg_up", "type": "message", "role": "assistant", "model": "up",
              "provider": "Up", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn",
              "stop_sequence": None, **fields}  # fmt: skip
    lane.whole(json.dumps(answer).encode())
    assert lane.tally.fault is None
    return json.loads(lane.last(BILLED))


def test_a_plain_answer() -> None:
    found = plain(usage={"input_tokens": 2, "output_tokens": 3, "service_tier": "priority"}, container=None)
    assert found == {
        "id": "msg_ours", "type": "message", "role": "assistant", "model": "house/model",
        "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 2, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                  "output_tokens": 3},
    }  # fmt: skip
    assert plain()["usage"]["input_tokens"] == BILLED.input
    kept = plain(stop_details={"type": "refusal"}, container={"id": "c"}, context_management={"applied_edits": []})
    assert kept["stop_details"] == {"type": "refusal"} and kept["container"] == {"id": "c"}
    assert kept["context_management"] == {"applied_edits": []}


def test_case_34_the_words_of_a_stream_that_breaks_off() -> None:
    lane = MessagesPassThrough(WANTED)
    event, data = lane.fail(GatewayError(Kind.UPSTREAM_FAILED, "broke off")).strip().split(b"\n")
    assert event == b"event: error"
    assert json.loads(data.removeprefix(b"data: ")) == {
        "type": "error", "error": {"type": "api_error", "message": "broke off"}, "request_id": "req_ours",
    }  # fmt: skip
    assert lane.keep_alive() == b'event: ping\ndata: {"type":"ping"}\n\n'
