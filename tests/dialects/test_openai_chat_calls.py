"""Choices and their calls, as the official clients put them together, whatever the upstream made of them."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from conflux.dialects.base import Lane
from conflux.dialects.openai_chat import OpenAIChat
from conflux.dialects.openai_chat_calls import Arguments
from conflux.relay.lanes import CompatLane
from tests.dialects.golden import BILLED, WANTED, cuts
from tests.fuzz.targets import ASKED

CHAT = OpenAIChat()


def wire(*choices: dict[str, Any] | list[dict[str, Any]], done: bool = True) -> bytes:
    listed = [one if isinstance(one, list) else [one] for one in choices]
    events = [json.dumps({"id": "up", "model": "u", "choices": one}) for one in listed]
    return b"".join(f"data: {one}\n\n".encode() for one in (*events, *(["[DONE]"] if done else [])))


def lanes() -> list[Lane]:
    return [CHAT.passthrough(WANTED), CompatLane(CHAT.reader({}), CHAT.writer(WANTED, ASKED))]


def handed_on(lane: Lane, pieces: list[bytes]) -> bytes:
    out = b"".join([lane.feed(piece) for piece in pieces]) + lane.end()
    return out + lane.last(lane.tally.usage or BILLED) if lane.tally.fault is None and lane.tally.finished else out


def accumulated(stream: bytes) -> Any:
    """What the official client makes of it; and a strict one, where it says more."""
    state = ChatCompletionStreamState()
    begun: set[tuple[int, int]] = set()
    roles: set[int] = set()
    *events, last, rest = stream.split(b"\n\n")
    assert (last, rest) == (b"data: [DONE]", b"")
    for event in events:
        found = json.loads(event.removeprefix(b"data: "))
        for choice in found["choices"]:
            assert choice["finish_reason"] != "" and isinstance(choice["delta"], dict)
            assert choice["index"] not in roles or choice["delta"].get("role") is None
            roles |= {choice["index"]} if choice["delta"].get("role") else set()
            for call in choice["delta"].get("tool_calls") or ():
                assert (call["index"] == 0 or (choice["index"], call["index"] - 1) in begun) and call["function"]
                assert bool(call.get("id")) is ((choice["index"], call["index"]) not in begun)
                begun.add((choice["index"], call["index"]))
        state.handle_chunk(ChatCompletionChunk.model_validate(found))
    return state.current_completion_snapshot


def call(**fields: Any) -> dict[str, Any]:
    name, arguments = fields.pop("name", None), fields.pop("arguments", None)
    inner = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return {"index": 0, "delta": {"tool_calls": [fields | ({"function": inner} if inner else {})]},
            "finish_reason": None}  # fmt: skip


END = {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
BOTH = [("look", '{"a":1}'), ("look", '{"b":2}')]
CALLS: dict[str, tuple[list[dict[str, Any]], list[tuple[str, str]]]] = {
    "no ids": (
        [call(index=0, name="look", arguments='{"a":1}'), call(index=1, name="look", arguments='{"b":2}')], BOTH),
    "no ids, all of index 0": (
        [call(index=0, name="look", arguments='{"a":1}'), call(index=0, name="look", arguments='{"b":2}')], BOTH),
    "empty ids and no index": (
        [call(id="", name="look", arguments='{"a":1}'), call(id="", name="look", arguments='{"b":2}')], BOTH),
    "the same id twice": (
        [call(index=0, id="c", name="look", arguments='{"a":1}'),
         call(index=1, id="c", name="look", arguments='{"b":2}')], BOTH),
    "numbers with gaps": (
        [call(index=3, id="c", name="look", arguments='{"a":1}'),
         call(index=9, id="d", name="look", arguments='{"b":2}')], BOTH),
    "all of it in every fragment": (
        [call(index=0, id="c", type="function", name="look", arguments='{"a"'),
         call(index=0, id="c", type="function", name="look", arguments=":1}")], BOTH[:1]),
    "a fragment of nothing": (
        [call(index=0, id="c", name="look"), call(index=0), call(index=0, arguments='{"a":1}')], BOTH[:1]),
}  # fmt: skip


@pytest.mark.parametrize("case", CALLS)
def test_case_04_calls_as_the_official_client_puts_them_together(case: str) -> None:
    choices, calls = CALLS[case]
    stream = wire(*choices, END)
    for place in (0, 1):
        whole = handed_on(lanes()[place], [stream])
        (choice,) = accumulated(whole).choices
        assert [(one.function.name, one.function.arguments) for one in choice.message.tool_calls] == calls
        ids = [one.id for one in choice.message.tool_calls]
        assert all(ids) and len(set(ids)) == len(ids) and choice.finish_reason == "tool_calls"
        for pieces in cuts(stream, case):
            assert handed_on(lanes()[place], pieces) == whole


def test_what_is_well_formed_passes_byte_by_byte() -> None:
    stream = wire(
        {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None},
        call(index=0, id="c", type="function", name="look", arguments=""), call(index=0, arguments="{}"),
        call(index=1, id="d", type="function", name="look", arguments="{}"), END,
    )  # fmt: skip
    for chunk, came in zip(handed_on(lanes()[0], [stream]).split(b"\n\n"), stream.split(b"\n\n")[:5], strict=False):
        assert chunk.partition(b'"choices":')[2] == came.partition(b'"choices": ')[2]


TEXT = {"index": 0, "delta": {"role": "assistant", "content": "a"}, "finish_reason": None}


@pytest.mark.parametrize(("choices", "reason"), [
    ([TEXT], "stop"),
    ([{**TEXT, "finish_reason": ""}], "stop"),
    ([TEXT, call(index=0, id="c", name="f", arguments="{}")], "tool_calls"),
    ([{"delta": TEXT["delta"]}], "stop"),
    ([TEXT, {"index": 0, "finish_reason": "length"}], "length"),
    ([TEXT, {**TEXT, "delta": {"role": "assistant", "content": ""}}], "stop"),
    ([{"index": 0, "message": TEXT["delta"], "finish_reason": "stop"}], "stop"),
])  # fmt: skip
def test_case_21_done_without_a_reason_gets_one(choices: list[dict[str, Any]], reason: str) -> None:
    for lane in lanes():
        (choice,) = accumulated(handed_on(lane, [wire(*choices)])).choices
        assert (choice.finish_reason, choice.message.content, choice.message.role) == (reason, "a", "assistant")


def test_case_37_each_choice_gets_its_own_reason() -> None:
    chunk = [TEXT, {**TEXT, "index": 1}, {**TEXT, "index": 2, "finish_reason": "length"}]
    for lane in lanes():
        found = accumulated(handed_on(lane, [wire(chunk)])).choices
        assert [choice.finish_reason for choice in found] == ["stop", "stop", "length"]


@pytest.mark.parametrize(("choices", "done"), [
    ([TEXT], False),
    ([TEXT, call(index=0, id="c", name="f", arguments="{}")], False),
    ([[TEXT, {**TEXT, "index": 1}], {**TEXT, "finish_reason": "stop"}], False),
    ([{"index": 0, "delta": {"role": "assistant"}}], True),
    ([call(index=0, id="c", arguments="{}"), END], True),
    ([call(index=0, id="c", arguments="{}"), END], False),
])  # fmt: skip
def test_case_34_what_nobody_ended_or_named_is_no_answer(choices: list[Any], done: bool) -> None:
    for lane in lanes():
        out = handed_on(lane, [wire(*choices, done=done)])
        assert lane.tally.fault is not None or not lane.tally.finished
        assert b"[DONE]" not in out


def plain(*choices: dict[str, Any]) -> Any:
    lane = CHAT.passthrough(WANTED)
    lane.whole(json.dumps({"id": "up", "choices": choices}).encode())
    return json.loads(lane.last(BILLED))["choices"] if lane.tally.fault is None else lane.tally.fault.message


def test_a_plain_answer_is_put_right_too() -> None:
    calls = [{"function": {"name": "f", "arguments": "{}"}}, {"function": {"name": "g"}}]
    (found,) = plain({"message": {"content": None, "tool_calls": calls}, "finish_reason": None})
    assert (found["index"], found["message"]["role"], found["finish_reason"]) == (0, "assistant", "tool_calls")
    assert found["message"]["content"] is None
    ids = [one["id"] for one in found["message"]["tool_calls"]]
    assert len(set(ids)) == 2 and all(ids)
    assert [(one["type"], one["function"]) for one in found["message"]["tool_calls"]] == [
        ("function", {"name": "f", "arguments": "{}"}), ("function", {"name": "g", "arguments": ""})]  # fmt: skip
    twice = plain({"index": 0, "message": {"content": "a"}}, {"index": 0, "message": {"content": "b"}})
    assert [(one["index"], one["message"]["content"]) for one in twice] == [(0, "a"), (1, "b")]
    assert plain({"message": {"tool_calls": [{"id": "c", "function": {"arguments": "{}"}}]}}).endswith("without a name")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=4), JSON, max_size=3), st.lists(st.integers(0, 60), max_size=8), st.booleans())
def test_arguments_are_whole_at_their_last_byte_and_not_before(
    value: object, places: list[int], ascii_only: bool
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    found = Arguments()
    edges = [0, *sorted(place for place in places if place < len(text)), len(text) - 1]
    for start, end in itertools.pairwise(edges):
        found.feed(text[start:end])
        assert not found.whole
    found.feed(text[-1:])
    assert found.whole


@pytest.mark.parametrize("text", [r'{"a":"\\"}', r'{"a":"\"}"}', r'{"\\\"":{"\\":[]}}', r'{"a":"\u005c"}'])
def test_a_cut_inside_an_escape_deceives_nobody(text: str) -> None:
    for size in range(1, len(text)):
        found = Arguments()
        for place in range(0, len(text) - 1, size):
            found.feed(text[place : min(place + size, len(text) - 1)])
            assert not found.whole
        found.feed(text[-1])
        assert found.whole


@pytest.mark.parametrize("text", ["", '"{}"', "12", "nul", "}{", "]", '{"a":"\\', '{"a":"}', "[1,", "{{}"])
def test_what_is_no_whole_value_is_never_taken_for_one(text: str) -> None:
    found = Arguments()
    found.feed(text)
    assert not found.whole
