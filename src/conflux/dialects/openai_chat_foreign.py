"""A request of another dialect, made one that the chat completions wire can carry.

Law: pure, neutral in and neutral out, with the names of what had to stay behind. What the user gave is never lost
silently: it arrives in other words, or is refused by name; hints that the target would refuse are left out and named.
"""

import json
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from conflux.dialects import call_ids, thinking_effort
from conflux.dialects import openai_chat_wire as wire
from conflux.dialects.base import Shape
from conflux.neutral.errors import Kind
from conflux.neutral.fields import Field, Refused
from conflux.neutral.request import (
    File,
    Image,
    Message,
    Opaque,
    Part,
    Reasoning,
    Request,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)

ID_MOST = 40
USER_MOST = 64
_SYSTEM = (Role.SYSTEM, Role.DEVELOPER)
_EFFORTS = ("low", "medium", "high")  # which every provider knows that knows any


def adapted(request: Request, shape: Shape) -> tuple[Request, set[str]]:
    """Raises GatewayError for what the user gave and no upstream of this wire takes."""
    work = _Adapting(shape)
    messages = tuple(work.message(message) for message in request.messages)
    changed = replace(
        request,
        messages=tuple(_arranged(messages, anywhere=shape.quirks.get("system_anywhere") is True)),
        tools=tuple(work.tool(tool) for tool in request.tools),
        reasoning=work.reasoning(request.reasoning),
        user=work.user(request.user),
        sampling=replace(request.sampling, top_k=work.top_k(request.sampling.top_k)),
    )
    return changed, work.dropped


class _Adapting:
    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._caches = shape.quirks.get("cache_control") is True
        self.dropped: set[str] = set()

    def message(self, message: Message) -> Message:
        parts = tuple(one for part in message.parts for one in self._part(part, message.role))
        return replace(message, parts=parts)

    def _part(self, part: Part, role: Role) -> Iterable[Part]:
        match part:
            case Text() | Image() | File():
                return (self._content(part),)
            case Thinking():
                return self._thinking(part)
            case ToolCall():
                self._cache(part.cache)
                return (replace(part, id=call_ids.short(part.id, ID_MOST), cache=None),)
            case ToolResult():
                return (self._result(part),)
            case Opaque() if role is Role.USER:
                return (_as_text(part),)
            case _:
                return (part,)

    def _content(self, part: Text | Image | File) -> Text | Image | File:
        cache = self._cache(part.cache, text=isinstance(part, Text))
        if isinstance(part, Image):
            return replace(part, cache=None)
        if part.extra:
            self.dropped.update(part.extra)
        if isinstance(part, Text):
            return replace(part, cache=cache, extra=None)
        if part.url is not None:
            raise Refused(
                Kind.UNSUPPORTED,
                Field.MESSAGES,
                "{field}: this model's provider takes no file by its address: send the file itself, or choose another "
                "model",
            )
        if part.media_type == "text/plain" and part.data is not None:
            return Text(text=f"{part.name}:\n{part.data}" if part.name else part.data)
        name = part.name or ("document.pdf" if part.media_type == "application/pdf" else None)
        return replace(part, cache=None, extra=None, name=name)

    def _thinking(self, part: Thinking) -> Iterable[Part]:
        """Thoughts go back to whoever thinks aloud on this wire; signed ones are somebody else's."""
        if part.issuer == wire.NAME and (part.signature or part.redacted):
            return (part,)  # taken back or named where it is written
        if not part.text:
            return ()
        if part.issuer not in (None, wire.NAME) or self._shape.quirks.get("replays_reasoning") is False:
            self.dropped.add("thinking")
            return ()
        return (part,)

    def _result(self, part: ToolResult) -> ToolResult:
        cache = self._cache(part.cache, text=True)
        content: list[Text | Image | File | Opaque] = [Text(text="Error:")] if part.is_error else []
        content += [
            self._content(one) if isinstance(one, Text | Image | File) else _as_text(one) for one in part.content
        ]
        texts = [one.text for one in content if isinstance(one, Text)]
        if len(texts) == len(content):  # one text is what every upstream takes
            cached = cache or next(
                (one.cache for one in reversed(content) if isinstance(one, Text) and one.cache), None
            )
            content = [Text(text="\n".join(texts), cache=cached)] if texts else []
        call_id = call_ids.short(part.call_id, ID_MOST)
        return replace(part, call_id=call_id, content=tuple(content), is_error=False, cache=None)

    def _cache(self, cache: Any, *, text: bool = False) -> Any:
        """Where a cache begins is said at texts only."""
        if cache is None or (text and self._caches):
            return cache
        self.dropped.add("cache_control")
        return None

    def tool(self, tool: Tool) -> Tool:
        self._cache(tool.cache)
        return replace(tool, cache=None)

    def reasoning(self, reasoning: Reasoning | None) -> Reasoning | None:
        """A hint is given only to models that are known to take it, in words that their provider knows."""
        effort = thinking_effort.effort_of(reasoning)
        if reasoning is None or effort is None:
            return replace(reasoning, effort=None) if reasoning is not None else None
        known = self._shape.quirks.get("efforts", _EFFORTS)
        found = _nearest(effort, known) if self._shape.reasons is not False else None
        if found != effort and not (effort == "minimal" and found == "low"):
            self.dropped.add("reasoning effort")
        return replace(reasoning, effort=found)

    def user(self, user: str | None) -> str | None:
        if user is not None and len(user) > USER_MOST:
            self.dropped.add("user")
            return None
        return user

    def top_k(self, top_k: int | None) -> int | None:
        if top_k is not None and self._shape.quirks.get("top_k") is False:
            self.dropped.add("top_k")
            return None
        return top_k


def _nearest(effort: str, known: Iterable[str]) -> str | None:
    """The word itself, else the next weaker one that is known, else the weakest. None is never said for some."""
    words = [word for word in thinking_effort.BUDGETS if word in known]
    if effort in words:
        return effort
    if effort == "none" or effort not in thinking_effort.BUDGETS:
        return None
    some = [word for word in words if word != "none"]
    budget = thinking_effort.BUDGETS[effort]
    weaker = [word for word in some if thinking_effort.BUDGETS[word] <= budget]
    return weaker[-1] if weaker else next(iter(some), None)


def _as_text(part: Opaque) -> Text:
    """What a user or a tool gave in a form that only its own dialect knows, as JSON: a model reads it all the same."""
    if part.kind not in ("search_result", "tool_reference"):
        raise Refused(
            Kind.UNSUPPORTED,
            Field.MESSAGES,
            f"{{field}}: a block of the type {part.kind!r} is read by its own provider only: send it as text, or "
            "choose another model",
        )
    return Text(text=json.dumps(part.value, ensure_ascii=False))


def _arranged(messages: Iterable[Message], *, anywhere: bool) -> list[Message]:
    """All that is said at first to the model is one message; what is said to it later becomes the user's, since many
    models know a system message at the beginning only."""
    found: list[Message] = []
    begun = False
    for message in messages:
        if message.role not in _SYSTEM:
            begun = True
            found.append(message)
        elif not begun:
            found = [_joined(found[0], message)] if found else [_joined(replace(message, parts=()), message)]
        elif anywhere:
            found.append(message)
        else:
            told = tuple(
                replace(one, text=f"<system>\n{one.text}\n</system>") if isinstance(one, Text) else one
                for one in message.parts
            )
            if found[-1].role is Role.USER:
                found[-1] = replace(found[-1], parts=found[-1].parts + told)
            else:
                found.append(replace(message, role=Role.USER, parts=told))
    return [one for one in found if one.parts or one.role not in _SYSTEM]


def _joined(first: Message, then: Message) -> Message:
    parts = [*first.parts, *then.parts]
    texts = [part.text for part in parts if isinstance(part, Text)]
    cached = any(isinstance(part, Text) and part.cache for part in parts)
    if not cached and len(texts) == len([part for part in parts if not isinstance(part, Opaque)]):
        parts = [Text(text="\n\n".join(texts))] if texts else []
    role = first.role if first.role is then.role else Role.SYSTEM
    return replace(first, role=role, parts=tuple(parts), name=None)
