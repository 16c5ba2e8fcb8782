"""Embeddings: opened, forwarded, passed through."""

import json
from typing import Any

import pytest

from conflux.dialects.base import Shape, Wanted
from conflux.dialects.embeddings import MOST_INPUTS, Embeddings
from conflux.neutral.errors import GatewayError
from conflux.neutral.request import Envelope, Request
from conflux.neutral.usage import Usage

EMBEDDINGS = Embeddings()
WANTED = Wanted(answer_id="embd-ours", model="house/model", created=1)
ROWS = [{"object": "embedding", "index": 0, "embedding": [0.1, -0.25]}, {"index": 1, "embedding": "AAAA"}]


def opened(found: Any = "Hi", **more: Any) -> Envelope:
    return EMBEDDINGS.open(json.dumps({"model": "m", "input": found, **more}).encode())


@pytest.mark.parametrize(
    ("found", "widest"),
    [("Hi €", 6), (["a", "bcd"], 3), ([1, 2, 3], 12), ([[1], [1, 2]], 8)],
)
def test_every_kind_of_input_and_what_must_fit_at_once(found: Any, widest: int) -> None:
    envelope = opened(found, dimensions=64, user="u")
    assert (envelope.widest, envelope.kind, envelope.max_output) == (widest, "embedding", 0)
    assert (envelope.dimensions, envelope.end_user, envelope.stream) == (64, "u", False)


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": ["a", 1]}, "input"),
        ({"input": ["a", ""]}, "input[1]"),
        ({"input": [[1], []]}, "input[1]"),
        ({"input": {"a": 1}}, "input"),
        ({"input": ["a"] * (MOST_INPUTS + 1)}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"stream": True}, "stream"),
        ({"task_type": "extract"}, "task_type"),
    ],
)
def test_mistakes_are_named(more: dict[str, Any], param: str) -> None:
    with pytest.raises(GatewayError) as found:
        opened(**{"found": more.pop("input", "x"), **more})
    assert found.value.param == param


def test_forwarded() -> None:
    found = EMBEDDINGS.forward(
        opened(encoding_format="base64", input_type="query", service_tier="x"), Shape(model="up")
    )
    assert json.loads(found.body) == {"model": "up", "input": "Hi", "encoding_format": "base64", "input_type": "query"}
    assert found.dropped == ("service_tier",)


def test_what_passes_and_what_does_not() -> None:
    lane = EMBEDDINGS.passthrough(WANTED)
    usage = {"prompt_tokens": 5, "total_tokens": 5}
    rows = [{**row, "canary": 1} for row in ROWS]
    lane.whole(json.dumps({"data": rows, "model": "canary", "id": "canary", "usage": usage}).encode())
    assert lane.tally.usage == Usage(input=5) and lane.tally.finished and lane.tally.model == "canary"
    found = json.loads(lane.last(Usage(input=5)))
    assert found == {
        "object": "list", "data": [ROWS[0], {"object": "embedding", **ROWS[1]}], "model": "house/model", "usage": usage,
    }  # fmt: skip


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b'{"data":[]}', b'{"data":[{"index":0}]}', b'{"error":{"message":"m"}}']
)
def test_an_answer_that_is_none_is_a_fault(body: bytes) -> None:
    lane = EMBEDDINGS.passthrough(WANTED)
    lane.whole(body)
    assert lane.tally.fault is not None


def test_absurd_counts_are_noted() -> None:
    lane = EMBEDDINGS.passthrough(WANTED)
    lane.whole(json.dumps({"data": ROWS, "usage": {"prompt_tokens": -1}}).encode())
    assert lane.tally.usage_absurd and lane.tally.fault is None


def test_nothing_is_translated() -> None:
    with pytest.raises(GatewayError, match="makes no embeddings"):
        EMBEDDINGS.read_request(opened())
    with pytest.raises(GatewayError, match="/v1/embeddings"):
        EMBEDDINGS.write_request(Request(dialect="openai-chat", messages=()), Shape(model="up"))
