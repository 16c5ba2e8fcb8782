"""Freeform tools for protocols that know functions only.

Law: a freeform tool is offered as a function with one text, `input`; earlier calls are replayed the same way, and the
model's calls come back as free text. What a model writes otherwise is handed on as it is: nothing is lost.
"""

import json
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from conflux.dialects import losses
from conflux.dialects.base import AnswerReader, Tally
from conflux.neutral.events import BlockEnded, Event, ToolBegan, ToolDelta
from conflux.neutral.request import Message, Part, Request, Tool, ToolCall, ToolResult

_GRAMMAR = frozenset({"type", "syntax", "definition", "grammar"})
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
    "additionalProperties": False,
}


def tools_of(request: Request) -> frozenset[str]:
    """The freeform tools that are offered or were called."""
    called = (part for message in request.messages for part in message.parts if isinstance(part, ToolCall))
    names = {call.name for call in called if call.custom}
    return frozenset(names.union(tool.name for tool in request.tools if tool.kind == "custom"))


def as_functions(request: Request) -> Request:
    """The same request without freeform tools, or calls of them, or results."""
    untold = {f"tools.{name}" for tool in request.tools if tool.kind == "custom" for name in _untold(tool)}
    return replace(
        request,
        unread=request.unread + tuple(sorted(untold)),
        tools=tuple(_tool(tool) if tool.kind == "custom" else tool for tool in request.tools),
        messages=tuple(_message(message) for message in request.messages),
    )


def _tool(tool: Tool) -> Tool:
    return Tool(name=tool.name, description=_described(tool), schema=SCHEMA, namespace=tool.namespace, cache=tool.cache)


def format_of(tool: Tool) -> Any:
    spec = (tool.raw or {}).get("custom") or tool.raw or {}
    return spec.get("format")


def _untold(tool: Tool) -> Iterator[str]:
    """What neither the function nor its description says of the tool."""
    yield from losses.untold(tool.raw)
    form = format_of(tool)
    for name in form if isinstance(form, dict) else ():
        if name not in _GRAMMAR:
            yield f"format.{name}"


def _described(tool: Tool) -> str:
    """A grammar that is not enforced is said."""
    text = tool.description or ""
    form = format_of(tool)
    if not isinstance(form, dict) or form.get("type") != "grammar":
        return text
    inner = form.get("grammar")
    said = inner if isinstance(inner, dict) else form
    grammar = f"`input` must follow this {said.get('syntax', '')} grammar:\n{said.get('definition', '')}"
    return f"{text}\n\n{grammar}" if text else grammar


def _message(message: Message) -> Message:
    if not any(isinstance(part, ToolCall | ToolResult) and part.custom for part in message.parts):
        return message
    return replace(message, parts=tuple(_part(part) for part in message.parts))


def _part(part: Part) -> Part:
    if isinstance(part, ToolCall) and part.custom:
        return replace(part, arguments=json.dumps({"input": part.arguments}, ensure_ascii=False), custom=False)
    if isinstance(part, ToolResult) and part.custom:
        return replace(part, custom=False)
    return part


def text_of(arguments: str) -> str:
    """What the model wrote into `input`; of a call that was cut, as much as is there."""
    for end in ("", '"}', "}"):
        try:
            found = json.loads(arguments + end)
        except ValueError:
            continue
        text = found.get("input") if isinstance(found, dict) else None
        return text if isinstance(text, str) else arguments
    return arguments


class FreeformReader:
    """Another reader's events, with the calls of freeform tools as the free text they are."""

    def __init__(self, reader: AnswerReader, names: frozenset[str]) -> None:
        self._reader = reader
        self._names = names
        self._open: dict[int, list[str]] = {}  # choice: the arguments of its open freeform call
        self.tally: Tally = reader.tally

    def whole(self, body: bytes) -> list[Event]:
        return self._restored(self._reader.whole(body))

    def feed(self, data: bytes) -> list[Event]:
        return self._restored(self._reader.feed(data))

    def end(self) -> list[Event]:
        return self._restored(self._reader.end())

    def _restored(self, events: list[Event]) -> list[Event]:
        found: list[Event] = []
        for event in events:
            if isinstance(event, ToolBegan) and event.name in self._names and not event.custom:
                self._open[event.index] = []
                found.append(replace(event, custom=True))
            elif isinstance(event, ToolDelta) and event.index in self._open:
                self._open[event.index].append(event.arguments)
            else:
                if isinstance(event, BlockEnded) and event.index in self._open:
                    text = text_of("".join(self._open.pop(event.index)))
                    if text:
                        found.append(ToolDelta(arguments=text, index=event.index))
                found.append(event)
        return found
