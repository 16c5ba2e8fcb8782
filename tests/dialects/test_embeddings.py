"""Embeddings: opened, forwarded, passed through."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from conflux.dialects.base import Shape, Wanted
from conflux.dialects.embeddings import BROKEN_ANSWER, MOST_INPUTS, Embeddings, asked
from conflux.neutral.errors import GatewayError
from conflux.neutral.events import Fault
from conflux.neutral.request import Envelope, Request
from conflux.neutral.usage import Usage

EMBEDDINGS = Embeddings()
WANTED = Wanted(answer_id="embd-ours", model="house/model", created=1)
ROWS = [{"object": "embedding", "index": 0, "embedding": [0.1, -0.25]}, {"index": 1, "embedding": "AADAPw=="}]


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
        "object": "list", "model": "house/model", "usage": usage,
        "data": [ROWS[0], {**ROWS[1], "object": "embedding", "embedding": [1.5]}],
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


def answered(rows: list[Any], **wanted: Any) -> tuple[Any, Fault | None]:
    """The embeddings as the client gets them, or what is wrong."""
    lane = EMBEDDINGS.passthrough(replace(WANTED, **wanted))
    data = [{"index": place, "object": "embedding", "embedding": row} for place, row in enumerate(rows)]
    lane.whole(json.dumps({"data": data}).encode())
    if lane.tally.fault is not None:
        return None, lane.tally.fault
    return [row["embedding"] for row in json.loads(lane.last(Usage()))["data"]], None


def test_what_an_answer_is_held_to() -> None:
    assert asked({"input": "a"}) == asked({"input": [1, 2]}) == {"inputs": 1, "encoding": "float"}
    assert asked({"input": ["a", "b"], "encoding_format": "base64"}) == {"inputs": 2, "encoding": "base64"}
    assert asked({"input": [[1], [2], [3]]})["inputs"] == 3


def test_fewer_embeddings_than_inputs_are_no_answer() -> None:
    for rows in ([[1.5]], [[1.5]] * 3):
        fault = answered(rows, inputs=2)[1]
        assert fault is not None and fault.code == BROKEN_ANSWER
        assert f"{len(rows)} embeddings came for 2 inputs" in fault.message
    assert answered([[1.5]] * 2, inputs=2)[1] is None


@pytest.mark.parametrize("row", [None, [], "", 7, {}, [None, 1.5], [[1.5]], ["a"], [True], "abc", "!!!!", "AAAAfw=="])
@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_what_is_no_embedding_is_named_by_its_place(row: Any, encoding: str) -> None:
    if encoding == "base64" and isinstance(row, str) and row:
        return  # as it was asked for: what is inside is the client's to read
    fault = answered([[1.5] if encoding == "float" else "AADAPw==", row], encoding=encoding)[1]
    if row == "AAAAfw==":
        assert fault is None  # a large number, and one all the same
        return
    assert fault is not None and fault.message.startswith("embedding 1 is no list of numbers")


def test_embeddings_are_written_as_they_were_asked_for() -> None:
    floats, text = [1.5, -2.0, 0.25], "AADAPwAAAMAAAIA+"
    for row in (floats, text):
        assert answered([row])[0] == [floats]
        assert answered([row], encoding="base64")[0] == [text]
