"""What is noted of every answer that passes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.dialects.openai_chat_intake import Intake
from conflux.neutral.usage import Usage


def take(*chunks: dict[str, Any] | bytes) -> Intake:
    intake = Intake()
    for chunk in chunks:
        intake.take(b"", chunk if isinstance(chunk, bytes) else json.dumps(chunk).encode())
    return intake


def choice(finish: str | None = None, index: int = 0, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


@pytest.mark.parametrize(
    ("delta", "size"),
    [
        ({}, 0),
        ({"role": "assistant", "content": ""}, 0),
        ({"content": "abc"}, 3),
        ({"content": "€𝄞"}, 7),
        ({"refusal": "é"}, 2),
        ({"reasoning_content": "abc"}, 3),
        ({"reasoning": "abc", "reasoning_content": "abc"}, 3),
        ({"tool_calls": [{"index": 0, "function": {"name": "é", "arguments": "{}"}}]}, 4),
        ({"tool_calls": [{"index": 0, "custom": {"name": "a", "input": "€"}}, {"index": 1}]}, 4),
        ({"function_call": {"name": "ab", "arguments": "{}"}}, 4),
    ],
)
def test_size_is_counted_in_bytes_of_what_the_model_wrote(delta: dict[str, Any], size: int) -> None:
    tally = take(choice(**delta)).tally
    assert tally.output_bytes == size
    assert tally.content is (size > 0)


@given(st.lists(st.text(max_size=5), max_size=6))
def test_sizes_add_up(texts: list[str]) -> None:
    tally = take(*[choice(content=text) for text in texts]).tally
    assert tally.output_bytes == len("".join(texts).encode())
    assert tally.events == len(texts)


def test_an_answer_is_finished_when_every_choice_is() -> None:
    intake = take(choice(content="a"), choice(index=1, content="b"), choice("stop"))
    assert not intake.tally.finished
    intake.take(b"", json.dumps(choice("stop", index=1)).encode())
    assert intake.tally.finished
    assert not intake.tally.done
    intake.take(b"", json.dumps(choice(content="")).encode())
    assert intake.tally.finished
    intake.take(b"", b"[DONE]")
    assert intake.tally.done


def test_the_identity_is_the_first_that_was_said() -> None:
    tally = take(
        {"id": "", "model": "", **choice()}, {"id": "a", "model": "m", **choice()}, {"id": "b", **choice()}
    ).tally
    assert (tally.upstream_id, tally.model) == ("a", "m")


def test_the_last_usage_counts_and_null_takes_nothing_back() -> None:
    said = {"prompt_tokens": 9, "completion_tokens": 1}
    later = {"prompt_tokens": 9, "completion_tokens": 2}
    chunks = [{**choice(content="x"), "usage": usage} for usage in (said, later, None, {})]
    assert take(*chunks).tally.usage == Usage(input=9, output=2)


def test_an_absurd_count_is_marked_until_a_sound_one_comes() -> None:
    sound, absurd = {"prompt_tokens": 9, "completion_tokens": 1}, {"prompt_tokens": -1, "completion_tokens": 1}
    tally = take({"choices": [], "usage": sound}, {"choices": [], "usage": absurd}).tally
    assert (tally.usage, tally.usage_absurd) == (None, True)
    tally = take({"choices": [], "usage": absurd}, {"choices": [], "usage": sound}).tally
    assert (tally.usage, tally.usage_absurd) == (Usage(input=9, output=1), False)


def test_the_first_fault_stays() -> None:
    intake = take({"error": "first"}, {"error": "second"})
    intake.fail("third")
    intake.closed()
    assert intake.tally.fault is not None
    assert intake.tally.fault.message == "first"


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        ({"message": "m", "type": "t", "code": "c"}, "m", "c"),
        ({"message": "m", "type": "t", "code": None}, "m", "t"),
        ({"message": None, "code": 429}, "", "429"),
        ({"detail": "d"}, "d", None),
        ({"error": {"message": "inner", "code": "c"}}, "inner", "c"),
        ("text", "text", None),
        (["list"], "['list']", None),
        (True, "True", None),
    ],
)
def test_errors_of_many_shapes(error: Any, message: str, code: str | None) -> None:
    fault = take({"error": error}).tally.fault
    assert fault is not None
    assert (fault.message, fault.code) == (message, code)


@pytest.mark.parametrize("error", [None, {}, "", [], False, 0])
def test_what_is_no_error(error: Any) -> None:
    assert take({"error": error, **choice(content="x")}).tally.fault is None


def test_a_plain_answer_is_done_at_once() -> None:
    intake = Intake()
    assert intake.take_whole(b'{"choices":[{"message":{"content":"x"}}]}') is not None
    assert intake.tally.done
    assert intake.tally.finished
    assert intake.take(b"", json.dumps(choice(content="more")).encode()) is None


def test_nothing_but_the_end_is_a_fault() -> None:
    for payloads in ([b"[DONE]"], []):
        intake = take(*payloads)
        intake.closed()
        assert intake.tally.fault is not None
        assert "empty" in intake.tally.fault.message
