"""Options of other dialects, as this wire says them, refused, or left out and named."""

import json
from typing import Any

import pytest

from conflux.dialects.base import Shape, Written
from conflux.neutral.errors import GatewayError
from conflux.neutral.request import (
    Message,
    Output,
    Reasoning,
    Request,
    Role,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from tests.dialects.messages import MESSAGES, read

USER = Message(role=Role.USER, parts=(Text(text="a"),))
UP = Shape(model="up", max_output=9000)
OLD = Shape(model="claude-sonnet-4-5-20250929", max_output=9000)


def write(shape: Shape = UP, messages: tuple[Message, ...] = (USER,), **options: Any) -> Written:
    return MESSAGES.write_request(Request(dialect="openai-chat", messages=messages, **options), shape)


def written(shape: Shape = UP, **options: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(write(shape, **options).body)
    return {name: value for name, value in body.items() if name not in ("model", "messages", "max_tokens")}


def test_case_39_max_tokens_is_always_there() -> None:
    for shape, asked, sent in ((Shape(model="up"), None, 4096), (Shape(model="up"), 7, 7), (UP, 7, 9000)):
        assert json.loads(write(shape, max_output=asked).body)["max_tokens"] == sent


def test_sampling() -> None:
    sampling = Sampling(
        temperature=1.7, top_p=0.5, top_k=3, stop=("x",), seed=4, frequency_penalty=1, logit_bias={"1": 2}
    )
    found = write(sampling=sampling)
    assert written(sampling=sampling) == {"temperature": 1.0, "top_p": 0.5, "top_k": 3, "stop_sequences": ["x"]}
    assert found.dropped == ("frequency_penalty", "logit_bias", "seed", "temperature")
    assert written(Shape(model="up", temperature=0.7)) == {"temperature": 0.7}


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"sampling": Sampling(n=2)}, "n"),  # case 37
        ({"sampling": Sampling(logprobs=True)}, "logprobs"),  # case 38
        ({"sampling": Sampling(top_logprobs=2)}, "logprobs"),
        ({"output": Output(kind="json_object")}, "response_format"),
        ({"output": Output(kind="json_schema", schema={"properties": {"a": {"minimum": 1}}})},
         "response_format.json_schema.schema.properties.a.minimum"),  # case 30
        ({"tools": (Tool(name="w", kind="web_search"),), "tool_choice": ToolChoice("named", "w")}, "tool_choice"),
    ],
)  # fmt: skip
def test_what_is_refused_by_name(options: Any, param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        write(**options)
    assert caught.value.param == param and param.split(".")[-1] in caught.value.message


def test_case_30_a_schema_within_the_subset() -> None:
    output = Output(kind="json_schema", name="city", description="d", schema={"type": "object", "properties": {}})
    assert written(output=output)["output_config"]["format"]["schema"] == {
        "title": "city", "description": "d", "type": "object", "properties": {}, "additionalProperties": False,
    }  # fmt: skip


def test_tools_of_other_dialects() -> None:
    strict = Tool(name="f", description="d", schema={"properties": {"a": {}}}, strict=True, raw={"type": "function"})
    loose = Tool(name="g", schema={"properties": {"a": {"minimum": 1}}}, strict=True)
    found = write(tools=(strict, loose, Tool(name="w", kind="web_search")), parallel_tool_calls=False)
    assert json.loads(found.body)["tools"] == [
        {"name": "f", "description": "d", "strict": True, "input_schema": {
            "type": "object", "properties": {"a": {}}, "additionalProperties": False}},
        {"name": "g", "input_schema": {"type": "object", "properties": {"a": {"minimum": 1}}}},
    ]  # fmt: skip
    assert found.dropped == ("tools.strict", "tools.web_search")
    assert json.loads(found.body)["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


@pytest.mark.parametrize(
    ("choice", "sent"),
    [("auto", {"type": "auto"}), ("required", {"type": "any"}), ("none", {"type": "none"}),
     ("named", {"type": "tool", "name": "f"})],
)  # fmt: skip
def test_case_31_which_tool(choice: str, sent: Any) -> None:
    options: Any = {"tools": (Tool(name="f"),), "tool_choice": ToolChoice(choice, "f" if choice == "named" else None)}
    assert written(**options)["tool_choice"] == sent
    found = write(**options, reasoning=Reasoning(effort="high"))
    forced = choice in ("required", "named")  # which does not go with thinking
    assert (b'"thinking"' in found.body) is not forced and ("reasoning_effort" in found.dropped) is forced


@pytest.mark.parametrize(
    ("shape", "reasoning", "sent"),
    [
        (UP, Reasoning(effort="xhigh"), {"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}}),
        (UP, Reasoning(effort="minimal"), {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
        (UP, Reasoning(effort="none"), {"thinking": {"type": "disabled"}}),
        (UP, Reasoning(enabled=True), {"thinking": {"type": "adaptive"}}),
        (UP, Reasoning(summary="auto"), {}),
        (UP, Reasoning(effort="low", summary="auto"),
         {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "low"}}),
        (OLD, Reasoning(effort="low"), {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        (OLD, Reasoning(effort="max"), {"thinking": {"type": "enabled", "budget_tokens": 8999}}),
        (Shape(model="claude-opus-4-6", max_output=9000), Reasoning(effort="low"),
         {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
        (Shape(model="up", max_output=9000, quirks={"thinking": "enabled"}), Reasoning(budget=3000),
         {"thinking": {"type": "enabled", "budget_tokens": 3000}}),
        (Shape(model="claude-3-7-sonnet-20250219", max_output=500), Reasoning(effort="low"), {}),
        (Shape(model="up", effort="high"), None,
         {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
    ],
)  # fmt: skip
def test_thinking_as_each_model_is_told_to(shape: Shape, reasoning: Reasoning | None, sent: Any) -> None:
    assert written(shape, reasoning=reasoning) == sent


def test_who_thinks_is_not_told_how_freely() -> None:
    found = write(reasoning=Reasoning(effort="low"), sampling=Sampling(temperature=0.2, top_k=3, top_p=0.5))
    assert found.dropped == ("temperature", "top_k", "top_p")
    assert not {"temperature", "top_k", "top_p"} & json.loads(found.body).keys()
    assert write(Shape(model="up", temperature=0.7), reasoning=Reasoning(effort="low")).dropped == ()


def test_no_budget_amid_a_call_without_a_thought_of_its_own() -> None:
    call = ToolCall(id="c", name="f", arguments="{}")
    result = Message(role=Role.TOOL, parts=(ToolResult(call_id="c", content=()),))
    thought = Thinking(text="t", signature="s", issuer="anthropic-messages")
    for parts, thinks in (((call,), False), ((thought, call), True), ((Text(text="a"),), True)):
        messages = (USER, Message(role=Role.ASSISTANT, parts=parts), *((result,) if call in parts else (USER,)))
        assert (
            b'"thinking":{"type":"enabled"' in write(OLD, messages, reasoning=Reasoning(effort="low")).body
        ) is thinks


def test_no_default_temperature_for_who_thinks() -> None:
    warm = Shape(model="up", temperature=0.7)
    own = MESSAGES.write_request(read(thinking={"type": "adaptive"}), warm)
    assert b"temperature" not in own.body
    assert b"temperature" in MESSAGES.write_request(read(thinking={"type": "disabled"}), warm).body


def test_a_fixed_effort_overrules_its_own_dialects_and_is_told() -> None:
    shape = Shape(model="up", effort="high")
    for effort, dropped in (("low", ("output_config.effort",)), ("high", ())):
        found = MESSAGES.write_request(read(output_config={"effort": effort}), shape)
        assert json.loads(found.body)["output_config"] == {"effort": "high"} and found.dropped == dropped
