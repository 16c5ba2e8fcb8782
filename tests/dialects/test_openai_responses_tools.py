"""Tools of a Responses request: groups, tools of providers, choices."""

from typing import Any

import pytest

from conflux.dialects.openai_responses_tools import choice_of, flat, tools_of
from conflux.dialects.openai_responses_wire import Body
from conflux.neutral.errors import GatewayError
from conflux.neutral.request import ToolChoice

FIND = {"type": "function", "name": "find", "parameters": {"type": "object"}, "strict": True}


def tools(*found: Any, choice: Any = None) -> Any:
    return tools_of(Body(input="x", tools=list(found), tool_choice=choice))


def test_groups_are_flattened_and_know_both_names() -> None:
    found = tools({"type": "namespace", "name": "crm", "tools": [FIND]}, {"type": "web_search"}, FIND)
    assert [(tool.name, tool.kind, tool.namespace) for tool in found] == [
        ("crm__find", "function", ("crm", "find")), ("web_search", "web_search", None), ("find", "function", None),
    ]  # fmt: skip
    assert found[0].strict is True and found[0].schema == {"type": "object"}


def test_a_group_that_ends_in_underscores_gets_no_more() -> None:
    assert (flat("mcp__x__", "f"), flat("x", "f"), flat(None, "f")) == ("mcp__x__f", "x__f", "f")


def test_the_clients_shell_is_a_function_elsewhere() -> None:
    (shell,) = tools({"type": "local_shell"})
    assert (shell.name, shell.kind) == ("local_shell", "function") and "command" in shell.schema["properties"]


def test_allowed_tools_leave_no_others() -> None:
    choice = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "find"}]}
    other = {"type": "function", "name": "other"}
    assert [tool.name for tool in tools(FIND, other, {"type": "web_search"}, choice=choice)] == ["find"]
    assert choice_of(choice) == ToolChoice("required")


@pytest.mark.parametrize(
    ("choice", "read"),
    [
        (None, None),
        ("none", ToolChoice("none")),
        ({"type": "function", "name": "f"}, ToolChoice("named", "f")),
        ({"type": "function", "name": "f", "namespace": "x"}, ToolChoice("named", "x__f")),
        ({"type": "web_search"}, ToolChoice("named", "web_search")),
    ],
)
def test_case_31_choices(choice: Any, read: ToolChoice | None) -> None:
    assert choice_of(choice) == read


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ([{"name": "x"}], r"tools\[0\].type"),
        ([{"type": "function"}], r"tools\[0\].name"),
        ([{"type": "custom", "name": 7}], r"tools\[0\].name"),
        ([{"type": "function", "name": "f", "parameters": 1}], r"tools\[0\].parameters"),
        ([{"type": "namespace", "name": "n", "tools": {}}], r"tools\[0\].tools"),
        ([{"type": "namespace", "name": "n", "tools": [{"type": "function"}]}], r"tools\[0\].tools\[0\].name"),
        ([FIND, FIND], "find"),
    ],
)
def test_mistakes_are_named(bad: list[Any], field: str) -> None:
    with pytest.raises(GatewayError, match=field):
        tools(*bad)


@pytest.mark.parametrize("choice", ["maybe", {"type": "allowed_tools", "mode": "x"}, {}])
def test_a_choice_of_nothing_is_refused(choice: Any) -> None:
    with pytest.raises(GatewayError, match="tool_choice"):
        choice_of(choice)
