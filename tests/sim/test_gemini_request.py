"""Requests as Google refuses them."""

import json
from typing import Any

import pytest

from conflux.sim.ask import Ask, BadRequest
from conflux.sim.gemini_request import read
from conflux.sim.quirks import Quirks

HI = {"role": "user", "parts": [{"text": "Hi"}]}
PLAIN = "/v1beta/models/gemini-3-pro:generateContent"
CALL = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}


def ask(path: str = PLAIN, quirks: Quirks | None = None, **fields: Any) -> Ask:
    return read(json.dumps({"contents": [HI], **fields}).encode(), path, 0, quirks or Quirks())


def result(name: str = "f", **response: Any) -> dict[str, Any]:
    return {"role": "user", "parts": [{"functionResponse": {"name": name, "response": response}}]}


def config(**fields: Any) -> dict[str, Any]:
    return {"generationConfig": fields}


BAD: list[tuple[dict[str, Any], str]] = [
    ({"novel": 1}, 'Unknown name "novel"'),
    ({"labels": {}}, 'Unknown name "labels"'),
    ({"contents": []}, "contents is not specified"),
    ({"contents": [{"role": "system", "parts": [{"text": "a"}]}]}, "valid role"),
    ({"contents": [{"parts": []}]}, "must not be empty"),
    ({"contents": [{"parts": [{}]}]}, "required oneof field"),
    ({"contents": [{"parts": [{"text": "a", "x": 1}]}]}, 'Unknown name "x"'),
    ({"contents": [{"parts": [{"text": 1}]}]}, "text"),
    ({"contents": [{"parts": [{"inlineData": {"mimeType": "a/b", "data": "?"}}]}]}, "Base64"),
    ({"contents": [{"parts": [{"fileData": {"fileUri": "nowhere"}}]}]}, "file uri"),
    ({"contents": [HI, CALL]}, "followed by a function response"),
    ({"contents": [HI, CALL, HI]}, "number of function response parts"),
    ({"contents": [HI, CALL, result("g")]}, "number of function response parts"),
    ({"contents": [HI, result()]}, "comes immediately after"),
    ({"contents": [{"role": "user", "parts": CALL["parts"]}, result()]}, "only the model"),
    ({"tools": [{"novel": {}}]}, 'Unknown name "novel"'),
    ({"tools": [{"functionDeclarations": [{"name": "0"}]}]}, "Invalid function name"),
    ({"tools": [{"functionDeclarations": [{"name": "f"}, {"name": "f"}]}]}, "Duplicate"),
    ({"tools": [{"functionDeclarations": [{"name": "f", "parameters": {"const": 1}}]}]}, "const"),
    ({"toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}}, "without function_declarations"),
    (config(novel=1), 'Unknown name "novel"'),
    (config(temperature="hot"), "temperature"),
    (config(candidateCount=9), "candidateCount"),
    (config(stopSequences=list("abcdef")), "stop sequences"),
    (config(seed=2**31), "seed"),
    (config(logprobs=1), "responseLogprobs"),
    (config(responseSchema={"type": "STRING"}), "response_mime_type"),
    (config(thinkingConfig={"thinkingLevel": "huge"}), "thinking_level"),
    (config(thinkingConfig={"thinkingLevel": "low", "thinkingBudget": 1}), "only set one"),
]


@pytest.mark.parametrize(("fields", "words"), BAD)
def test_what_google_refuses(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest) as error:
        ask(**fields)
    assert words in str(error.value)


def test_a_choice_of_functions() -> None:
    tools = [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]

    def offered(**calling: Any) -> Any:
        return ask(tools=tools, toolConfig={"functionCallingConfig": calling}).tools

    assert offered(mode="ANY", allowedFunctionNames=["g"]).forced == "g"
    assert offered(mode="ANY").forced == ""
    assert offered(mode="NONE").forbidden
    for wrong in ({"mode": "NEVER"}, {"mode": "AUTO", "allowedFunctionNames": ["f"]},
                  {"mode": "ANY", "allowedFunctionNames": ["x"]}):  # fmt: skip
        with pytest.raises(BadRequest):
            offered(**wrong)


def test_quirks() -> None:
    assert ask(quirks=Quirks(labels=True), labels={"a": "b"}).text == "Hi"
    with pytest.raises(BadRequest, match="thought_signature"):
        ask(quirks=Quirks(signed_calls=True), contents=[HI, CALL, result()])
    with pytest.raises(BadRequest, match="not supported for this model"):
        ask("/v1beta/models/gemini-2.5-pro:generateContent", **config(thinkingConfig={"thinkingLevel": "low"}))
    with pytest.raises(BadRequest, match="seed"):
        ask(quirks=Quirks(refuses=("seed",)), **config(seed=1))


def test_a_stream_is_asked_for_as_events() -> None:
    path = PLAIN.replace(":generate", ":streamGenerate")
    assert ask(path + "?key=x&alt=sse").stream
    with pytest.raises(BadRequest, match="alt=sse"):
        ask(path)


def test_what_is_understood() -> None:
    found = ask(
        contents=[HI, CALL, result(output="done")],
        systemInstruction={"parts": [{"text": "Be brief."}]},
        **config(maxOutputTokens=5, stopSequences=["x"], responseMimeType="application/json", candidateCount=2,
                 thinkingConfig={"includeThoughts": True, "thinkingLevel": "HIGH"}),
    )  # fmt: skip
    assert (found.model, found.text, found.system, found.results) == ("gemini-3-pro", "Hi", "Be brief.", ("done",))
    assert (found.step, found.limits.tokens, found.limits.stops, found.choices) == (1, 5, ("x",), 2)
    assert found.json_object and found.effort == "high"


def test_a_body_that_is_none() -> None:
    for raw in (b"{", b"[]", b"\xff"):
        with pytest.raises(BadRequest):
            read(raw, PLAIN, 0, Quirks())
