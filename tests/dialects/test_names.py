"""Names fitted to a wire, and restored."""

import re

from hypothesis import given
from hypothesis import strategies as st

from conflux.dialects.names import fit, short
from conflux.neutral.request import Message, Request, Role, Tool, ToolCall, ToolChoice

LONG = "mcp__a_server_with_a_long_name__" + "a_tool_with_a_long_name_too" * 2


@given(st.text(min_size=1, max_size=200), st.text(min_size=1, max_size=200))
def test_case_11_every_name_becomes_one_that_fits_and_no_two_the_same(name: str, other: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", short(name))
    assert short(short(name)) == short(name) == short(name)
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        assert short(name) == name
    elif name != other and not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", other):
        assert short(name) != short(other)


def test_case_11_tools_calls_and_choice_change_alike_and_are_known_by_their_names_again() -> None:
    request = Request(
        dialect="d",
        messages=(Message(role=Role.ASSISTANT, parts=(ToolCall(id="c", name=LONG, arguments="{}"),)),),
        tools=(Tool(name=LONG), Tool(name="look")),
        tool_choice=ToolChoice(mode="named", name=LONG),
    )
    found, names = fit(request)
    (new,) = names
    assert names[new] == LONG and new == short(LONG)
    call = found.messages[0].parts[0]
    assert isinstance(call, ToolCall) and call.name == new
    assert [tool.name for tool in found.tools] == [new, "look"]
    assert found.tool_choice == ToolChoice(mode="named", name=new)


def test_what_fits_is_left_alone() -> None:
    request = Request(dialect="d", messages=(), tools=(Tool(name="look"),))
    assert fit(request) == (request, {})
