"""A neutral request, written as a messages request.

Law: what came in on this wire goes out as it came; of other dialects what this wire has a place for, the rest named or
refused. All that was said between two answers is one message of the user's, results of tools first. The options are
written in anthropic_options.py.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from conflux.dialects import anthropic_wire as wire
from conflux.dialects import call_ids, losses, names, strict_json
from conflux.dialects.anthropic_options import write_options
from conflux.dialects.anthropic_read import BETA, BILLING
from conflux.dialects.base import Shape, Written
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.fields import Field, Refused
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

ID_MOST = 64
_SYSTEM = (Role.SYSTEM, Role.DEVELOPER)


class Manner(Struct, frozen=True):
    """How this request is written, and what had to be left out so far."""

    own: bool  # it came in on this wire
    billing: bool  # the upstream reads the line that says whom to bill
    systems: bool  # it takes system messages amid the conversation
    dropped: set[str]


def write_request(request: Request, shape: Shape) -> Written:
    own = request.dialect == wire.NAME
    known, restored = (request, {}) if own else names.fit(request)
    tools, offered = (known.tools, ()) if own else losses.callable_tools(known)
    known = msgspec.structs.replace(known, tools=tools)
    quirks = shape.quirks
    manner = Manner(
        own, quirks.get("billing_line") is True, own and quirks.get("system_messages") is True, set(offered)
    )
    system, messages = _write_conversation(known, manner)
    if not messages:
        raise Refused(Kind.INVALID, Field.MESSAGES, losses.SILENT)
    body: dict[str, Any] = {"model": shape.model}
    if system:
        body["system"] = system
    body["messages"] = messages
    manner.dropped.update(write_options(known, body, shape))
    beta = request.extra.get(BETA)
    head = wire.VERSION + f"{BETA}: {beta}\r\n".encode() if own and beta else wire.VERSION
    if own:
        _put_back(request, body)
        manner.dropped.update(wire.NOT_FORWARDED & request.extra.keys())
    else:
        manner.dropped.update(losses.unsaid(request, wire.NAME))
    manner.dropped.update(losses.parts(request, wire.NAME))
    if shape.stream:
        body["stream"] = True
    return Written(body=strict_json.encode(body), dropped=tuple(sorted(manner.dropped)), head=head, names=restored)


def _put_back(request: Request, body: dict[str, Any]) -> None:
    for name, value in request.extra.items():
        if name == BETA or name in wire.NOT_FORWARDED:
            continue
        outer, found, inner = name.partition(".")
        if found:
            body[outer] = {**body.get(outer, {}), inner: value}
        else:
            body[name] = value


def wrapped(text: str) -> str:
    """A system message amid a conversation, for those that know none."""
    return f"<system>\n{text}\n</system>"


def _write_conversation(request: Request, manner: Manner) -> tuple[Any, list[dict[str, Any]]]:
    first = next((place for place, one in enumerate(request.messages) if one.role not in _SYSTEM), None)
    leading = request.messages if first is None else request.messages[:first]
    rest = () if first is None else request.messages[first:]
    system = [block for message in leading for block in _write_parts(message.parts, manner)]
    if not rest and system:
        return None, [{"role": "user", "content": system}]  # a conversation must have one
    plain = len(system) == 1 and system[0].keys() == {"type", "text"}
    return (system[0]["text"] if plain else system), _write_turns(rest, manner)


def _write_turns(messages: Iterable[Message], manner: Manner) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.name:
            manner.dropped.add("messages.name")
        blocks = _write_parts(message.parts, manner)
        role = "assistant" if message.role is Role.ASSISTANT else "user"
        if message.role in _SYSTEM:
            if manner.systems:
                role = "system"
            else:
                blocks = [{**one, "text": wrapped(one["text"])} if "text" in one else one for one in blocks]
        if not blocks:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    for turn in turns:
        _order(turn)
    return turns


def _order(turn: dict[str, Any]) -> None:
    """Results first: they answer what the assistant just called. One text is written as a text."""
    blocks = turn["content"]
    if turn["role"] == "user":
        results = [block for block in blocks if block["type"] == "tool_result"]
        blocks = results + [block for block in blocks if block["type"] != "tool_result"]
    plain = len(blocks) == 1 and blocks[0].keys() == {"type", "text"}
    turn["content"] = blocks[0]["text"] if plain else blocks


def _write_parts(parts: Iterable[Part], manner: Manner) -> list[dict[str, Any]]:
    return [block for part in parts if (block := _write_part(part, manner)) is not None]


def _write_part(part: Part, manner: Manner) -> dict[str, Any] | None:
    match part:
        case Text() if part.text:
            return _cached({"type": "text", "text": part.text} | _own(part.extra, manner), part.cache)
        case Refusal() if part.text:
            return {"type": "text", "text": part.text}
        case Text() | Refusal():
            return None
        case Image():
            return _image(part, manner)
        case File():
            return _file(part, manner)
        case Thinking():
            return _thinking(part, manner)
        case ToolCall():
            call = {
                "type": "tool_use",
                "id": call_ids.plain(part.id, ID_MOST),
                "name": part.name,
                "input": _input(part),
            }
            return _cached(call, part.cache)
        case ToolResult():
            return _result(part, manner)
        case Opaque(dialect=wire.NAME, kind=kind) if kind == BILLING:
            if not manner.billing:
                manner.dropped.add(BILLING)
                return None
            return {"type": "text", "text": part.value}
        case Opaque():
            return part.value if manner.own and part.dialect == wire.NAME else None  # else named by losses.parts
        case Audio():
            raise _cannot("audio", "send it as text")


def _cannot(what: str, instead: str) -> GatewayError:
    text = f"{{field}}: this model's provider takes no {what}: {instead}, or choose another model"
    return Refused(Kind.UNSUPPORTED, Field.MESSAGES, text)


def _own(extra: dict[str, Any] | None, manner: Manner) -> dict[str, Any]:
    """What one dialect alone understands of a part goes back to it, and to no other."""
    if extra and not manner.own:
        manner.dropped.update(extra)
        return {}
    return extra or {}


def _cached(block: dict[str, Any], cache: dict[str, Any] | None) -> dict[str, Any]:
    return block if cache is None else {**block, "cache_control": cache}


def _image(part: Image, manner: Manner) -> dict[str, Any]:
    if part.detail is not None:
        manner.dropped.add("image_url.detail")
    if part.data is None:
        return _cached({"type": "image", "source": {"type": "url", "url": part.url}}, part.cache)
    source = {"type": "base64", "media_type": part.media_type or "image/png", "data": part.data}
    return _cached({"type": "image", "source": source}, part.cache)


def _file(part: File, manner: Manner) -> dict[str, Any]:
    kind = part.media_type or "application/pdf"
    source: dict[str, Any]
    if part.file_id is not None:
        source = {"type": "file", "file_id": part.file_id}
    elif part.url is not None:
        source = {"type": "url", "url": part.url}
    elif kind == "text/plain":
        source = {"type": "text", "media_type": kind, "data": part.data or ""}
    elif kind == "application/pdf":
        source = {"type": "base64", "media_type": kind, "data": part.data or ""}
    else:
        raise _cannot(f"file of the type {kind}", "send a PDF or plain text")
    block: dict[str, Any] = {"type": "image" if kind == "image/*" else "document", "source": source}
    if part.name is not None:
        block["title"] = part.name
    return _cached(block | _own(part.extra, manner), part.cache)


def _thinking(part: Thinking, manner: Manner) -> dict[str, Any] | None:
    if part.issuer == wire.NAME:
        if part.redacted is not None:
            return {"type": "redacted_thinking", "data": part.redacted}
        if part.signature:
            return {"type": "thinking", "thinking": part.text, "signature": part.signature}
    if part.text:
        manner.dropped.add("thinking without a signature")  # it is refused there
    return None


def _input(call: ToolCall) -> dict[str, Any]:
    if not call.arguments.strip():
        return {}
    try:
        found: Any = msgspec.json.decode(call.arguments)
    except (msgspec.MsgspecError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"input": call.arguments}


def _result(part: ToolResult, manner: Manner) -> dict[str, Any]:
    blocks = _write_parts(part.content, manner)
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": call_ids.plain(part.call_id, ID_MOST)}
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        block["content"] = blocks[0]["text"]
    elif blocks:
        block["content"] = blocks
    if part.is_error:
        block["is_error"] = True
    return _cached(block, part.cache)
