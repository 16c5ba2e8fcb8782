"""OpenAI's requests: what is read from them, and what the real one would refuse."""

import base64
import json
from typing import Any

import pytest

from conflux.sim.ask import Ask, BadRequest, Limits, Offered
from conflux.sim.openai_chat_request import read
from conflux.sim.quirks import Quirks

PNG = base64.b64encode(b"\x89PNG" + b"x" * 64).decode()
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "sunny"}
USER = {"role": "user", "content": "hi"}


def ask(quirks: Quirks | None = None, salt: int = 0, **fields: Any) -> Ask:
    body = {"model": "m", "messages": [USER], **fields}
    return read(json.dumps(body).encode(), "/p", salt, quirks or Quirks())


def test_the_least_request() -> None:
    made = ask()
    assert (made.model, made.text, made.stream, made.choices, made.path) == ("m", "hi", False, 1, "/p")
    assert made.tools == Offered() and made.limits == Limits()
    assert (made.schema, made.json_object, made.effort, made.logprobs) == (None, False, None, None)
    assert made.prompt_tokens == 1 + 4


def test_null_is_not_there() -> None:
    assert ask(stop=None, tools=None, max_tokens=None, n=None, response_format=None) == ask()


def test_the_last_user_message_speaks_and_what_follows_are_results() -> None:
    old = [{"role": "user", "content": "old"}, CALLING, {**RESULT, "content": "old result"}]
    made = ask(messages=[{"role": "system", "content": "be"}, *old, USER, CALLING, RESULT])
    assert (made.text, made.system, made.results, made.step) == ("hi", "be", ("sunny",), 1)
    assert ask(messages=[*old, USER]).results == ()


def test_parts_of_every_kind() -> None:
    content = [
        {"type": "text", "text": "see "},
        {"type": "text", "text": "this"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAAAA=="}},
    ]
    made = ask(messages=[{"role": "user", "content": content}])
    assert made.text == "see this"
    assert made.attachments == (
        "image image/png of 68 bytes",
        "image at https://example.com/a.png",
        "audio wav of 3 bytes",
        "file a.pdf application/pdf of 4 bytes",
    )
    assert made.prompt_tokens == 2 + 4 + 4 * 85


def test_limits_and_manners() -> None:
    made = ask(max_completion_tokens=7, stop="x", n=2, logprobs=True, top_logprobs=3, reasoning_effort="low")
    assert (made.limits, made.choices, made.logprobs, made.effort) == (Limits(7, ("x",)), 2, 3, "low")
    assert ask(max_tokens=8, stop=["x", "y"]).limits == Limits(8, ("x", "y"))
    assert ask(logprobs=True).logprobs == 0


@pytest.mark.parametrize(
    ("fields", "effort"),
    [
        ({"reasoning_effort": "none"}, None),
        ({"reasoning": {"effort": "high"}}, "high"),
        ({"chat_template_kwargs": {"thinking": True}}, "medium"),
        ({"chat_template_kwargs": {"enable_thinking": True}}, "medium"),
        ({"chat_template_kwargs": {"enable_thinking": False}}, None),
    ],
)
def test_thinking_is_asked_for_in_several_manners(fields: dict[str, Any], effort: str | None) -> None:
    assert ask(**fields).effort == effort


def test_tools_and_how_free_they_are() -> None:
    schemas = {"f": {"type": "object"}}
    forced = {"type": "function", "function": {"name": "f"}}
    assert ask(tools=[FUNCTION]).tools == Offered(schemas)
    assert ask(tools=[FUNCTION], tool_choice="required").tools == Offered(schemas, forced="")
    assert ask(tools=[FUNCTION], tool_choice=forced).tools == Offered(schemas, forced="f")
    assert ask(tools=[FUNCTION], tool_choice="none").tools == Offered(schemas, forbidden=True)
    assert ask(tools=[FUNCTION], parallel_tool_calls=False).tools == Offered(schemas, parallel=False)
    assert ask(tools=[FUNCTION]).prompt_tokens > ask().prompt_tokens


def test_response_formats() -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "integer"}}}
    assert ask(response_format=shape).schema == {"type": "integer"}
    assert ask(response_format={"type": "json_object"}).json_object
    assert ask(response_format={"type": "text"}).schema is None


def test_the_seed_is_the_questions_not_its_delivery() -> None:
    assert ask(stream=True, stream_options={"include_usage": True}).seed == ask().seed
    assert ask(temperature=1).seed != ask().seed
    assert ask(salt=1).seed != ask().seed
    turned = read(b'{"messages":[{"content":"hi","role":"user"}],"model":"m"}', "/p", 0, Quirks())
    assert turned.seed == ask().seed


BAD: list[tuple[dict[str, Any], str | None]] = [
    ({"model": None}, "model"),
    ({"model": 3}, "model"),
    ({"messages": None}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": "hi"}, "messages"),
    ({"messages": ["hi"]}, "messages[0]"),
    ({"messages": [{"role": "king", "content": "x"}]}, "messages[0]"),
    ({"messages": [{"role": "user"}]}, "messages[0]"),
    ({"messages": [{"role": "user", "content": 3}]}, "messages[0]"),
    ({"messages": [{"role": "user", "content": []}]}, "messages[0]"),
    ({"messages": [{"role": "user", "content": ["x"]}]}, "messages[0]"),
    ({"messages": [{"role": "user", "content": [{"type": "video", "video": {}}]}]}, "messages[0]"),
    ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0]"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]}, "messages[0]"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "messages[0]"),
    ({"messages": [{"role": "system", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]},
     "messages[0]"),
    ({"messages": [{"role": "assistant", "content": None}]}, "messages[0]"),
    ({"messages": [USER, RESULT]}, "messages[1]"),
    ({"messages": [USER, CALLING, USER]}, "messages[2]"),
    ({"messages": [USER, CALLING]}, "messages"),
    ({"messages": [USER, CALLING, RESULT, RESULT]}, "messages[3]"),
    ({"messages": [USER, {**CALLING, "tool_calls": []}]}, "messages[1]"),
    ({"messages": [USER, {**CALLING, "tool_calls": [CALL, CALL]}]}, "messages[1]"),
    ({"messages": [USER, {**CALLING, "tool_calls": [{**CALL, "id": None}]}]}, "messages[1]"),
    ({"messages": [USER, {**CALLING, "tool_calls": [{**CALL, "function": {"name": "f", "arguments": {}}}]}]},
     "messages[1]"),
    ({"stream": "yes"}, "stream"),
    ({"stream_options": {"include_usage": True}}, "stream_options"),
    ({"n": 0}, "n"),
    ({"n": True}, "n"),
    ({"n": 1.5}, "n"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_tokens": "9"}, "max_tokens"),
    ({"max_tokens": 9, "max_completion_tokens": 9}, "max_tokens"),
    ({"temperature": 3}, "temperature"),
    ({"temperature": True}, "temperature"),
    ({"top_p": -0.1}, "top_p"),
    ({"stop": ["a"] * 5}, "stop"),
    ({"stop": [1]}, "stop"),
    ({"top_logprobs": 3}, "top_logprobs"),
    ({"tools": []}, "tools"),
    ({"tools": [{"type": "function"}]}, "tools"),
    ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools"),
    ({"tools": [{"type": "function", "function": {"name": "x" * 65}}]}, "tools"),
    ({"tools": [{"type": "function", "function": {"name": "x", "parameters": 3}}]}, "tools"),
    ({"tools": [FUNCTION, FUNCTION]}, "tools"),
    ({"tools": [{"type": "web_search"}]}, "tools"),
    ({"tool_choice": "auto"}, "tool_choice"),
    ({"parallel_tool_calls": True}, "parallel_tool_calls"),
    ({"tools": [FUNCTION], "tool_choice": "maybe"}, "tool_choice"),
    ({"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "g"}}}, "tool_choice"),
    ({"tools": [FUNCTION], "tool_choice": {"type": "function", "function": 3}}, "tool_choice"),
    ({"response_format": {"type": "xml"}}, "response_format"),
    ({"response_format": {"type": "json_schema"}}, "response_format"),
    ({"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": 3}}}, "response_format"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "param"), BAD, ids=[json.dumps(fields)[:60] for fields, _ in BAD])
def test_what_the_real_one_refuses(fields: dict[str, Any], param: str | None) -> None:
    with pytest.raises(BadRequest) as caught:
        ask(**fields)
    assert caught.value.param == param
    assert str(caught.value)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"3", b"\xff", b'{"model": NaN}', b"[" * 100_000])
def test_what_is_no_request(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        read(raw, "/p", 0, Quirks())


def test_only_assistants_call() -> None:
    assert ask(messages=[{**USER, "tool_calls": 3}]).prompt_tokens == ask().prompt_tokens


def test_fields_pass_unless_a_quirk_refuses_them() -> None:
    assert ask(top_k=3).body["top_k"] == 3
    with pytest.raises(BadRequest, match="Unrecognized request argument supplied: top_k"):
        ask(Quirks(refuses=("top_k",)), top_k=3)
