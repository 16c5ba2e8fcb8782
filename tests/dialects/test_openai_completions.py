"""Requests of completions: opened, read, forwarded and written as the golden table says, and refused by name."""

import json
from typing import Any

import pytest

from conflux.dialects.base import Shape
from conflux.dialects.losses import check_vital
from conflux.dialects.openai_chat import OpenAIChat
from conflux.dialects.openai_completions import OpenAICompletions
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.request import Need
from tests.dialects.golden import COMPLETIONS, GoldenRequest, answers, cuts, requests, slim, streams
from tests.dialects.golden import Golden as GoldenAnswer

DIALECT = OpenAICompletions()


def opened(**fields: Any) -> Any:
    return DIALECT.open(json.dumps({"model": "m", "prompt": "Once", **fields}).encode())


@pytest.mark.parametrize("golden", requests(COMPLETIONS), ids=str)
def test_a_request(golden: GoldenRequest) -> None:
    envelope = DIALECT.open(golden.wire)
    shape = Shape(**golden.shape)
    known = {name: value for name, value in slim(envelope).items() if name not in ("body", "size", "dialect")}
    assert json.loads(json.dumps(known)) == golden.opened
    request = DIALECT.read_request(envelope)
    neutral = {name: value for name, value in slim(request).items() if name != "dialect"}
    assert json.loads(json.dumps(neutral)) == golden.neutral
    forwarded, written = DIALECT.forward(envelope, shape), DIALECT.write_request(request, shape)
    assert (forwarded.body, forwarded.dropped) == (golden.forwarded, golden.dropped)
    assert written.body == golden.written and set(written.dropped) <= set(golden.dropped)
    assert envelope.widest is not None and 0 < envelope.widest <= envelope.size


def test_one_prompt_is_a_message_over_a_chat() -> None:
    request = DIALECT.read_request(opened(stop="x", max_tokens=9, odd=1))
    check_vital(request, "openai-chat")
    written = OpenAIChat().write_request(request, Shape(model="up", max_output=9))
    assert json.loads(written.body) == {
        "model": "up", "messages": [{"role": "user", "content": "Once"}], "stop": ["x"], "max_tokens": 9,
    }  # fmt: skip
    assert written.dropped == ("odd",)


@pytest.mark.parametrize(
    ("name", "value"),
    [("prompt", ["a", "b"]), ("prompt", [1, 2]), ("prompt", [[1], [2]]), ("suffix", "x"), ("echo", True),
     ("best_of", 2), ("logprobs", 0), ("logprobs", 3)],
)  # fmt: skip
def test_what_only_a_completion_has_is_refused_elsewhere_by_name(name: str, value: Any) -> None:
    request = DIALECT.read_request(opened(**{name: value}))
    check_vital(request, "openai-completions")
    with pytest.raises(GatewayError) as error:
        check_vital(request, "openai-chat")
    assert (error.value.kind, error.value.param) == (Kind.UNSUPPORTED, name)


@pytest.mark.parametrize("golden", [*streams(COMPLETIONS)], ids=str)
def test_case_35_a_stream_is_read_in_any_cuts(golden: GoldenAnswer) -> None:
    for pieces in [[golden.wire], *cuts(golden.wire, golden.name)]:
        reader = DIALECT.reader({})
        assert [event for piece in pieces for event in reader.feed(piece)] + reader.end() == [*golden.events]
        golden.tally(reader.tally)


@pytest.mark.parametrize("golden", answers(COMPLETIONS), ids=str)
def test_an_answer_is_read(golden: GoldenAnswer) -> None:
    reader = DIALECT.reader({})
    assert reader.whole(golden.wire) == [*golden.events]
    golden.tally(reader.tally)


def test_what_is_asked_for_is_said_beforehand() -> None:
    found = opened(prompt=["one", "three"], suffix="x", n=3, logprobs=1)
    assert (found.choices, found.widest, found.kind) == (6, 6, "chat")
    assert found.needs == {Need.COMPLETIONS, Need.LOGPROBS, Need.MANY_CHOICES}
    assert opened().needs == {Need.COMPLETIONS}
    assert opened(max_tokens=0).max_output == 0


def test_a_conversation_is_no_completion() -> None:
    chat = OpenAIChat()
    request = chat.read_request(chat.open(b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'))
    with pytest.raises(GatewayError, match="only completes text"):
        DIALECT.write_request(request, Shape(model="up"))


def test_quirks_of_the_provider_are_kept() -> None:
    envelope = opened(logit_bias={"1": 1}, stream=True)
    shape = Shape(model="up", stream=True, quirks={"refuses": ["logit_bias"], "stream_usage": False,
                                                   "developer_role": False})  # fmt: skip
    written = DIALECT.forward(envelope, shape)
    assert written.dropped == ("logit_bias",)
    assert json.loads(written.body) == {"model": "up", "prompt": "Once", "stream": True}
    with pytest.raises(GatewayError, match="n: "):
        DIALECT.forward(opened(n=2), Shape(model="up", quirks={"choices": False}))


def test_names_are_written_as_they_are() -> None:
    with pytest.raises(GatewayError, match="is written prompt"):
        opened(Prompt="x")
