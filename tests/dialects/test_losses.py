"""Fields that only the client's own dialect understands are named by every other."""

import pytest
from msgspec.structs import replace

from conflux.dialects.losses import callable_tools, parts, unsaid
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.request import Message, Opaque, Request, Role, Thinking, Tool, ToolChoice

REQUEST = Request(dialect="openai-chat", messages=(), extra={"store": True, "prediction": {}})


def test_foreign_fields_are_named_in_order() -> None:
    assert unsaid(REQUEST, "gemini") == ("prediction", "store")


def test_own_fields_are_not_lost() -> None:
    assert unsaid(REQUEST, "openai-chat") == ()


def test_parts_that_only_their_own_dialect_knows_are_named() -> None:
    parts_of = (
        Opaque(dialect="openai-responses", kind="web_search_call", value={}),
        Thinking(text="t", signature="s", issuer="anthropic-messages"),
        Thinking(text="unsigned"),
    )
    request = Request(dialect="openai-responses", messages=(Message(role=Role.ASSISTANT, parts=parts_of),))
    assert parts(request, "openai-chat") == ("reasoning signature", "web_search_call")
    assert parts(request, "openai-responses") == ("reasoning signature",)
    assert parts(request, "anthropic-messages") == ("web_search_call",)


def test_case_41_tools_of_a_provider_are_left_out_where_offered_and_refused_where_forced() -> None:
    tools = (Tool(name="web_search", kind="web_search"), Tool(name="look"))
    request = Request(dialect="openai-responses", messages=(), tools=tools)
    assert callable_tools(request) == (tools[1:], ("tools.web_search",))
    assert callable_tools(replace(request, tools=tools[1:])) == (tools[1:], ())
    for choice, offered in ((ToolChoice("named", "web_search"), tools), (ToolChoice("required"), tools[:1])):
        with pytest.raises(GatewayError) as found:
            callable_tools(replace(request, tools=offered, tool_choice=choice))
        assert (found.value.kind, found.value.param) == (Kind.UNSUPPORTED, "tool_choice")
        assert "web_search" in found.value.message
    assert callable_tools(replace(request, tool_choice=ToolChoice("required")))[0] == tools[1:]
