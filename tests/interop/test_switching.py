"""One conversation, two models of different protocols: the second goes on where the first stopped, and the first again.

Law: what one of them thought and sealed may be left out for the other and never breaks it; calls and results stay.
"""

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

from tests.interop.asked import Asked, Face, Seen
from tests.interop.cases import FACES, UPSTREAMS
from tests.interop.matrix import Pair, model_of, send, serving

CALL = '[[call: weather {"city": "Rome"}]]'  # twice the same: only their ids tell them apart
ASKED = Asked(f"[[think: hm]] {CALL} {CALL}", tools=True, reasoning=True)
BYE = "[[say: bye]]"
TALKING = [name for name in FACES if name != "openai-completions"]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with serving(tmp_path_factory.mktemp("switching")) as made:
        yield made


def answered(pair: Pair, face: Face, model: str, body: dict[str, Any], stream: bool) -> Seen:
    if "model" in body:
        body["model"] = model
    answer = send(pair, face, face.path(model, stream), body)
    assert answer.status == 200, answer.body
    return face.streamed(answer.body) if stream else face.whole(answer.body)


def said_last(face: Face, body: dict[str, Any]) -> dict[str, Any]:
    """With one more word of the user's."""
    match face.name:
        case "openai-responses":
            return {**body, "input": [*body["input"], {"role": "user", "content": BYE}]}
        case "gemini":
            more = {"role": "user", "parts": [{"text": BYE}]}
            return {**body, "contents": [*filled(body["contents"], "parts"), more]}
    return {**body, "messages": [*filled(body["messages"], "content"), {"role": "user", "content": BYE}]}


def filled(turns: list[dict[str, Any]], field: str) -> list[dict[str, Any]]:
    return [turn for turn in turns if turn.get(field) or turn.get("tool_calls")]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("first", "second"), list(permutations(UPSTREAMS, 2)))
@pytest.mark.parametrize("client", TALKING)
def test_from_one_to_the_other_and_back(pair: Pair, client: str, first: str, second: str, stream: bool) -> None:
    face, one, other = FACES[client], model_of(first), model_of(second)
    body = face.body(one, ASKED, stream)
    seen = answered(pair, face, one, body, stream)
    assert (seen.thinking, len(seen.calls)) == ("hm", 2)
    body = face.again(body, seen, ["1 degree", "2 degrees"])
    seen = answered(pair, face, other, body, stream)
    assert "1 degree; 2 degrees" in seen.text
    body = said_last(face, face.again(body, seen, []))
    assert answered(pair, face, one, body, stream).text == "bye"
