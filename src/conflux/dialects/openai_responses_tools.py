"""The tools of a Responses request: groups flattened, and what each was called restored.

Law: a function in a namespace is known elsewhere by one flat name, and its calls get both names back. A tool that runs
at its provider keeps its type as its kind, named or not.
"""

from typing import Any

from msgspec.structs import replace

from conflux.dialects import openai_responses_wire as wire
from conflux.neutral.errors import invalid
from conflux.neutral.request import Tool, ToolChoice

SHELL = "local_shell"
_GROUP = frozenset({"namespace.type", "namespace.name", "namespace.description", "namespace.tools"})
_SHELL_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["exec"]},
        "command": {"type": "array", "items": {"type": "string"}},
        "env": {"type": "object", "additionalProperties": {"type": "string"}},
        "timeout_ms": {"type": "integer"},
        "working_directory": {"type": "string"},
    },
    "required": ["type", "command", "env"],
}


def flat(namespace: str | None, name: str) -> str:
    """One name for both."""
    if not namespace:
        return name
    return namespace + name if namespace.endswith("__") else f"{namespace}__{name}"


def tools_of(checked: wire.Body) -> tuple[Tool, ...]:
    found: list[Tool] = []
    for place, raw in enumerate(checked.tools or ()):
        where = f"tools[{place}]"
        if raw.get("type") == "namespace":
            inner = raw.get("tools")
            if not isinstance(inner, list) or not all(isinstance(one, dict) for one in inner):
                raise invalid(f"{where}.tools: must be a list of tools", f"{where}.tools")
            namespace = _text(raw, "name", where)
            group = [_tool(one, f"{where}.tools[{number}]", namespace) for number, one in enumerate(inner)]
            found += _introduced(group, raw.get("description"))
        else:
            found.append(_tool(raw, where, None))
    named = [tool.name for tool in found if tool.kind in ("function", "custom")]
    for name in named:
        if named.count(name) > 1:
            raise invalid(f"tools: two tools are called {name!r}", "tools")
    return _allowed(found, checked.tool_choice)


def _introduced(group: list[Tool], words: str | None) -> list[Tool]:
    """What is said of the group stands with its first tool, since a flat list has no other place for it."""
    if not group or not words:
        return group
    said = group[0].description
    return [replace(group[0], description=f"{words}\n\n{said}" if said else words), *group[1:]]


def unread_groups(checked: wire.Body) -> tuple[str, ...]:
    """What a group says of itself that no tool of it can."""
    names = (name for raw in checked.tools or () if raw.get("type") == "namespace" for name in raw)
    return tuple(sorted({f"namespace.{name}" for name in names} - _GROUP))


def _tool(raw: dict[str, Any], where: str, namespace: str | None) -> Tool:
    wire.check_tool(raw, where)
    kind = raw["type"]
    if kind == SHELL:
        return Tool(name=SHELL, description="Run a command on the user's machine.", schema=_SHELL_SCHEMA, raw=raw)
    if kind not in ("function", "custom"):
        return Tool(name=str(raw.get("name") or kind), kind=kind, raw=raw)
    name = _text(raw, "name", where)
    schema = raw.get("parameters")
    if schema is not None and not isinstance(schema, dict):
        raise invalid(f"{where}.parameters: must be an object", f"{where}.parameters")
    return Tool(
        name=flat(namespace, name),
        description=raw.get("description"),
        schema=schema if kind == "function" else None,
        strict=raw.get("strict"),
        kind=kind,
        raw=raw,
        namespace=(namespace, name) if namespace else None,
    )


def _text(raw: dict[str, Any], field: str, where: str) -> str:
    value = raw.get(field)
    if not isinstance(value, str) or not value:
        raise invalid(f"{where}.{field}: must be a name", f"{where}.{field}")
    return value


def _allowed(tools: list[Tool], choice: str | dict[str, Any] | None) -> tuple[Tool, ...]:
    """Of an allowed_tools choice, the tools it leaves."""
    if not isinstance(choice, dict) or choice.get("type") != "allowed_tools":
        return tuple(tools)
    allowed = {
        flat(one.get("namespace"), one["name"]) if isinstance(one.get("name"), str) else one.get("type")
        for one in choice.get("tools") or ()
        if isinstance(one, dict)
    }
    return tuple(tool for tool in tools if tool.name in allowed or tool.kind in allowed)


def choice_of(choice: str | dict[str, Any] | None) -> ToolChoice | None:
    if choice is None:
        return None
    mode = choice if isinstance(choice, str) else choice.get("mode")
    if isinstance(choice, str) or choice.get("type") == "allowed_tools":
        if mode not in ("auto", "none", "required"):
            raise invalid(f"tool_choice: {mode!r} is not one of auto, none, required", param="tool_choice")
        return ToolChoice(mode=mode)
    name = choice.get("name") or choice.get("type")
    if not isinstance(name, str):
        raise invalid("tool_choice names no tool", param="tool_choice")
    namespace = choice.get("namespace")
    return ToolChoice(mode="named", name=flat(namespace if isinstance(namespace, str) else None, name))
