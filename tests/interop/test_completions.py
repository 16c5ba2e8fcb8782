"""Completions over an upstream that speaks them: all that only they have arrives, and others are sent elsewhere."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.asked import sse
from tests.interop.cases import CASES, UPSTREAMS, common
from tests.interop.matrix import LANES, Pair, send, serving
from tests.interop.openai_faces import Chat, Completions
from tests.interop.other_faces import Gemini, Messages
from tests.system.serving import Answer

FACE = Completions()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, monkeypatch_module: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch_module.setitem(UPSTREAMS, "openai-completions", "/v1")
    with serving(tmp_path_factory.mktemp("completions")) as made:
        yield made


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def post(pair: Pair, lane: str = "auto", over: str = "openai-completions", **fields: Any) -> Answer:
    return send(pair, FACE, "/v1/completions", {"model": f"acme/{over}-{lane}", "prompt": "Hello", **fields})


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["plain", "length", "refusal", "error mid-stream"])
def test_the_cases_of_the_matrix(pair: Pair, lane: str, stream: bool, name: str) -> None:
    case, model = CASES[name], f"acme/openai-completions-{lane}"
    if name == "refusal":
        case = case._replace(asked=case.asked._replace(text="[[finish: content_filter]]"))
    answer = send(pair, FACE, "/v1/completions", FACE.body(model, case.asked, stream))
    if name == "error mid-stream" and not stream:
        assert answer.status >= 500
        return
    seen = FACE.streamed(answer.body) if stream else FACE.whole(answer.body)
    case.check(FACE, seen)
    if seen.stop != "error":
        common(FACE, seen, model)


@pytest.mark.parametrize("lane", LANES)
def test_what_only_completions_have_arrives(pair: Pair, lane: str) -> None:
    asks: dict[str, Any] = {"prompt": ["[[say: x]] a", "b"], "n": 2, "echo": True, "logprobs": 1, "suffix": "."}
    found = json.loads(post(pair, lane, **asks).body)["choices"]
    assert [one["text"] for one in found] == ["[[say: x]] ax", "[[say: x]] ax", "bx", "bx"]
    assert found[3]["index"] == 3 and found[3]["logprobs"]["tokens"] == ["bx"]
    streamed = post(pair, lane, stream=True, **asks)
    texts = ["", "", "", ""]
    for _, data in sse(streamed.body):
        for choice in json.loads(data)["choices"] if data != "[DONE]" else ():
            texts[choice["index"]] += choice["text"]
    assert texts == [one["text"] for one in found]
    assert post(pair, lane, prompt=[[1, 2], [3]], best_of=2).status == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [("prompt", ["a", "b"]), ("prompt", [1, 2]), ("suffix", "x"), ("echo", True), ("best_of", 2), ("logprobs", 0)],
)
@pytest.mark.parametrize("over", ["openai-chat", "anthropic-messages"])
def test_over_another_protocol_it_is_refused_by_name(pair: Pair, over: str, name: str, value: Any) -> None:
    answer = post(pair, over=over, **{name: value})
    assert answer.status == 400
    assert json.loads(answer.body)["error"]["param"] == name


@pytest.mark.parametrize("face", [Chat(), Messages(), Gemini()], ids=lambda face: face.name)
def test_a_conversation_is_refused_there(pair: Pair, face: Any) -> None:
    model = "acme/openai-completions-auto"
    answer = send(pair, face, face.path(model, False), face.body(model, CASES["plain"].asked, False))
    assert answer.status == 400
    assert "only completes text" in face.complaint(answer.body)
