"""Answers carried through: what they mean stays, who said it does not."""

import json

import pytest

from conflux.dialects.openai_responses_reader import ResponsesReader
from conflux.dialects.openai_responses_relay import ResponsesPassThrough
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.usage import Usage
from tests.dialects.golden import BILLED, cuts
from tests.dialects.golden_responses import WANTED, Stream, core, data_of, streams

CANARY = {
    "provider": "canary",
    "service_tier": "canary",
    "system_fingerprint": "canary",
    "billing": {"payer": "canary"},
}


def relayed(pieces: list[bytes]) -> tuple[bytes, ResponsesPassThrough]:
    lane = ResponsesPassThrough(WANTED)
    return b"".join([lane.feed(piece) for piece in pieces]) + lane.end(), lane


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_what_is_relayed_reads_as_it_did(golden: Stream) -> None:
    out, lane = relayed([golden.wire])
    for pieces in cuts(golden.wire, golden.name):
        assert relayed(pieces)[0] == out
    assert lane.tally.fault == golden.fault
    assert lane.tally.output_bytes == golden.output_bytes
    assert lane.tally.finished is golden.finished
    if golden.sound:
        assert b"response.completed" not in out and b"response.incomplete" not in out
        whole = out + lane.last(lane.tally.usage or BILLED)
        assert b"resp_up" not in whole and b"upstream-model" not in whole
        reader = ResponsesReader()
        assert core(reader.feed(whole) + reader.end()) == golden.core
        usage = lane.tally.usage
        assert reader.tally.usage == (BILLED if usage is None else usage)


def test_deltas_pass_byte_for_byte() -> None:
    golden = next(golden for golden in streams() if golden.name == "plain_text")
    deltas = [block for block in golden.wire.split(b"\n\n") if b"output_text.delta" in block]
    assert len(deltas) == 2 and all(delta + b"\n\n" in relayed([golden.wire])[0] for delta in deltas)


def test_what_names_the_upstream_does_not_pass() -> None:
    golden = next(golden for golden in streams() if golden.name == "plain_text")
    blocks = []
    for event in data_of(golden.wire):
        for inner in (event, event.get("response"), event.get("item")):
            if inner is not None:
                inner.update(CANARY)
        blocks.append(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
    out, lane = relayed(blocks)
    assert b"canary" not in out + lane.last(BILLED)
    plain = ResponsesPassThrough(WANTED)
    plain.whole(json.dumps(event["response"]).encode())
    body = json.loads(plain.last(Usage(input=9, output=4)))
    assert "canary" not in json.dumps(body)
    assert (body["id"], body["model"], body["store"], body["usage"]["total_tokens"]) == (
        "resp_ours", "house/model", False, 13,
    )  # fmt: skip


def test_case_34_it_fails_in_its_own_words_at_any_place() -> None:
    golden = next(golden for golden in streams() if golden.name == "plain_text")
    error = GatewayError(Kind.UPSTREAM_RATE_LIMITED, "slow down", retry_after=1.5)
    blocks = [block + b"\n\n" for block in golden.wire.split(b"\n\n") if block]
    for count in range(len(blocks)):
        out, lane = relayed_part(blocks[:count])
        found = data_of(out + lane.fail(error))
        assert found[0]["type"] == "response.created" and found[-1]["type"] == "response.failed"
        assert found[-1]["response"]["error"] == {
            "code": "rate_limit_exceeded", "message": "slow down. Please try again in 1.5s.",
        }  # fmt: skip
        assert {event["response"]["id"] for event in found if "response" in event} == {"resp_ours"}


def relayed_part(blocks: list[bytes]) -> tuple[bytes, ResponsesPassThrough]:
    lane = ResponsesPassThrough(WANTED)
    return b"".join([lane.feed(block) for block in blocks]), lane


def test_silence_is_kept_alive_after_a_beginning() -> None:
    lane = ResponsesPassThrough(WANTED)
    assert [event["type"] for event in data_of(lane.keep_alive())] == ["response.created", "response.in_progress"]
    assert [event["type"] for event in data_of(lane.keep_alive())] == ["response.in_progress"]


@pytest.mark.parametrize("place", [0, 1, 3, 5])
def test_what_is_said_into_the_silence_is_counted_and_a_beginning_said_once(place: int) -> None:
    golden = next(golden for golden in streams() if golden.name == "plain_text")
    blocks = [block + b"\n\n" for block in golden.wire.split(b"\n\n") if block]
    assert len(blocks) > 6
    lane = ResponsesPassThrough(WANTED)
    out = b"".join([lane.feed(block) for block in blocks[:place]])
    out += lane.keep_alive() + lane.keep_alive()
    out += b"".join([lane.feed(block) for block in blocks[place:-1]])
    broken = data_of(out + lane.fail(GatewayError(Kind.UNAVAILABLE, "gone")))
    for found in (broken, data_of(out + lane.feed(blocks[-1]) + lane.end() + lane.last(BILLED))):
        assert [event["sequence_number"] for event in found] == list(range(len(found)))
        assert [event["type"] for event in found].count("response.created") == 1


def test_a_word_with_a_line_end_in_it_does_not_pass() -> None:
    lane = ResponsesPassThrough(WANTED)
    assert lane.feed(b'data: {"type":"response.fu\\nction.delta","delta":"1"}\n\n') == b""
