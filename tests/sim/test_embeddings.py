"""The simulator's embeddings."""

import base64
import json
import struct
from typing import Any

import msgspec
import pytest

from conflux.sim import embeddings
from conflux.sim.answer import plan_for
from conflux.sim.ask import BadRequest
from conflux.sim.quirks import Quirks
from conflux.sim.script import Script


def answer(**body: Any) -> Any:
    ask = embeddings.read(msgspec.json.encode({"model": "m", **body}), "/v1/embeddings", 0, Quirks())
    return json.loads(embeddings.render(ask, plan_for(ask, Script(), {}), 0, Quirks()).whole())


def test_the_same_text_has_the_same_vector_in_both_formats() -> None:
    one, other, again = (row["embedding"] for row in answer(input=["a", "b", "a"], dimensions=8)["data"])
    assert one == again != other and len(one) == 8
    packed = answer(input="a", dimensions=8, encoding_format="base64")["data"][0]["embedding"]
    assert list(struct.unpack("<8f", base64.b64decode(packed))) == one


def test_tokens_are_one_input_and_counted() -> None:
    assert answer(input=[1, 2, 3])["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert len(answer(input=[[1], [2, 3]])["data"]) == 2
    assert "usage" not in answer(input="[[usage: missing]]")


@pytest.mark.parametrize(
    "body", [{}, {"input": ""}, {"input": []}, {"input": [""]}, {"input": "x", "messages": []},
             {"input": "x", "encoding_format": "hex"}]
)  # fmt: skip
def test_what_the_real_one_refuses(body: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        answer(**body)
