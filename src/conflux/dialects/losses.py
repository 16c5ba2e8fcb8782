"""What is left out of a request, told by name.

Law: a field of the client's own dialect that no neutral record holds goes to that dialect only; every other names it.
What was merely offered is left out and named, what was demanded is refused by name.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.fields import Field, Refused
from conflux.neutral.request import Opaque, Part, Request, Thinking, Tool, ToolResult

SILENT = "{field}: nothing is said in it: at least one of them must hold something of the user's"
# The dialects that have words for where a cache begins, and for a tool's failure.
_CACHES = frozenset({"anthropic-messages"})
_SAYS_ERRORS = frozenset({"anthropic-messages", "gemini", "openai-chat"})
# What of a tool is told, by any dialect's name for it.
_TOLD = frozenset({"type", "name", "description", "input_schema", "parameters", "parametersJsonSchema", "strict",
                   "cache_control", "function", "custom", "format", "tools"})  # fmt: skip


def unsaid(request: Request, own: str, *, caches: bool = False) -> tuple[str, ...]:
    """The client's fields that the dialect `own` has no words for. `caches`: who writes it tells of caches itself."""
    caches = caches or own in _CACHES
    if request.dialect == own:
        return ()
    found = set(request.extra)
    for tool in request.tools:
        _marked(tool, caches, found)
        found.update(f"tools.{name}" for name in untold(tool.raw))
    for message in request.messages:
        for part in message.parts:
            _marked(part, caches, found)
            if isinstance(part, ToolResult):
                for inner in part.content:
                    _marked(inner, caches, found)
                if part.is_error and own not in _SAYS_ERRORS:
                    found.add("is_error")
    return tuple(sorted(found))


def untold(raw: Any) -> Iterator[str]:
    """The fields of a tool that no record holds, wherever its protocol puts them."""
    for name, value in raw.items() if isinstance(raw, dict) else ():
        if name not in _TOLD:
            yield name
        elif name in ("function", "custom"):
            yield from untold(value)


def _marked(what: Part | Tool, caches: bool, found: set[str]) -> None:
    """What its own dialect alone understands of a part or a tool."""
    if not caches and getattr(what, "cache", None) is not None:
        found.add("cache_control")
    found.update(getattr(what, "extra", None) or ())


def unread(
    body: dict[str, Any],
    checked: Struct,
    *,
    instead: Mapping[str, Any] = MappingProxyType({}),
    told: frozenset[str] = frozenset(),
    means_nothing: frozenset[str] = frozenset(),
) -> tuple[str, ...]:
    """The paths, without numbers, of what stands inside of the body's known fields and its checked form has no place
    for. `instead`: the checked form of single fields; `told`: fields whose own inner fields are told by somebody else;
    `means_nothing`: names that clients send back as they got them, though nothing hangs on them."""
    found: set[str] = set()
    for name in checked.__struct_fields__:
        value = body.get(name)
        if type(value) is dict or type(value) is list:
            known = instead.get(name) or getattr(checked, name)
            found.update(path for path in _beyond(value, known, name)
                         if name not in told or path.count(".") > 1)  # fmt: skip
    return tuple(sorted(path for path in found if path.rpartition(".")[2] not in means_nothing))


def _beyond(raw: Any, checked: Any, path: str) -> Iterator[str]:
    if type(checked) is list:
        for one, inner in zip(raw, checked, strict=False):
            yield from _beyond(one, inner, path)
    # Of one without fields all of it is carried.
    elif isinstance(checked, Struct) and checked.__struct_fields__ and type(raw) is dict:
        tag = checked.__struct_config__.tag_field
        for name, value in raw.items():
            if name in checked.__struct_fields__:
                yield from _beyond(value, getattr(checked, name), f"{path}.{name}")
            elif name != tag and value not in (None, "", [], {}):
                yield f"{path}.{name}"


def parts(request: Request, dialect: str, *, seals: bool = True) -> tuple[str, ...]:
    """What no record holds, parts of the conversation that only their own dialect understands, and signatures of
    another issuer. `seals`: the target takes back what it sealed."""
    found = set(request.unread)
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, Opaque) and part.dialect != dialect:
                found.add(part.kind)
            elif (
                isinstance(part, Thinking)
                and (part.signature or part.redacted)
                and (part.issuer != dialect or not seals)
            ):
                found.add("reasoning signature")
    return tuple(sorted(found))


def callable_tools(request: Request) -> tuple[tuple[Tool, ...], tuple[str, ...]]:
    """The tools that the client runs itself, and the names of those only their own provider could run.

    Raises where such a tool is the one that must be used: an answer without it would not be the one asked for.
    """
    kept = tuple(tool for tool in request.tools if tool.kind in ("function", "custom"))
    if len(kept) == len(request.tools):
        return kept, ()
    others = [tool for tool in request.tools if tool.kind not in ("function", "custom")]
    choice = request.tool_choice
    if choice is not None:
        forced = [tool for tool in others if choice.mode == "named" and choice.name in (tool.name, tool.kind)]
        if forced or (choice.mode == "required" and not kept):
            name = (forced or others)[0].kind
            raise Refused(
                Kind.UNSUPPORTED,
                Field.TOOL_CHOICE,
                f"{{field}}: the tool {name!r} runs at its provider, which this model's has not: "
                "let the model choose, or choose another model",
            )
    return kept, tuple(sorted({f"tools.{tool.kind}" for tool in others}))


def check_vital(request: Request, dialect: str) -> None:
    """Raises where the conversation rests on what only its own provider can read, or asks for what no other does."""
    if request.dialect != dialect and request.vital:
        name = request.vital[0]
        raise GatewayError(
            Kind.UNSUPPORTED,
            f"{name}: this model's provider takes no such request: leave it out, or choose another model",
            param=name,
        )
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, Opaque) and part.vital and part.dialect != dialect:
                raise GatewayError(
                    Kind.UNSUPPORTED,
                    f"a {part.kind} part can be read only by the provider that made it: choose a model of that "
                    "provider, or send the conversation itself",
                    param=part.kind,
                )
