"""Requests written: the golden table, and what other dialects' clients ask for."""

import json
from typing import Any

import msgspec
import pytest

from conflux.dialects.base import Place, Shape, Written
from conflux.dialects.gemini import Gemini
from conflux.dialects.gemini_write import write_request
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.request import (
    Message,
    Output,
    Reasoning,
    Request,
    Role,
    Sampling,
    Text,
    Tool,
    ToolChoice,
)
from tests.dialects.gemini_golden import GoldenRequest, requests

HI = Message(role=Role.USER, parts=(Text(text="Hi"),))
LOOK = Tool(name="look", schema={"type": "object", "properties": {"a": {"type": "string"}}})


def written(shape: dict[str, Any] | None = None, **fields: Any) -> tuple[dict[str, Any], Written]:
    request = Request(dialect="openai-chat", messages=(HI,), **fields)
    found = write_request(request, Shape(**{"model": "gemini-3-pro", **(shape or {})}))
    return json.loads(found.body), found


@pytest.mark.parametrize("golden", requests(), ids=str)
def test_a_request(golden: GoldenRequest) -> None:
    dialect, shape = Gemini(), msgspec.convert(golden.shape, Shape)
    request = dialect.read_request(dialect.open(golden.wire, Place(model="m", stream=False)))
    found = dialect.write_request(request, shape)
    assert json.loads(found.body) == golden.written
    dialect.open(found.body, Place(model="m"))  # what is written can be read


def test_settings() -> None:
    sampling = Sampling(temperature=0.5, top_p=0.9, top_k=4, seed=2**40 + 5, stop=("a",), n=2, logprobs=True,
                        top_logprobs=2, frequency_penalty=1.0, presence_penalty=-1.0)  # fmt: skip
    body, _ = written(sampling=sampling, max_output=9)
    assert body["generationConfig"] == {
        "temperature": 0.5, "topP": 0.9, "topK": 4, "seed": 5, "stopSequences": ["a"], "candidateCount": 2,
        "responseLogprobs": True, "logprobs": 2, "frequencyPenalty": 1.0, "presencePenalty": -1.0,
        "maxOutputTokens": 9,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sampling", "param"), [(Sampling(logit_bias={"5": 1.0}), "logit_bias"), (Sampling(stop=tuple("abcdef")), "stop")]
)
def test_what_it_cannot_do_is_refused_by_name(sampling: Sampling, param: str) -> None:
    with pytest.raises(GatewayError) as error:
        written(sampling=sampling)
    assert (error.value.kind, error.value.param) == (Kind.UNSUPPORTED, param)


@pytest.mark.parametrize(
    ("choice", "mode"),
    [
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("named", "look"), {"mode": "ANY", "allowedFunctionNames": ["look"]}),
    ],
)
def test_case_31_choices(choice: ToolChoice, mode: dict[str, Any]) -> None:
    body, _ = written(tools=(LOOK,), tool_choice=choice)
    assert body["toolConfig"] == {"functionCallingConfig": mode}


def test_a_choice_without_functions_is_not_sent() -> None:
    assert "toolConfig" not in written(tool_choice=ToolChoice("auto"))[0]


def test_case_11_long_names_are_shortened_and_told_back() -> None:
    name = "mcp__" + "x" * 80
    body, found = written(tools=(msgspec.structs.replace(LOOK, name=name),))
    short = body["tools"][0]["functionDeclarations"][0]["name"]
    assert len(short) <= 64 and found.names == {short: name}


def test_case_41_search_is_googles_and_gives_way_to_functions() -> None:
    search = Tool(name="web_search", kind="web_search_20250305")
    assert written(tools=(search,))[0]["tools"] == [{"googleSearch": {}}]
    body, found = written(tools=(search, LOOK))
    assert "googleSearch" not in json.dumps(body) and found.dropped == ("tools.web_search_20250305",)
    body, found = written({"quirks": {"search_beside_tools": True}}, tools=(search, LOOK))
    assert body["tools"][1] == {"googleSearch": {}} and found.dropped == ()


def test_case_41_other_server_tools_are_left_out_and_named() -> None:
    body, found = written(tools=(Tool(name="computer", kind="computer_use"), LOOK))
    assert len(body["tools"]) == 1 and found.dropped == ("tools.computer_use",)


def test_hints_are_named() -> None:
    strict = Tool(name="f", schema={"type": "object", "additionalProperties": False}, strict=True)
    _, found = written(tools=(strict,), parallel_tool_calls=False, user="u", metadata={"a": "b"}, extra={"store": True})
    assert found.dropped == (
        "tools.strict", "tools.additionalProperties", "parallel_tool_calls", "user", "metadata", "store",
    )  # fmt: skip


def test_case_29_schemas_of_answers_are_cleaned() -> None:
    schema = {"$schema": "x", "type": "object", "properties": {"b": {"const": "k"}, "a": {"type": "integer"}}}
    body, _ = written(output=Output(kind="json_schema", schema=schema))
    assert body["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseSchema": {
            "type": "OBJECT",
            "properties": {"b": {"type": "STRING", "enum": ["k"]}, "a": {"type": "INTEGER"}},
            "propertyOrdering": ["b", "a"],
        },
    }


BUDGETS = {"quirks": {"thinking_budget_models": "gemini-2"}, "model": "gemini-2.5-pro"}


@pytest.mark.parametrize(
    ("shape", "reasoning", "config"),
    [
        ({}, Reasoning(effort="low"), {"thinkingLevel": "low", "includeThoughts": True}),
        ({}, Reasoning(effort="xhigh"), {"thinkingLevel": "high", "includeThoughts": True}),
        ({}, Reasoning(effort="none"), {"thinkingLevel": "minimal"}),
        ({}, Reasoning(budget=9000), {"thinkingLevel": "high", "includeThoughts": True}),
        (BUDGETS, Reasoning(effort="low"), {"thinkingBudget": 1024, "includeThoughts": True}),
        (BUDGETS, Reasoning(budget=9000), {"thinkingBudget": 9000, "includeThoughts": True}),
        (BUDGETS, Reasoning(enabled=True), {"thinkingBudget": -1, "includeThoughts": True}),
        (BUDGETS, Reasoning(enabled=False), {"thinkingBudget": 0}),
        ({"effort": "high"}, Reasoning(effort="low"), {"thinkingLevel": "high", "includeThoughts": True}),
        ({**BUDGETS, "effort": "none"}, None, {"thinkingBudget": 0}),
    ],
)
def test_thinking(shape: dict[str, Any], reasoning: Reasoning | None, config: dict[str, Any]) -> None:
    assert written(shape, reasoning=reasoning)[0]["generationConfig"]["thinkingConfig"] == config


def test_what_a_schema_is_called_is_part_of_it() -> None:
    body, _ = written(output=Output(kind="json_schema", name="city", description="a place", schema={"type": "object"}))
    shown = body["generationConfig"]["responseSchema"]
    assert (shown["title"], shown["description"]) == ("city", "a place")


CLOSED = {"type": "object", "additionalProperties": False, "$defs": {"n": {"oneOf": [{"type": "integer"}]}},
          "properties": {"a": {"type": "string"}, "pattern": {"$ref": "#/$defs/n"}}}  # fmt: skip
FULL = {"quirks": {"json_schemas": True}}


def test_case_29_a_schema_goes_whole_where_its_provider_reads_all_of_it() -> None:
    tool, output = Tool(name="f", schema=CLOSED), Output(kind="json_schema", name="s", schema=CLOSED)
    body, found = written(FULL, tools=(tool,), output=output)
    (declared,) = body["tools"][0]["functionDeclarations"]
    assert declared == {"name": "f", "parametersJsonSchema": CLOSED}
    settings = body["generationConfig"]
    assert settings["responseJsonSchema"] == {"title": "s", **CLOSED} and "responseSchema" not in settings
    assert found.dropped == ()
    body, found = written(tools=(tool,), output=output)
    assert "parameters" in body["tools"][0]["functionDeclarations"][0] and "responseSchema" in body["generationConfig"]
    assert {"tools.additionalProperties", "response_format.additionalProperties"} <= set(found.dropped)


@pytest.mark.parametrize("beyond", [{"pattern": "x"}, {"allOf": [{}]}, {"items": {"not": {}}}, {"const": 1}])
def test_case_29_what_it_would_overlook_is_said_in_its_own_kind_of_schema(beyond: dict[str, Any]) -> None:
    schema = {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "array", **beyond}}}
    body, found = written(FULL, tools=(Tool(name="f", schema=schema),))
    assert "parametersJsonSchema" not in body["tools"][0]["functionDeclarations"][0]
    assert "tools.additionalProperties" in found.dropped
