"""Bad input: every mistake is a 400 that names the field and reads well."""

import json
from typing import Any

import pytest

from conflux.dialects import openai_errors
from conflux.dialects.openai_chat import OpenAIChat
from conflux.dialects.openai_chat_wire import check
from conflux.neutral.errors import GatewayError

USER = [{"role": "user", "content": "Hi"}]
PARTS = "text, image_url, input_audio, file, refusal"
ROLES = "system, developer, user, assistant, tool, function"


def part(**fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, fields]}]}


def tool(**fields: Any) -> dict[str, Any]:
    return {"messages": USER, "tools": [{"type": "function", "function": {"name": "f"}}, fields]}


def said(**fields: Any) -> dict[str, Any]:
    return {"messages": USER, **fields}


BAD: list[tuple[dict[str, Any], str, str]] = [
    (
        {"messages": [{"role": "user", "content": None}]},
        "messages[0].content",
        "messages[0].content: must be a string or a list, not null",
    ),
    ({}, "messages", "messages is missing"),
    ({"messages": None}, "messages", "messages: must be a list, not null"),
    ({"messages": []}, "messages", "messages: must hold at least one item"),
    ({"messages": {}}, "messages", "messages: must be a list, not an object"),
    ({"messages": "Hi"}, "messages", 'messages: must be a list, not "Hi"'),
    ({"messages": ["Hi"]}, "messages[0]", 'messages[0]: must be an object, not "Hi"'),
    ({"messages": [*USER, {"content": "Hi"}]}, "messages[1].role", "messages[1].role is missing"),
    ({"messages": [{"role": "user"}]}, "messages[0].content", "messages[0].content is missing"),
    (
        {"messages": [{"role": "wizard", "content": "Hi"}]},
        "messages[0].role",
        f"messages[0].role: unknown role 'wizard'; it is one of {ROLES}",
    ),
    ({"messages": [{"role": 5, "content": ""}]}, "messages[0].role", "messages[0].role: must be a string, not 5"),
    (
        {"messages": [{"role": "user", "content": 5}]},
        "messages[0].content",
        "messages[0].content: must be a string, a list or null, not 5",
    ),
    (
        {"messages": [{"role": "tool", "content": "x"}]},
        "messages[0].tool_call_id",
        "messages[0].tool_call_id is missing",
    ),
    (
        part(type="video_url", video_url={}),
        "messages[0].content[1].type",
        f"messages[0].content[1].type: unknown content part type 'video_url'; it is one of {PARTS}",
    ),
    (part(text="x"), "messages[0].content[1].type", "messages[0].content[1].type is missing"),
    (part(type="image_url"), "messages[0].content[1].image_url", "messages[0].content[1].image_url is missing"),
    (
        part(type="image_url", image_url="http://a"),
        "messages[0].content[1].image_url",
        'messages[0].content[1].image_url: must be an object, not "http://a"',
    ),
    (
        part(type="image_url", image_url={"url": 5}),
        "messages[0].content[1].image_url.url",
        "messages[0].content[1].image_url.url: must be a string, not 5",
    ),
    (said(model=5), "model", "model: must be a string or null, not 5"),
    (said(model=["m"]), "model", "model: must be a string or null, not a list"),
    (said(temperature=3), "temperature", "temperature: must be at most 2, not 3"),
    (said(temperature=-0.5), "temperature", "temperature: must be at least 0, not -0.5"),
    (said(temperature="hot"), "temperature", 'temperature: must be a number or null, not "hot"'),
    (said(temperature=True), "temperature", "temperature: must be a number or null, not true"),
    (said(top_p=1.5), "top_p", "top_p: must be at most 1, not 1.5"),
    (said(frequency_penalty=-2.5), "frequency_penalty", "frequency_penalty: must be at least -2, not -2.5"),
    (said(max_tokens=-1), "max_tokens", "max_tokens: must be at least 1, not -1"),
    (said(max_tokens=0), "max_tokens", "max_tokens: must be at least 1, not 0"),
    (said(max_tokens=10**9), "max_tokens", "max_tokens: must be at most 100000000, not 1000000000"),
    (said(max_tokens=10**30), "max_tokens", f"max_tokens: must be at most 100000000, not {10**30}"),
    (said(max_tokens=2.5), "max_tokens", "max_tokens: must be a whole number or null, not 2.5"),
    (said(max_tokens="12"), "max_tokens", 'max_tokens: must be a whole number or null, not "12"'),
    (said(max_completion_tokens=-1), "max_completion_tokens", "max_completion_tokens: must be at least 1, not -1"),
    (said(n=0), "n", "n: must be at least 1, not 0"),
    (said(n=129), "n", "n: must be at most 128, not 129"),
    (said(stream="yes"), "stream", 'stream: must be true or false or null, not "yes"'),
    (
        said(stream_options={"include_usage": 1}),
        "stream_options.include_usage",
        "stream_options.include_usage: must be true or false or null, not 1",
    ),
    (said(stop=5), "stop", "stop: must be a string, a list or null, not 5"),
    (said(stop=["a", 5]), "stop[1]", "stop[1]: must be a string, not 5"),
    (said(logit_bias={"a": "b"}), "logit_bias[...]", "logit_bias[...]: must be a number, not a string"),
    (said(tools={}), "tools", "tools: must be a list or null, not an object"),
    (tool(), "tools[1].type", "tools[1].type is missing"),
    (tool(type="function"), "tools[1].function", "tools[1].function is missing"),
    (tool(type="function", function={}), "tools[1].function.name", "tools[1].function.name is missing"),
    (
        tool(type="function", function={"name": ""}),
        "tools[1].function.name",
        "tools[1].function.name: must not be empty",
    ),
    (tool(type="custom"), "tools[1].custom", "tools[1].custom is missing"),
    (
        {"messages": [*USER, {"role": "assistant", "tool_calls": [{"id": "c"}]}]},
        "messages[1].tool_calls[0].function",
        "messages[1].tool_calls[0].function is missing",
    ),
    (
        {"messages": [*USER, {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom"}]}]},
        "messages[1].tool_calls[0].custom",
        "messages[1].tool_calls[0].custom is missing",
    ),
    (said(response_format={}), "response_format.type", "response_format.type is missing"),
    (
        said(response_format={"type": "json_schema"}),
        "response_format.json_schema",
        "response_format.json_schema is missing",
    ),
    (
        said(response_format={"type": "json_schema", "json_schema": {"name": "r", "schema": []}}),
        "response_format.json_schema.schema",
        "response_format.json_schema.schema: must be an object or null, not a list",
    ),
    (said(metadata=[]), "metadata", "metadata: must be an object or null, not a list"),
    (said(user="x" * 10, seed=1.5), "seed", "seed: must be a whole number or null, not 1.5"),
]


@pytest.mark.parametrize(("body", "param", "message"), BAD, ids=[message[:60] for _, _, message in BAD])
def test_case_43_a_mistake_is_named(body: dict[str, Any], param: str, message: str) -> None:
    with pytest.raises(GatewayError) as caught:
        OpenAIChat().open(json.dumps({"model": "m"} | body).encode())
    assert (caught.value.message, caught.value.param) == (message, param)
    status, answer = openai_errors.body(caught.value, "openai")
    assert status == 400
    error = json.loads(answer)["error"]
    assert error["type"] == "invalid_request_error"
    assert error["code"] == ("missing_required_parameter" if message.endswith("is missing") else None)


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0},
        {"temperature": 2},
        {"max_tokens": 1},
        {"max_tokens": None},
        {"model": None},
        {"n": 128},
        {"stop": []},
        {"stop": ["a"] * 4},
        {"tools": [{"type": "web_search"}, {"type": "custom", "custom": {"name": "f"}}]},
        {"anything": {"else": [1]}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "r"}}},
        {
            "messages": [
                {"role": "system", "content": ""},
                {"role": "assistant"},
                {"role": "tool", "tool_call_id": "c"},
            ]
        },
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [{"role": "user", "content": "x", "future": 1}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f"}}]}]},
    ],
    ids=str,
)
def test_what_is_not_wrong_passes(fields: dict[str, Any]) -> None:
    check({"messages": USER, **fields})


def test_the_first_of_many_mistakes_is_told() -> None:
    with pytest.raises(GatewayError) as caught:
        check({"messages": USER, "temperature": 3, "n": 0})
    assert caught.value.param in ("temperature", "n")
