"""What is noted of an answer, whoever carries it."""

import pytest

from conflux.dialects.anthropic_intake import Intake
from conflux.neutral.usage import Usage


def taken(*payloads: bytes) -> Intake:
    intake = Intake()
    for payload in payloads:
        intake.take(b"", payload)
    return intake


START = (
    b'{"type":"message_start","message":{"id":"i","model":"m","usage":{"input_tokens":5,"cache_read_input_tokens":2}}}'
)


def test_the_start_knows_what_went_in_and_is_no_count_yet() -> None:
    tally = taken(START).tally
    assert tally.usage is None and tally.prompt == Usage(input=5, cache_read=2)
    assert (tally.upstream_id, tally.model, tally.content, tally.finished) == ("i", "m", False, False)


@pytest.mark.parametrize(
    ("payload", "content", "size"),
    [
        (b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}', False, 0),
        (b'{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","name":"ab"}}', True, 2),
        (b'{"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking","data":"x"}}', True, 0),
        (b'{"type":"ping"}', False, 0),
    ],
)
def test_what_is_content(payload: bytes, content: bool, size: int) -> None:
    tally = taken(payload).tally
    assert (tally.content, tally.output_bytes) == (content, size)


@pytest.mark.parametrize(
    ("block", "delta", "content", "size"),
    [
        ('"text"', '"type":"text_delta","text":"€"', True, 3),
        ('"thinking"', '"type":"thinking_delta","thinking":"ab"', True, 2),
        ('"tool_use","name":"f"', '"type":"input_json_delta","partial_json":"{"', True, 2),
        ('"thinking"', '"type":"signature_delta","signature":"s"', False, 0),
    ],
)
def test_what_is_content_inside_of_a_block(block: str, delta: str, content: bool, size: int) -> None:
    start = f'{{"type":"content_block_start","index":0,"content_block":{{"type":{block}}}}}'
    said = f'{{"type":"content_block_delta","index":0,"delta":{{{delta}}}}}'
    tally = taken(start.encode(), said.encode()).tally
    assert (tally.content, tally.output_bytes) == (content, size)


def test_after_the_last_word_nothing_is_taken_in() -> None:
    intake = taken(START, b'{"type":"message_stop"}')
    assert intake.tally.done and intake.tally.finished
    assert intake.take(b"", b'{"type":"ping"}') is None


def test_an_absurd_count_stays_absurd() -> None:
    last = b'{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":1,"output_tokens":1}}'
    tally = taken(START.replace(b"5", b"-5"), last).tally
    assert tally.usage is None and tally.usage_absurd and tally.finished


def test_an_event_may_be_named_by_its_line_alone() -> None:
    intake = Intake()
    assert intake.take(b"message_stop", b"{}") is not None and intake.tally.done


@pytest.mark.parametrize("payload", [b"", b"  ", b"[DONE]", b'{"type":"what_comes_next"}'])
def test_what_says_nothing(payload: bytes) -> None:
    intake = taken(payload)
    assert intake.tally.events == 0 and intake.tally.fault is None
    intake.closed()
    assert intake.tally.fault is not None


@pytest.mark.parametrize(
    "payload", [b"{", b'"x"', b'{"type":"content_block_delta","delta":{"text":5}}', b'{"type":[]}']
)
def test_what_cannot_be_read_is_a_fault(payload: bytes) -> None:
    assert taken(payload).tally.fault is not None


def test_an_endless_event_is_a_fault() -> None:
    intake = Intake()
    assert intake.cut(b"x" * (9 * 1024 * 1024)) == []
    assert intake.tally.fault is not None and intake.rest() == []
