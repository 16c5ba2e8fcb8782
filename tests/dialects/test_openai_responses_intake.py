"""What is noted of an answer beside its events."""

import json

import pytest

from conflux.dialects.openai_responses_intake import ResponsesIntake, texts_of


def take(*events: object) -> ResponsesIntake:
    intake = ResponsesIntake()
    for event in events:
        intake.take(b"", json.dumps(event).encode())
    return intake


def test_content_begins_with_the_first_text_or_call() -> None:
    assert not take({"type": "response.created", "response": {}}).tally.content
    assert not take({"type": "response.output_item.added", "item": {"type": "reasoning"}}).tally.content
    assert take({"type": "response.output_item.added", "item": {"type": "function_call"}}).tally.content
    assert take({"type": "response.output_text.delta", "delta": "x"}).tally.content


def test_the_sequence_goes_on_and_nothing_follows_the_end() -> None:
    intake = take(
        {"type": "response.output_text.delta", "delta": "é", "sequence_number": 7},
        {"type": "response.completed", "response": {"id": "r", "model": "m", "output": []}, "sequence_number": 8},
        {"type": "response.output_text.delta", "delta": "x", "sequence_number": 9},
    )
    tally = intake.tally
    assert (intake.sequence, tally.output_bytes, tally.done, tally.finished) == (8, 2, True, True)
    assert (tally.model, tally.upstream_id, tally.usage) == ("m", "r", None)


@pytest.mark.parametrize("event", [{"type": "odd", "delta": 7}, {"type": "response.odd", "item": 3}, {"no": "type"}])
def test_what_nobody_knows_may_have_any_shape(event: object) -> None:
    assert take(event).tally.fault is None


@pytest.mark.parametrize("event", [{"type": "response.completed", "response": 1}, {"type": "response.output_item.done",
                                                                                  "item": 1}])  # fmt: skip
def test_what_matters_must_be_readable(event: object) -> None:
    assert take(event).tally.fault is not None


def test_texts_of_odd_items_are_none() -> None:
    for item in (None, 1, {}, {"type": "message", "content": "x"}, {"type": "message", "content": [1]}):
        assert list(texts_of(item)) == []


@pytest.mark.parametrize("status", ["in_progress", "queued"])
def test_a_plain_answer_that_is_not_finished_is_none(status: str) -> None:
    intake = ResponsesIntake()
    assert intake.take_whole(json.dumps({"id": "u", "status": status, "output": []}).encode()) is None
    assert intake.tally.fault is not None and status in intake.tally.fault.message
    assert not intake.tally.finished
