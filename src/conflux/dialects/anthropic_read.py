"""A messages request, read into a neutral one.

Law: nothing the wire names is lost: what has no neutral record stays in `extra`, in a part's own `extra`, or as an
opaque part, for its own dialect. Empty text is no part. Types were checked before, in anthropic_wire.py.
"""

from typing import Any

import msgspec

from conflux.dialects import anthropic_wire as wire
from conflux.dialects import call_ids, losses, signatures
from conflux.neutral.request import (
    Envelope,
    File,
    Image,
    Message,
    Opaque,
    Output,
    Part,
    Reasoning,
    Request,
    Role,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

# The first line by which one client tells its own provider whom to bill.
BILLING_LINE = "x-anthropic-billing-header:"
BILLING = "x-anthropic-billing-header"
BETA = "anthropic-beta"

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_MODES = {"auto": "auto", "any": "required", "none": "none", "tool": "named"}
# Inside of objects that are read, what has no record of its own: (object, its fields that have one).
_WITHIN = {
    "thinking": frozenset({"type", "budget_tokens"}),
    "output_config": frozenset({"effort", "format"}),
    "metadata": frozenset({"user_id"}),
}


def read_request(envelope: Envelope) -> Request:
    body = envelope.body
    checked = wire.check(body)
    messages = [_read_system(checked.system)] if checked.system else []
    messages += [_read_message(message, body["messages"][place]) for place, message in enumerate(checked.messages)]
    choice = checked.tool_choice
    single = choice.disable_parallel_tool_use if choice is not None else None
    return Request(
        dialect=wire.NAME,
        messages=tuple(messages),
        max_output=envelope.max_output,
        tools=tuple(_read_tool(tool, body["tools"][place]) for place, tool in enumerate(checked.tools or ())),
        tool_choice=ToolChoice(_MODES[choice.type], choice.name) if choice is not None else None,
        parallel_tool_calls=None if single is None else not single,
        sampling=Sampling(
            temperature=checked.temperature,
            top_p=checked.top_p,
            top_k=checked.top_k,
            stop=tuple(checked.stop_sequences or ()),
        ),
        output=_read_output(checked),
        reasoning=_read_reasoning(checked),
        stream=envelope.stream,
        include_usage=True,
        user=checked.metadata.user_id if checked.metadata is not None else None,
        unread=losses.unread(body, checked, instead={"tools": True}, told=frozenset(_WITHIN)),
        extra=_extra(body) | ({BETA: envelope.headers[BETA]} if envelope.headers.get(BETA) else {}),
    )


def _extra(body: dict[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in body.items() if name not in wire.KNOWN}
    for name, known in _WITHIN.items():
        value = body.get(name)
        if isinstance(value, dict) and not value.keys() <= known:
            found.update((f"{name}.{inner}", value[inner]) for inner in value if inner not in known)
    return found


def _read_system(system: str | list[wire.TextBlock]) -> Message:
    blocks = [wire.TextBlock(system)] if isinstance(system, str) else system
    parts: list[Part] = []
    for block in blocks:
        if not parts and block.text.startswith(BILLING_LINE):
            line, _, rest = block.text.partition("\n")
            parts.append(Opaque(dialect=wire.NAME, kind=BILLING, value=line))
            block = wire.TextBlock(rest, block.cache_control)
        if block.text:
            parts.append(_text(block))
    return Message(role=Role.SYSTEM, parts=tuple(parts))


def _read_message(message: wire.Message, raw: dict[str, Any]) -> Message:
    content = message.content
    if isinstance(content, str):
        parts: tuple[Part, ...] = (Text(text=content),) if content else ()
    else:
        parts = tuple(
            _read_block(block, raw["content"][place])
            for place, block in enumerate(content)
            if not (isinstance(block, wire.TextBlock) and not block.text)
        )
    return Message(role=_ROLES[message.role], parts=parts)


def _read_block(block: wire.Block, raw: dict[str, Any]) -> Part:
    match block:
        case wire.TextBlock():
            return _text(block)
        case wire.ImageBlock():
            return _image(block)
        case wire.DocumentBlock():
            return _document(block, raw)
        case wire.ThinkingBlock():
            return _thinking(block)
        case wire.RedactedThinkingBlock(data=data):
            inner, issuer = signatures.unwrap(data, wire.NAME)
            return Thinking(redacted=inner, issuer=issuer)
        case wire.ToolUseBlock():
            arguments = msgspec.json.encode(block.input).decode()
            return ToolCall(id=call_ids.unwrap(block.id), name=block.name, arguments=arguments,
                            cache=block.cache_control)  # fmt: skip
        case wire.ToolResultBlock():
            return _result(block, raw)
        case _:
            return Opaque(dialect=wire.NAME, kind=raw["type"], value=raw)


def _text(block: wire.TextBlock) -> Text:
    extra = {"citations": block.citations} if block.citations else None
    return Text(text=block.text, cache=block.cache_control, extra=extra)


def _image(block: wire.ImageBlock) -> Image | File:
    match block.source:
        case wire.Base64Source(media_type=kind, data=data):
            return Image(data=data, media_type=kind, cache=block.cache_control)
        case wire.UrlSource(url=url):
            return Image(url=url, cache=block.cache_control)
        case wire.FileSource(file_id=name):
            return File(file_id=name, media_type="image/*", cache=block.cache_control)


def _document(block: wire.DocumentBlock, raw: dict[str, Any]) -> File | Opaque:
    extra = {name: raw[name] for name in ("context", "citations") if raw.get(name) is not None} or None
    title, cache = block.title, block.cache_control
    match block.source:
        case wire.Base64Source(media_type=kind, data=data):
            return File(data=data, media_type=kind, name=title, cache=cache, extra=extra)
        case wire.TextSource(media_type=kind, data=data):
            return File(data=data, media_type=kind, name=title, cache=cache, extra=extra)
        case wire.UrlSource(url=url):
            return File(url=url, media_type="application/pdf", name=title, cache=cache, extra=extra)
        case wire.FileSource(file_id=name):
            return File(file_id=name, name=title, cache=cache, extra=extra)
        case wire.ContentSource(content=str(content)):
            return File(data=content, media_type="text/plain", name=title, cache=cache, extra=extra)
        case wire.ContentSource():
            return Opaque(dialect=wire.NAME, kind="document of blocks", value=raw)


def _thinking(block: wire.ThinkingBlock) -> Thinking:
    if not block.signature:
        return Thinking(text=block.thinking)  # nobody's: another protocol's thoughts bear no signature
    signature, issuer = signatures.unwrap(block.signature, wire.NAME)
    return Thinking(text=block.thinking, signature=signature or None, issuer=issuer)


def _result(block: wire.ToolResultBlock, raw: dict[str, Any]) -> ToolResult:
    content = block.content
    if isinstance(content, str):
        found: list[Any] = [Text(text=content)] if content else []
    else:
        found = [
            _read_block(inner, raw["content"][place])
            for place, inner in enumerate(content or ())
            if not (isinstance(inner, wire.TextBlock) and not inner.text)
        ]
    return ToolResult(call_id=call_ids.unwrap(block.tool_use_id), content=tuple(found), is_error=bool(block.is_error),
                      cache=block.cache_control)  # fmt: skip


def _read_tool(tool: wire.Tool, raw: dict[str, Any]) -> Tool:
    if tool.type in (None, "custom"):
        return Tool(name=tool.name or "", description=tool.description, schema=tool.input_schema, strict=tool.strict,
                    raw=raw, cache=tool.cache_control)  # fmt: skip
    assert tool.type is not None
    return Tool(name=tool.name or tool.type, kind=tool.type, raw=raw, cache=tool.cache_control)


def _read_output(checked: wire.Body) -> Output:
    spec = checked.output_config.format if checked.output_config is not None else None
    spec = spec or checked.output_format
    return Output(kind="json_schema", name=spec.name, schema=spec.schema, strict=True) if spec else Output()


def _read_reasoning(checked: wire.Body) -> Reasoning | None:
    effort = checked.output_config.effort if checked.output_config is not None else None
    thinking = checked.thinking
    if thinking is None:
        return Reasoning(effort=effort) if effort is not None else None
    return Reasoning(effort=effort, budget=thinking.budget_tokens, enabled=thinking.type != "disabled")
