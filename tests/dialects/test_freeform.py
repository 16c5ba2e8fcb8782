"""Freeform tools over protocols without them: offered, replayed and read back as functions of one text."""

import json

import pytest

from conflux.dialects.freeform import SCHEMA, FreeformReader, as_functions, text_of, tools_of
from conflux.dialects.openai_chat_reader import ChatReader
from conflux.neutral.events import BlockEnded, ToolBegan, ToolDelta
from conflux.neutral.request import Message, Request, Role, Text, Tool, ToolCall, ToolResult

GRAMMAR = {"type": "custom", "name": "apply_patch", "format": {"type": "grammar", "syntax": "lark", "definition": "G"}}
PATCH = '*** Begin Patch\n*** Add File: "ä".txt\n+1\n*** End Patch'
REQUEST = Request(
    dialect="openai-responses",
    messages=(
        Message(
            role=Role.ASSISTANT,
            parts=(ToolCall(id="c", name="apply_patch", arguments=PATCH, custom=True), Text(text="t")),
        ),
        Message(role=Role.TOOL, parts=(ToolResult(call_id="c", content=(Text(text="ok"),), custom=True),)),
    ),
    tools=(Tool(name="apply_patch", description="Edit", kind="custom", raw=GRAMMAR), Tool(name="look")),
)


def test_case_33_a_freeform_tool_is_offered_as_a_function_and_its_history_replayed() -> None:
    found = as_functions(REQUEST)
    patch, look = found.tools
    assert (patch.kind, patch.schema, look) == ("function", SCHEMA, REQUEST.tools[1])
    assert patch.description == "Edit\n\n`input` must follow this lark grammar:\nG"
    call, text = found.messages[0].parts
    assert isinstance(call, ToolCall) and not call.custom and json.loads(call.arguments) == {"input": PATCH}
    assert text == Text(text="t")
    assert found.messages[1].parts == (ToolResult(call_id="c", content=(Text(text="ok"),)),)


def test_what_has_no_grammar_keeps_its_words() -> None:
    for raw in (None, {"type": "custom", "custom": {"name": "x", "format": {"type": "text"}}}):
        tool = Tool(name="x", description="Say", kind="custom", raw=raw)
        assert as_functions(Request(dialect="d", messages=(), tools=(tool,))).tools[0].description == "Say"


def test_the_grammar_of_a_chat_tool_is_found_too() -> None:
    raw = {
        "type": "custom",
        "custom": {"format": {"type": "grammar", "grammar": {"syntax": "regex", "definition": "a"}}},
    }
    tool = Tool(name="x", kind="custom", raw=raw)
    found = as_functions(Request(dialect="d", messages=(), tools=(tool,)))
    assert found.tools[0].description == "`input` must follow this regex grammar:\na"


def test_tools_that_were_only_called_are_known() -> None:
    assert tools_of(REQUEST) == {"apply_patch"}
    assert tools_of(Request(dialect="d", messages=REQUEST.messages)) == {"apply_patch"}
    assert tools_of(Request(dialect="d", messages=(), tools=(Tool(name="look"),))) == frozenset()


def test_case_33_its_calls_come_back_as_free_text() -> None:
    arguments = json.dumps({"input": PATCH})
    call = {"index": 0, "id": "c1", "function": {"name": "apply_patch", "arguments": arguments}}
    other = {"index": 1, "id": "c2", "function": {"name": "look", "arguments": "{}"}}
    body = json.dumps({"choices": [{"message": {"tool_calls": [call, other]}, "finish_reason": "tool_calls"}]})
    reader = FreeformReader(ChatReader(), frozenset({"apply_patch"}))
    events = reader.whole(body.encode())
    assert events[1:7] == [
        ToolBegan(call_id="c1", name="apply_patch", custom=True),
        ToolDelta(arguments=PATCH),
        BlockEnded(),
        ToolBegan(call_id="c2", name="look"),
        ToolDelta(arguments="{}"),
        BlockEnded(),
    ]
    assert reader.tally.finished


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"input": "a\\nb"}', "a\nb"),
        ('{"input": "cut of', "cut of"),
        ('{"input": "a"', "a"),
        ('{"other": 1}', '{"other": 1}'),
        ('{"input": 1}', '{"input": 1}'),
        ("*** plain", "*** plain"),
        ("", ""),
    ],
)
def test_as_much_of_the_text_as_is_there(arguments: str, text: str) -> None:
    assert text_of(arguments) == text
