"""Requests of other dialects, made fit for the chat completions wire: nothing is lost without its name."""

import json
from typing import Any

import pytest

from conflux.dialects import DIALECTS
from conflux.dialects.base import Shape, Written
from conflux.neutral.errors import GatewayError
from tests.dialects.messages import MESSAGES, body

CHAT = DIALECTS["openai-chat"]
UP = Shape(model="up", reasons=True)
CACHE = {"type": "ephemeral"}
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}


def write(shape: Shape = UP, **fields: Any) -> Written:
    return CHAT.write_request(MESSAGES.read_request(MESSAGES.open(body(**fields))), shape)


def sent(shape: Shape = UP, **fields: Any) -> Any:
    return json.loads(write(shape, **fields).body)


def user(*blocks: Any, role: str = "user") -> Any:
    return {"role": role, "content": list(blocks)}


def text(said: str, **more: Any) -> Any:
    return {"type": "text", "text": said, **more}


def call(name: str = "f", call_id: str = "t1") -> Any:
    return user({"type": "tool_use", "id": call_id, "name": name, "input": {}}, role="assistant")


def result(content: Any, call_id: str = "t1", **more: Any) -> Any:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def test_case_12_and_14_what_is_said_first_is_one_message() -> None:
    found = write(system=[text("a", cache_control=CACHE), text("b")], messages=[user(text("c", cache_control=CACHE))])
    assert json.loads(found.body)["messages"] == [
        {"role": "system", "content": "a\n\nb"},
        {"role": "user", "content": "c"},
    ]
    assert found.dropped == ("cache_control",)


def test_case_13_what_is_said_later_is_the_users_unless_the_provider_knows_better() -> None:
    messages = [user(text("a")), {"role": "system", "content": "b"}, call(), user(result("r")),
                {"role": "system", "content": "c"}]  # fmt: skip
    found = sent(messages=messages)["messages"]
    assert [one["role"] for one in found] == ["user", "assistant", "tool", "user"]
    assert found[0]["content"][1] == {"type": "text", "text": "<system>\nb\n</system>"}
    assert found[3]["content"] == "<system>\nc\n</system>"
    kept = sent(Shape(model="up", quirks={"system_anywhere": True}), messages=messages)["messages"]
    assert [one["role"] for one in kept] == ["user", "system", "assistant", "tool", "system"]


def test_case_06_images_of_results_come_with_the_users_next_words() -> None:
    found = sent(messages=[user(text("a")), call(), user(result([text("r"), PNG]), text("b"))])["messages"]
    assert found[2] == {"role": "tool", "tool_call_id": "t1", "content": "r"}
    assert [part["type"] for part in found[3]["content"]] == ["text", "image_url", "text"] and len(found) == 4


def test_a_failed_call_is_told_so() -> None:
    found = sent(messages=[user(text("a")), call(), user(result("no such file", is_error=True))])["messages"]
    assert found[2]["content"] == "Error:\nno such file"


def test_case_10_long_ids_are_the_same_short_ones() -> None:
    long = "toolu_" + "x" * 60
    found = sent(messages=[user(text("a")), call(call_id=long), user(result("r", long))])["messages"]
    assert found[1]["tool_calls"][0]["id"] == found[2]["tool_call_id"] and len(found[2]["tool_call_id"]) <= 40


def test_case_27_thoughts_go_back_to_who_thinks_aloud_and_signed_ones_to_nobody_else() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": ""}
    messages = [user(text("a")), user(thought, *call()["content"], role="assistant"), user(result("r"))]
    found = write(messages=messages)
    assert json.loads(found.body)["messages"][1]["reasoning_content"] == "hm" and found.dropped == ()
    refuses = write(Shape(model="up", quirks={"replays_reasoning": False}), messages=messages)
    assert b"hm" not in refuses.body and refuses.dropped == ("thinking",)
    thought["signature"] = "c2ln"
    signed = write(messages=messages)
    assert b"hm" not in signed.body and set(signed.dropped) == {"thinking", "reasoning signature"}


def test_case_32_documents() -> None:
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AA"},
           "citations": {"enabled": True}, "context": "c"}  # fmt: skip
    plain = {"type": "document", "title": "notes", "source": {"type": "text", "data": "d"}}
    found = write(messages=[user(pdf, plain)])
    assert json.loads(found.body)["messages"][0]["content"] == [
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA", "filename": "document.pdf"}},
        {"type": "text", "text": "notes:\nd"},
    ]
    assert found.dropped == ("citations", "context")


@pytest.mark.parametrize(
    ("block", "named"),
    [
        ({"type": "document", "source": {"type": "url", "url": "https://a/"}}, "address"),
        ({"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "a"}]}}, "document"),
        ({"type": "container_upload", "file_id": "f"}, "container_upload"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(block: Any, named: str) -> None:
    with pytest.raises(GatewayError, match=named) as caught:
        write(messages=[user(block)])
    assert caught.value.param == "messages"


def test_what_was_found_arrives_as_it_was_found() -> None:
    block = {"type": "search_result", "source": "s", "title": "t", "content": [text("found")]}
    assert json.loads(sent(messages=[user(block)])["messages"][0]["content"]) == block
    reference = {"type": "tool_reference", "tool_name": "x"}
    found = sent(messages=[user(text("a")), call(), user(result([reference]))])["messages"]
    assert json.loads(found[2]["content"]) == reference


@pytest.mark.parametrize(
    ("fields", "shape", "effort", "dropped"),
    [
        ({"output_config": {"effort": "low"}}, UP, "low", ()),
        ({"output_config": {"effort": "max"}}, UP, "high", ("reasoning effort",)),
        ({"output_config": {"effort": "max"}}, Shape(model="up", quirks={"efforts": ["high", "max"]}), "max", ()),
        ({"output_config": {"effort": "low"}}, Shape(model="up", quirks={"efforts": ["high"]}), "high",
         ("reasoning effort",)),
        ({"output_config": {"effort": "low"}}, Shape(model="up", reasons=False), None, ("reasoning effort",)),
        ({"thinking": {"type": "adaptive"}}, UP, None, ()),
        ({"thinking": {"type": "enabled", "budget_tokens": 6000}}, UP, "medium", ()),
        ({"thinking": {"type": "disabled"}}, UP, None, ("reasoning effort",)),
        ({"thinking": {"type": "disabled"}}, Shape(model="up", quirks={"efforts": ["none", "low"]}), "none", ()),
    ],
)  # fmt: skip
def test_how_much_to_think_is_a_hint(fields: Any, shape: Shape, effort: str | None, dropped: Any) -> None:
    found = write(shape, **fields)
    assert json.loads(found.body).get("reasoning_effort") == effort and found.dropped == dropped


def test_other_hints_are_left_out_and_named() -> None:
    tool = {"name": "f", "input_schema": {}, "cache_control": CACHE, "defer_loading": True}
    found = write(Shape(model="up", quirks={"top_k": False}), top_k=3, metadata={"user_id": "u" * 70}, tools=[tool],
                  cache_control=CACHE, mcp_servers=[])  # fmt: skip
    assert found.dropped == ("cache_control", "mcp_servers", "tools.defer_loading", "top_k", "user")
    assert set(json.loads(found.body)) == {"model", "messages", "tools", "max_tokens"}
