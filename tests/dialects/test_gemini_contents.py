"""Conversations as contents: order, roles, attachments, signatures."""

from typing import Any

import pytest

from conflux.dialects.base import Shape
from conflux.dialects.gemini_contents import write_contents
from conflux.dialects.gemini_ids import sign
from conflux.neutral.errors import GatewayError
from conflux.neutral.request import (
    Audio,
    File,
    Image,
    Message,
    Opaque,
    Part,
    Refusal,
    Request,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

HI = Message(role=Role.USER, parts=(Text(text="Hi"),))


def said(role: Role, *parts: Part) -> Message:
    return Message(role=role, parts=parts)


def contents(*messages: Message, **quirks: Any) -> list[dict[str, Any]]:
    shape = Shape(model="gemini-3-pro", quirks=quirks)
    return write_contents(Request(dialect="openai-chat", messages=messages), shape)[1]


def call(name: str, number: int) -> ToolCall:
    return ToolCall(id=f"c{number}", name=name, arguments=f'{{"n":{number}}}')


def result(number: int, text: str = "r") -> Message:
    return said(Role.TOOL, ToolResult(call_id=f"c{number}", content=(Text(text=f"{text}{number}"),)))


def test_case_14_instructions_become_one() -> None:
    messages = (said(Role.SYSTEM, Text(text="a")), HI, said(Role.DEVELOPER, Text(text="b")))
    system, found, _ = write_contents(Request(dialect="openai-chat", messages=messages), Shape(model="m"))
    assert system == [{"text": "a"}, {"text": "b"}]
    assert found == [{"role": "user", "parts": [{"text": "Hi"}]}]


def test_what_says_nothing_after_results_leaves_no_empty_turn() -> None:
    foreign = Opaque(dialect="anthropic-messages", kind="server_tool_use", value={})
    found = contents(HI, said(Role.ASSISTANT, call("a", 1)), said(Role.USER, foreign), result(1),
                     said(Role.USER, Text(text="on")))  # fmt: skip
    assert all(one["parts"] for one in found) and found[-1]["parts"] == [{"text": "on"}]


def test_case_08_and_09_results_stand_after_their_calls_in_their_order() -> None:
    found = contents(
        HI, said(Role.ASSISTANT, call("a", 1), call("b", 2)), result(2), said(Role.USER, Text(text="wait")), result(1)
    )
    assert [list(part) for one in found for part in one["parts"]] == [
        ["text"], ["functionCall"], ["functionCall"], ["functionResponse"], ["functionResponse"], ["text"],
    ]  # fmt: skip
    assert [part["functionResponse"]["name"] for part in found[2]["parts"]] == ["a", "b"]
    assert found[3] == {"role": "user", "parts": [{"text": "wait"}]}


def test_case_06_images_of_a_result_follow_all_results() -> None:
    image = Image(data="AAAA", media_type="image/png")
    first = said(Role.TOOL, ToolResult(call_id="c1", content=(Text(text="see"), image)))
    found = contents(HI, said(Role.ASSISTANT, call("a", 1), call("b", 2)), first, result(2))
    assert [next(iter(part)) for part in found[2]["parts"]] == ["functionResponse", "functionResponse", "inlineData"]


def test_a_result_that_answers_nothing_is_refused() -> None:
    with pytest.raises(GatewayError, match="c9"):
        contents(HI, said(Role.ASSISTANT, call("a", 1)), result(9))


@pytest.mark.parametrize(
    ("text", "error", "response"),
    [
        ("fine", False, {"output": "fine"}),
        ("", False, {"output": ""}),
        ('{"a": 1}', False, {"a": 1}),
        ("{not json", False, {"output": "{not json"}),
        ("no", True, {"error": "no"}),
    ],
)
def test_results(text: str, error: bool, response: dict[str, Any]) -> None:
    answer = said(Role.TOOL, ToolResult(call_id="c1", content=(Text(text=text),), is_error=error))
    found = contents(HI, said(Role.ASSISTANT, call("a", 1)), answer)
    assert found[2]["parts"] == [{"functionResponse": {"name": "a", "response": response}}]


@pytest.mark.parametrize(
    ("arguments", "args"), [("", {}), ('{"a":1}', {"a": 1}), ("[1]", {"input": "[1]"}), ('{"a', {"input": '{"a'})]
)
def test_arguments(arguments: str, args: dict[str, Any]) -> None:
    asked = said(Role.ASSISTANT, ToolCall(id="c1", name="f", arguments=arguments))
    assert contents(HI, asked)[1]["parts"] == [{"functionCall": {"name": "f", "args": args}}]


def test_case_28_a_signature_goes_back_with_its_call() -> None:
    signed = ToolCall(id=sign("c1", "c2ln+/=="), name="f", arguments="{}")
    answer = said(Role.TOOL, ToolResult(call_id=signed.id, content=()))
    found = contents(HI, said(Role.ASSISTANT, signed), answer, call_ids=True, signed_call_models="gemini-3")
    assert found[1]["parts"] == [
        {"functionCall": {"name": "f", "args": {}, "id": "c1"}, "thoughtSignature": "c2ln+/=="}
    ]
    assert found[2]["parts"][0]["functionResponse"]["id"] == "c1"


def test_case_28_unsigned_calls_are_marked_where_signatures_are_demanded() -> None:
    messages = (HI, said(Role.ASSISTANT, call("a", 1), call("b", 2)), result(1), result(2))
    marked = contents(*messages, signed_call_models="gemini-3")[1]["parts"]
    assert "thoughtSignature" in marked[0] and "thoughtSignature" not in marked[1]
    assert "thoughtSignature" not in contents(*messages, signed_call_models="gemini-4")[1]["parts"][0]


def test_case_25_only_its_own_thoughts_go_to_gemini() -> None:
    own = Thinking(text="hm", signature="c2ln", issuer="gemini")
    loose = Thinking(text="", signature="c2lnMg==", issuer="gemini")
    other = Thinking(text="secret", signature="x", issuer="anthropic-messages")
    found = contents(HI, said(Role.ASSISTANT, other, own, loose, Text(text="yes")))
    assert found[1]["parts"] == [
        {"text": "hm", "thought": True, "thoughtSignature": "c2ln"},
        {"text": "yes", "thoughtSignature": "c2lnMg=="},
    ]


@pytest.mark.parametrize(
    ("part", "wire"),
    [
        (Image(data="AAAA"), {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
        (Image(url="https://a/b.webp?x"), {"fileData": {"fileUri": "https://a/b.webp?x", "mimeType": "image/webp"}}),
        (Audio(data="AAAA", format="mp3"), {"inlineData": {"mimeType": "audio/mpeg", "data": "AAAA"}}),
        (File(data="AAAA", name="a.pdf"), {"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}}),
        (File(data="Hi", media_type="text/plain"), {"inlineData": {"mimeType": "text/plain", "data": "SGk="}}),
        (File(url="https://a/b", media_type="video/mp4"),
         {"fileData": {"fileUri": "https://a/b", "mimeType": "video/mp4"}}),
        (Refusal(text="no"), {"text": "no"}),
        (Opaque(dialect="gemini", kind="executable_code", value={"executableCode": {}}), {"executableCode": {}}),
    ],
)  # fmt: skip
def test_case_32_parts(part: Part, wire: dict[str, Any]) -> None:
    assert contents(said(Role.USER, part))[0]["parts"] == [wire]


def test_what_has_no_place() -> None:
    with pytest.raises(GatewayError, match="file_id"):
        contents(said(Role.USER, File(file_id="f")))
    with pytest.raises(GatewayError, match="instruction"):
        contents(said(Role.SYSTEM, Image(data="A")))
    with pytest.raises(GatewayError, match="at least one"):
        contents(said(Role.SYSTEM, Text(text="a")))


def test_hints_are_named() -> None:
    message = Message(role=Role.USER, name="ann", parts=(
        Text(text="a", cache={"type": "ephemeral"}), Image(data="A", detail="high"), File(data="A", name="x.pdf"),
    ))  # fmt: skip
    found = write_contents(Request(dialect="openai-chat", messages=(message,)), Shape(model="m"))
    assert found[2] == ["cache_control", "detail", "filename", "messages.name"]


def test_neighbours_of_one_role_are_one_content() -> None:
    assert contents(HI, HI) == [{"role": "user", "parts": [{"text": "Hi"}, {"text": "Hi"}]}]


def test_a_file_that_is_nowhere_is_refused() -> None:
    with pytest.raises(GatewayError, match="a file needs its data"):
        contents(said(Role.USER, File(name="a.pdf")))
