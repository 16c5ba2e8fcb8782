"""A plan in Anthropic's bytes: streamed and plain say the same."""

import json
from typing import Any

import pytest

from conflux.sim import anthropic_messages
from conflux.sim.answer import plan_for
from conflux.sim.ask import Ask
from conflux.sim.plan import Plan
from conflux.sim.quirks import Quirks
from conflux.sim.script import Script

TOOL = {"name": "look", "input_schema": {"type": "object"}}


def planned(text: str, **fields: Any) -> tuple[Ask, Plan]:
    body = {
        "model": "m",
        "max_tokens": 2000,
        "messages": [{"role": "user", "content": text}],
        "tools": [TOOL],
        **fields,
    }
    ask = anthropic_messages.read(json.dumps(body).encode(), "/v1/messages", 0, Quirks())
    return ask, plan_for(ask, Script(), {})


@pytest.mark.parametrize(
    ("text", "kinds", "reason"),
    [
        ("[[say: hello wörld]]", ["text"], "end_turn"),
        ("[[think: hm]] [[say: a]]", ["thinking", "text"], "end_turn"),
        ('[[say: a]] [[call: look {"a": 1}]] [[call: look {}]]', ["text", "tool_use", "tool_use"], "tool_use"),
        ("[[refuse]]", ["text"], "refusal"),
        ("[[say: x]] [[finish: length]]", ["text"], "max_tokens"),
    ],
)
def test_streamed_and_plain_say_the_same(text: str, kinds: list[str], reason: str) -> None:
    ask, plan = planned(text)
    rendering = anthropic_messages.render(ask, plan, 0, Quirks())
    whole = json.loads(rendering.whole())
    assert [block["type"] for block in whole["content"]] == kinds and whole["stop_reason"] == reason
    found: list[Any] = []
    last: Any = {}
    tokens = 0
    for event, count in rendering.events():
        name, data = event.strip().split(b"\n")
        read = json.loads(data.removeprefix(b"data: "))
        assert name == b"event: " + read["type"].encode()
        tokens += count
        if read["type"] == "content_block_start":
            found.append({**read["content_block"], "json": ""})
        elif read["type"] == "content_block_delta":
            for field, value in read["delta"].items():
                if field == "partial_json":
                    found[-1]["json"] += value
                elif field != "type":
                    found[-1][field] += value
        elif read["type"] == "message_delta":
            last = read
    for block in found:
        text_of = block.pop("json")
        if block["type"] == "tool_use":
            block["input"] = json.loads(text_of)
    assert found == whole["content"] and tokens == plan.tokens
    assert last["usage"] == whole["usage"] and last["delta"]["stop_reason"] == reason


def test_what_it_claims_to_have_used() -> None:
    ask, plan = planned("[[usage: prompt=100 cached=75 completion=7 reasoning=2]]")
    usage = json.loads(anthropic_messages.render(ask, plan, 0, Quirks()).whole())["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == (25, 75, 7)
    assert usage["output_tokens_details"] == {"thinking_tokens": 2}
    ask, plan = planned("[[usage: missing]]")
    assert "usage" not in json.loads(anthropic_messages.render(ask, plan, 0, Quirks()).whole())


def test_what_it_says_of_itself_and_of_failures() -> None:
    ask, plan = planned("Hi")
    assert dict(anthropic_messages.headers(ask))[b"request-id"].startswith(b"req_sim")
    assert json.loads(anthropic_messages.error_body(529, "m"))["error"] == {"type": "overloaded_error", "message": "m"}
    assert anthropic_messages.error_event("m").startswith(b"event: error\ndata: ")
    assert b"text_delta" in anthropic_messages.render(ask, plan, 0, Quirks()).text_event()
