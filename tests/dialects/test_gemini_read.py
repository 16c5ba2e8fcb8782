"""Requests read: the golden table, and what is refused by name."""

from typing import Any

import msgspec
import pytest

from conflux.dialects import strict_json
from conflux.dialects.base import Place
from conflux.dialects.gemini import Gemini
from conflux.neutral.errors import GatewayError
from conflux.neutral.request import Request, Thinking, ToolCall, ToolResult
from tests.dialects.gemini_golden import GoldenRequest, requests
from tests.dialects.golden import slim

HI = {"role": "user", "parts": [{"text": "Hi"}]}


def read(**body: Any) -> Request:
    dialect = Gemini()
    raw = strict_json.encode({"contents": [HI], **body})
    return dialect.read_request(dialect.open(raw, Place(model="m", stream=False)))


@pytest.mark.parametrize("golden", requests(), ids=str)
def test_a_request(golden: GoldenRequest) -> None:
    dialect = Gemini()
    found = slim(dialect.read_request(dialect.open(golden.wire, Place(model="m", stream=False))))
    del found["dialect"], found["include_usage"]
    assert msgspec.to_builtins(found) == golden.neutral


def calls(*parts: dict[str, Any], answers: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Which call each result answers, by the calls' arguments."""
    model = {"role": "model", "parts": list(parts)}
    user = {"role": "user", "parts": [{"functionResponse": one} for one in answers]}
    request = read(contents=[HI, model, user])
    made = {part.id: part.arguments for part in request.messages[1].parts if isinstance(part, ToolCall)}
    results = [part for part in request.messages[2].parts if isinstance(part, ToolResult)]
    return [(made[one.call_id], one.content[0].text) for one in results]  # type: ignore[union-attr]


def call(name: str, number: int, **more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": {"n": number}, **more}}


def test_results_find_their_calls_by_name_and_order() -> None:
    found = calls(
        call("a", 1), call("b", 2), call("a", 3),
        answers=[{"name": name, "response": {"output": text}} for name, text in (("b", "x"), ("a", "y"), ("a", "z"))],
    )  # fmt: skip
    assert found == [('{"n":2}', "x"), ('{"n":1}', "y"), ('{"n":3}', "z")]


def test_results_find_their_calls_by_id_first() -> None:
    found = calls(
        call("a", 1, id="one"), {**call("a", 2, id="two"), "thoughtSignature": "c2ln"},
        answers=[{"id": "two", "name": "a", "response": {"output": "x"}},
                 {"id": "one", "name": "a", "response": {"output": "y"}}],
    )  # fmt: skip
    assert found == [('{"n":2}', "x"), ('{"n":1}', "y")]


def test_case_26_another_issuers_thoughts_come_back_whole() -> None:
    from conflux.dialects.gemini_writer import GeminiWriter
    from conflux.neutral.events import ThinkingDelta
    from tests.dialects.gemini_golden import WANTED

    asked = Request(dialect="gemini", messages=())
    for event, wanted in (
        (ThinkingDelta(text="hm", signature="S", issuer="x"), Thinking(text="hm", signature="S", issuer="x")),
        (ThinkingDelta(redacted="R", issuer="x"), Thinking(redacted="R", issuer="x")),
    ):
        writer = GeminiWriter(WANTED, msgspec.structs.replace(asked, dialect="other"))
        content = msgspec.json.decode(writer.whole([event], msgspec.convert({}, type_of_usage())))["candidates"][0]
        assert read(contents=[HI, content["content"]]).messages[1].parts == (wanted,)


def type_of_usage() -> Any:
    from conflux.neutral.usage import Usage

    return Usage


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"contents": [{"role": "user", "parts": [{"text": "a", "novel": 1}]}]}, "contents[0].parts[0].novel"),
    (
        {"contents": [{"role": "user", "parts": [{"functionResponse": {"name": "f"}}]}]},
        "contents[0].parts[0].functionR",
    ),
    ({"toolConfig": {"functionCallingConfig": {"mode": "SOMETIMES"}}}, "SOMETIMES"),
    ({"toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["x"]}}}, "'x'"),
    ({"generationConfig": {"responseMimeType": "text/x.enum"}}, "generationConfig.responseMimeType"),
    ({"systemInstruction": {"parts": [{"inlineData": {"mimeType": "image/png", "data": ""}}]}}, "systemInstruction"),
    ({"contents": [{"parts": [{"inlineData": {"mimeType": "text/plain", "data": "?"}}]}]}, "text/plain"),
]


@pytest.mark.parametrize(("body", "named"), REFUSED)
def test_what_cannot_be_read_is_refused_by_name(body: dict[str, Any], named: str) -> None:
    with pytest.raises(GatewayError) as error:
        read(**body)
    assert named in error.value.message


def test_one_of_several_functions_must_be_called() -> None:
    tools = [{"functionDeclarations": [{"name": name} for name in "abc"]}]
    config = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["a", "c"]}}
    request = read(tools=tools, toolConfig=config)
    assert request.tool_choice is not None and request.tool_choice.mode == "required"
    assert [tool.name for tool in request.tools] == ["a", "c"]


def test_what_only_gemini_knows_is_kept_by_its_path() -> None:
    tools = [{"functionDeclarations": [{"name": "f", "behavior": "NON_BLOCKING", "novel": 1}]}]
    request = read(tools=tools, novel=1, generationConfig={"novel": 2, "speechConfig": {}})
    assert set(request.extra) == {
        "novel", "generationConfig.novel", "generationConfig.speechConfig",
        "tools[0].functionDeclarations[0].behavior", "tools[0].functionDeclarations[0].novel",
    }  # fmt: skip


def test_unknown_fields_are_known_by_their_whole_name() -> None:
    found = read(**{"a.b": 1, "generationConfig.x": 2, "generationConfig": {"y": 3}})
    assert found.extra == {"a.b": 1, "generationConfig.x": 2, "generationConfig.y": 3}
    with pytest.raises(GatewayError) as error:
        read(contents=[{**HI, "": [1]}])
    assert error.value.param == "contents[0]."


def test_text_that_is_no_base64_is_refused() -> None:
    for data in ("SG\ufeffk=", "/w==", "*"):
        with pytest.raises(GatewayError, match="not base64 of UTF-8"):
            read(contents=[{"parts": [{"inlineData": {"mimeType": "text/plain", "data": data}}]}])
