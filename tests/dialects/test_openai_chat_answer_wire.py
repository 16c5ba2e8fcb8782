"""The shapes of an answer: what passes, what is sifted out, what is refused."""

import json
from typing import Any

import pytest
from msgspec import UNSET, Raw

from conflux.dialects.foreign_json import BROKEN
from conflux.dialects.openai_chat_answer_wire import Choice, fault_of, hear_choices, read_choices, read_chunk


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value, separators=(",", ":")).encode())


OWN = {
    "index": 3,
    "delta": {
        "role": "assistant",
        "content": "x",
        "refusal": None,
        "reasoning_content": "r",
        "reasoning": None,
        "tool_calls": [
            {"index": 0, "id": "c", "type": "function", "function": {"name": "n", "arguments": "{}"}},
            {"index": 1, "id": "d", "type": "custom", "custom": {"name": "n", "input": "i"}},
        ],
        "function_call": {"name": "n", "arguments": "{}"},
        "annotations": [{"type": "url_citation"}],
        "audio": {"id": "a"},
        "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}],
    },
    "finish_reason": None,
    "logprobs": {"content": [], "refusal": None},
}


def test_what_is_openais_own_passes_untouched() -> None:
    given = raw([OWN])
    passed, (choice,) = read_choices(given)
    assert passed is given
    assert isinstance(choice, Choice)
    assert choice.delta is not None
    assert choice.delta.tool_calls is not None
    assert (choice.index, choice.delta.content, choice.delta.tool_calls[1].index) == (3, "x", 1)


@pytest.mark.parametrize(
    "path",
    [(), ("delta",), ("delta", "tool_calls", 0), ("delta", "tool_calls", 1, "custom"), ("delta", "function_call")],
    ids=str,
)
def test_a_foreign_field_is_sifted_out_at_any_level(path: tuple[Any, ...]) -> None:
    soiled = json.loads(json.dumps(OWN))
    inner = soiled
    for step in path:
        inner = inner[step]
    inner["native_secret"] = {"name": [1, "x"]}
    passed, choices = read_choices(raw([soiled]))
    assert json.loads(bytes(passed)) == [OWN]
    assert choices == read_choices(raw([OWN]))[1]


def test_null_choices_are_none() -> None:
    assert read_choices(raw(None)) == (raw(None), [])


@pytest.mark.parametrize(
    "choices",
    [
        {},
        [5],
        [{"index": -1}],
        [{"index": 128}],
        [{"index": None}],
        [{"delta": []}],
        [{"delta": {"content": ["parts"]}}],
        [{"delta": {"tool_calls": [{"index": 1024}]}}],
        [{"delta": {"tool_calls": {"index": 0}}}],
        [{"finish_reason": 7}],
    ],
    ids=str,
)
def test_what_cannot_be_read_is_broken(choices: Any) -> None:
    with pytest.raises(BROKEN):
        read_choices(raw(choices))


def test_a_chunk_of_odd_identity_is_read_all_the_same() -> None:
    chunk = read_chunk(b'{"id":5,"object":[],"created":"now","model":{},"choices":[],"usage":null,"zz":"\\u00e9"}')
    assert (chunk.id, chunk.object, chunk.created, chunk.model, chunk.error) == (None, None, None, None, UNSET)
    assert (chunk.choices, chunk.usage) == (Raw(b"[]"), Raw(b"null"))
    for created, found in ((b"1.5", 1), (b"-1", None), (b"1e300", None), (b"99999999999", 99999999999)):
        assert read_chunk(b'{"id":5,"created":' + created + b"}").created == found


def test_the_last_of_two_equal_keys_counts_and_the_first_does_not_pass() -> None:
    chunk = read_chunk(b'{"choices":[{"delta":{"content":"a"}}],"choices":[{"delta":{"content":"b"}}]}')
    assert isinstance(chunk.choices, Raw)
    passed, (choice,) = read_choices(chunk.choices)
    assert choice.delta is not None
    assert choice.delta.content == "b"
    assert b'"a"' not in bytes(passed)


def test_a_fault_is_made_of_anything() -> None:
    assert fault_of(None).message == "None"
    assert fault_of({"error": "busy", "message": "later"}).message == "later"
    assert fault_of({"error": "busy"}).message == "busy"
    assert fault_of({"type": ["x"]}).code == "['x']"


def test_an_upstream_s_dress_that_says_nothing_is_not_sifted_where_nothing_passes() -> None:
    plain = {"index": 0, "delta": {"role": "assistant", "content": "x"}}
    for dress in ({"native_finish_reason": None}, {"stop_reason": None, "token_ids": None}, {"matched_stop": None}):
        said = raw([plain | dress])
        heard, choices = hear_choices(said)
        assert heard is said and choices[0].delta is not None and choices[0].delta.content == "x"
        assert read_choices(said)[0] is not said
    said = raw([plain | {"native_finish_reason": "end_turn"}])
    assert b"end_turn" not in bytes(hear_choices(said)[0])
