"""The simulator's Responses face: a stream and a plain answer say the same, in the real one's order."""

import json
from typing import Any

import msgspec
import pytest

from conflux.sim import openai_responses
from conflux.sim.answer import plan_for
from conflux.sim.quirks import Quirks
from conflux.sim.script import Script

TOOLS = [
    {"type": "function", "name": "look", "parameters": {"type": "object"}},
    {"type": "custom", "name": "patch"},
    {"type": "namespace", "name": "crm", "tools": [{"type": "function", "name": "find"}]},
]


def rendering(text: str, **more: Any) -> openai_responses.ResponsesRendering:
    raw = msgspec.json.encode({"model": "m", "input": text, **more})
    ask = openai_responses.read(raw, "/v1/responses", 0, Quirks())
    return openai_responses.render(ask, plan_for(ask, Script(), {}), 7, Quirks())


def events_of(one: openai_responses.ResponsesRendering) -> list[Any]:
    out = b"".join(event for event, _ in one.events())
    return [json.loads(block.split(b"\ndata: ")[1]) for block in out.split(b"\n\n") if block]


@pytest.mark.parametrize(
    "text",
    ["Hello", "[[think: hm]] [[say: yes]]", "[[refuse]]", "[[call: look]] [[call: find]]",
     '[[call: patch {"input":"x"}]]', "[[usage: missing]]", "[[finish: content_filter]]",
     "[[stream: 9]] [[finish: length]]"],
)  # fmt: skip
def test_the_stream_and_the_plain_answer_are_the_same(text: str) -> None:
    found = events_of(rendering(text, tools=TOOLS))
    final = json.loads(rendering(text, tools=TOOLS).whole())
    assert found[-1]["response"] == final
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    done = [event["item"] for event in found if event["type"] == "response.output_item.done"]
    assert done == final["output"]


def test_tokens_delivered_add_up_to_the_usage() -> None:
    one = rendering("[[think: some thoughts]] [[say: an answer of some length]]")
    tokens = sum(tokens for _, tokens in one.events())
    usage = json.loads(one.whole())["usage"]
    assert usage["output_tokens"] == tokens and 0 < usage["output_tokens_details"]["reasoning_tokens"] < tokens


def test_calls_by_their_kind() -> None:
    calls = json.loads(rendering('[[call: patch {"input":"x"}]] [[call: find]]', tools=TOOLS).whole())["output"]
    assert (calls[0]["type"], calls[0]["input"]) == ("custom_tool_call", "x")
    assert (calls[1]["type"], calls[1]["namespace"]) == ("function_call", "crm")


def test_limits_and_seals() -> None:
    more = {"reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"], "max_output_tokens": 2}
    final = json.loads(rendering("[[think: a long thought indeed]]", **more).whole())
    assert (final["status"], final["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert final["output"][0]["encrypted_content"].startswith("sealed-")


def test_an_error_inside_a_stream_and_one_more_text() -> None:
    assert b'"type":"error"' in openai_responses.error_event("broke")
    assert b"output_text.delta" in rendering("x").text_event()
