"""A neutral request, written as a chat completions request.

Law: what came in on this wire goes out as it came; of other dialects only what this wire has a place for. Whatever the
target's model and its provider's quirks fix is set last, in `fit`, the same on both lanes.
"""

from typing import Any

import msgspec

from conflux.dialects import gemini_ids, losses, names, openai_chat_thoughts, strict_json
from conflux.dialects import openai_chat_wire as wire
from conflux.dialects.base import Shape, Written
from conflux.dialects.openai_chat_foreign import adapted
from conflux.dialects.openai_chat_quirks import suit
from conflux.neutral.errors import invalid
from conflux.neutral.request import (
    Audio,
    File,
    Image,
    Message,
    Opaque,
    Output,
    Part,
    Refusal,
    Request,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

_SAMPLING = (
    "temperature",
    "top_p",
    "top_k",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "top_logprobs",
    "logit_bias",
)


class _Manner(msgspec.Struct, frozen=True):
    """How this request is written."""

    own: bool  # it came in on this wire
    caches: bool  # the target knows where a cache is to begin
    seals: bool  # and takes back what it sealed


def write_request(request: Request, shape: Shape) -> Written:
    own = request.dialect == wire.NAME
    known, restored = (request, {}) if own else names.fit(request)
    tools, offered = (known.tools, ()) if own else losses.callable_tools(known)
    known = msgspec.structs.replace(known, tools=tools)
    behind: set[str] = set()
    if not own:
        known, behind = adapted(known, shape)
    quirks = shape.quirks
    manner = _Manner(own, own or quirks.get("cache_control") is True, openai_chat_thoughts.known(shape))
    body: dict[str, Any] = {"model": shape.model, "messages": _write_messages(known, manner)}
    _write_options(known, body, own)
    if own:
        body.update((name, value) for name, value in request.extra.items() if name not in wire.NOT_FORWARDED)
        dropped = tuple(sorted(wire.NOT_FORWARDED & request.extra.keys()))
    else:
        dropped = (
            offered
            + losses.unsaid(request, wire.NAME, caches=manner.caches)
            + _unwritten(request)
            + tuple(sorted(behind))
        )
    dropped += losses.parts(request, wire.NAME, seals=manner.seals) + fit(body, shape)
    if shape.stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    dropped += suit(body, shape)
    return Written(body=strict_json.encode(body), dropped=tuple(dict.fromkeys(dropped)), names=restored)


def _unwritten(request: Request) -> tuple[str, ...]:
    """What neutral records hold and this wire does not."""
    found = ["metadata"] if request.metadata else []
    if request.reasoning is not None and request.reasoning.summary:
        found.append("reasoning.summary")
    return tuple(found)


def fit(body: dict[str, Any], shape: Shape) -> tuple[str, ...]:
    """Set what the target fixes. The names of what that leaves no room for."""
    body["model"] = shape.model
    newer, older = body.pop("max_completion_tokens", None), body.pop("max_tokens", None)
    field = shape.quirks.get("max_tokens_field") or ("max_tokens" if newer is None else "max_completion_tokens")
    output = shape.max_output if shape.max_output is not None else newer or older
    if output is not None:
        body[field] = output
    if shape.temperature is not None and body.get("temperature") is None:
        body["temperature"] = shape.temperature
    if shape.effort is None:
        return ()
    body["reasoning_effort"] = shape.effort
    return ("reasoning",) if body.pop("reasoning", None) is not None else ()


def _write_messages(request: Request, manner: _Manner) -> list[dict[str, Any]]:
    """What tools gave beside text follows all results of their turn: a tool's message holds text only."""
    found: list[dict[str, Any]] = []
    beside: list[Part] = []
    for message in request.messages:
        if beside and message.role is not Role.TOOL:
            found.append({"role": "user", "content": [_write_part(part, manner) for part in beside]})
            beside = []
        found += _write_message(message, manner, beside)
    if beside:
        found.append({"role": "user", "content": [_write_part(part, manner) for part in beside]})
    return found


def _write_result(part: ToolResult, manner: _Manner, beside: list[Part]) -> dict[str, Any]:
    content = part.content
    if not manner.own and any(not isinstance(inner, Text) for inner in content):
        beside.append(Text(text=f"What the call {part.call_id} gave beside text:"))
        beside += [inner for inner in content if not isinstance(inner, Text)]
        content = tuple(inner for inner in content if isinstance(inner, Text))
        content = content or (Text(text="It gave what follows as the next message."),)
    return {
        "role": "tool",
        "tool_call_id": gemini_ids.split(part.call_id)[0],
        "content": _write_content(content, manner),
    }


def _write_message(message: Message, manner: _Manner, beside: list[Part]) -> list[dict[str, Any]]:
    """One neutral message is one wire message, but for tool results, which are one each."""
    entries = [_write_result(part, manner, beside) for part in message.parts if isinstance(part, ToolResult)]
    others: list[Part] = [part for part in message.parts if not isinstance(part, ToolResult)]
    if not others and entries:
        return entries
    if entries and beside:
        others = beside + others
        beside.clear()
    assistant = message.role is Role.ASSISTANT
    spoken = tuple(
        part
        for part in others
        if isinstance(part, Text | Image | File | Audio) or (isinstance(part, Refusal) and not assistant)
    )
    entry: dict[str, Any] = {"role": message.role.value}
    if message.name:
        entry["name"] = message.name
    entry["content"] = _write_content(spoken, manner)
    if assistant:
        _write_assistant(entry, others, manner)
    entries.append(entry)
    return entries


def _write_assistant(entry: dict[str, Any], parts: list[Part], manner: _Manner) -> None:
    thinking = "".join(part.text for part in parts if isinstance(part, Thinking))
    refusal = "".join(part.text for part in parts if isinstance(part, Refusal))
    calls = [_write_call(part) for part in parts if isinstance(part, ToolCall)]
    audio = [part.value for part in parts if isinstance(part, Opaque) and part.kind == "audio" and manner.own]
    if not entry["content"] and (refusal or calls or audio):
        entry["content"] = None
    if thinking:
        entry["reasoning_content"] = thinking
    thoughts = [part for part in parts if isinstance(part, Thinking)] if manner.seals else []
    details = [one for part in thoughts if (one := openai_chat_thoughts.handed_back(part)) is not None]
    if details:
        entry[openai_chat_thoughts.FIELD] = details
    if refusal:
        entry["refusal"] = refusal
    if audio:
        entry["audio"] = audio[-1]
    if calls:
        entry["tool_calls"] = calls


def _write_call(call: ToolCall) -> dict[str, Any]:
    call_id = gemini_ids.split(call.id)[0]  # what Gemini signed is for Gemini only
    if call.custom:
        return {"id": call_id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments or "{}"},
    }


def _write_content(parts: tuple[Part, ...], manner: _Manner) -> str | list[dict[str, Any]]:
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], Text) and not (manner.caches and parts[0].cache):
        return parts[0].text
    return [_write_part(part, manner) for part in parts]


def _write_part(part: Part, manner: _Manner) -> dict[str, Any]:
    if isinstance(part, Text):
        text: dict[str, Any] = {"type": "text", "text": part.text}
        return text | {"cache_control": part.cache} if manner.caches and part.cache is not None else text
    if isinstance(part, Image):
        url = part.url if part.data is None else f"data:{part.media_type or 'image/png'};base64,{part.data}"
        image: dict[str, Any] = {"url": url}
        if part.detail is not None:
            image["detail"] = part.detail
        return _cached({"type": "image_url", "image_url": image}, part, manner)
    if isinstance(part, Audio):
        return {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}}
    if isinstance(part, File):
        data = part.data
        if data is not None and part.media_type:
            data = f"data:{part.media_type};base64,{data}"
        file = {"file_data": data, "file_id": part.file_id, "filename": part.name}
        kept = {name: value for name, value in file.items() if value is not None}
        return _cached({"type": "file", "file": kept}, part, manner)
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    raise invalid(f"a part of type {type(part).__name__} has no place in a chat message")


def _cached(written: dict[str, Any], part: Image | File, manner: _Manner) -> dict[str, Any]:
    return written | {"cache_control": part.cache} if manner.own and part.cache is not None else written


def _write_options(request: Request, body: dict[str, Any], own: bool) -> None:
    sampling = request.sampling
    for name in _SAMPLING:
        value = getattr(sampling, name)
        if value is not None:
            body[name] = value
    if request.max_output is not None:
        body["max_tokens"] = request.max_output
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.n > 1:
        body["n"] = sampling.n
    if sampling.logprobs:
        body["logprobs"] = True
    if request.tools:
        body["tools"] = [_write_tool(tool, own) for tool in request.tools]
    if request.tool_choice is not None and (own or request.tools):
        body["tool_choice"] = _write_choice(request.tool_choice, request.tools)
    if request.parallel_tool_calls is not None and (own or request.tools):
        body["parallel_tool_calls"] = request.parallel_tool_calls
    if request.output.kind != "text":
        body["response_format"] = _write_output(request.output)
    if request.reasoning is not None and request.reasoning.effort:
        body["reasoning_effort"] = request.reasoning.effort
    if request.user is not None:
        body["user"] = request.user
    if request.metadata is not None and own:
        body["metadata"] = request.metadata


def _write_tool(tool: Tool, own: bool) -> dict[str, Any]:
    if own and tool.raw is not None:
        return tool.raw
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.kind == "custom":
        return {"type": "custom", "custom": function}
    if tool.schema is not None:
        function["parameters"] = tool.schema
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _write_choice(choice: ToolChoice, tools: tuple[Tool, ...]) -> str | dict[str, Any]:
    if choice.mode != "named":
        return choice.mode
    kind = "custom" if any(tool.kind == "custom" and tool.name == choice.name for tool in tools) else "function"
    return {"type": kind, kind: {"name": choice.name}}


def _write_output(output: Output) -> dict[str, Any]:
    if output.kind != "json_schema":
        return {"type": output.kind}
    spec: dict[str, Any] = {"name": output.name or "answer"}
    if output.description is not None:
        spec["description"] = output.description
    if output.schema is not None:
        spec["schema"] = output.schema
    if output.strict is not None:
        spec["strict"] = output.strict
    return {"type": "json_schema", "json_schema": spec}
