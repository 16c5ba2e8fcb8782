"""The simulator's completions."""

import json
from typing import Any

import msgspec
import pytest

from conflux.sim import openai_completions
from conflux.sim.answer import plan_for
from conflux.sim.ask import BadRequest
from conflux.sim.quirks import Quirks
from conflux.sim.script import Script

QUIRKS = Quirks()


def rendered(**body: Any) -> Any:
    ask = openai_completions.read(msgspec.json.encode({"model": "m", **body}), "/v1/completions", 0, QUIRKS)
    return openai_completions.render(ask, plan_for(ask, Script(), {}), 0, QUIRKS)


def answer(**body: Any) -> Any:
    return json.loads(rendered(**body).whole())


def test_a_prompt_is_answered() -> None:
    found = answer(prompt="[[say: hello]]")
    assert found["object"] == "text_completion"
    assert found["choices"] == [{"index": 0, "text": "hello", "logprobs": None, "finish_reason": "stop"}]
    assert answer(prompt="[[stream: 50]]")["usage"]["completion_tokens"] == 16
    assert "usage" not in answer(prompt="[[usage: missing]]")


def test_every_prompt_has_its_answers() -> None:
    found = answer(prompt=["[[say: x]] a", "b"], n=2, echo=True, logprobs=1)["choices"]
    assert [one["text"] for one in found] == ["[[say: x]] ax", "[[say: x]] ax", "bx", "bx"]
    assert found[2]["logprobs"] == {
        "tokens": ["bx"], "token_logprobs": [-0.1], "top_logprobs": [{"bx": -0.1}], "text_offset": [0]}  # fmt: skip
    assert answer(prompt=[1, 2, 3])["usage"]["prompt_tokens"] == 3
    assert len(answer(prompt=[[1], [2, 3]], echo=True)["choices"]) == 2


def test_a_stream_says_the_same() -> None:
    asks: dict[str, Any] = {"prompt": "[[say: hello there]]", "stream": True, "stream_options": {"include_usage": True}}
    one = rendered(**asks, echo=True)
    events = [event for event, _ in one.events()]
    assert events[-1] == b"data: [DONE]\n\n"
    chunks = [json.loads(event[6:]) for event in events[:-1]]
    assert "".join(choice["text"] for chunk in chunks for choice in chunk["choices"]) == asks["prompt"] + "hello there"
    assert chunks[-1]["usage"] == json.loads(one.whole())["usage"] and chunks[-1]["choices"] == []
    assert sum(tokens for _, tokens in one.events()) == chunks[-1]["usage"]["completion_tokens"]
    assert b'"more"' in one.text_event()


@pytest.mark.parametrize(
    "body", [{}, {"prompt": []}, {"prompt": {}}, {"prompt": "x", "messages": []}, {"prompt": "x", "n": 0},
             {"prompt": "x", "logprobs": True}, {"prompt": "x", "n": 2, "best_of": 1},
             {"prompt": "x", "stream_options": {}}]
)  # fmt: skip
def test_what_the_real_one_refuses(body: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        answer(**body)


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"prompt":"x"}'])
def test_a_body_that_is_none(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        openai_completions.read(raw, "/v1/completions", 0, QUIRKS)
