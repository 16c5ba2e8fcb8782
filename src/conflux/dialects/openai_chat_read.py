"""A chat completions request, read into a neutral one.

Law: nothing the wire names is lost: what has no neutral record stays in `extra`, or as an opaque part, for its own
dialect. Empty text is no part. Types were checked before, in openai_chat_wire.py.
"""

from typing import Any

from conflux.dialects import losses, openai_chat_thoughts
from conflux.dialects import openai_chat_wire as wire
from conflux.neutral.errors import invalid
from conflux.neutral.request import (
    Audio,
    Envelope,
    File,
    Image,
    Message,
    Opaque,
    Output,
    Part,
    Reasoning,
    Refusal,
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

_ROLES = {
    wire.System: Role.SYSTEM,
    wire.Developer: Role.DEVELOPER,
    wire.User: Role.USER,
    wire.Assistant: Role.ASSISTANT,
}

# Fields the wire knows so that they are checked, but that no neutral record holds.
_KEPT_AS_EXTRA = frozenset({"chat_template_kwargs", "web_search_options"})


FUNCTIONS = "functions"  # in the echo of a request: it offered its tools in the older form

# Where in a stream a call stood, which some clients send back.
_MEANS_NOTHING = frozenset({"index"})


# The forms of a choice, and tools, which know their own form: see losses.untold.
_FORMS = {"tool_choice": wire.Choice(function=wire.Chosen(), custom=wire.Chosen()), "tools": True}


def read_request(envelope: Envelope) -> Request:
    checked = wire.check(envelope.body)
    return Request(
        dialect=wire.NAME,
        messages=_read_messages(checked.messages),
        max_output=envelope.max_output,
        tools=_allowed(_read_tools(checked, envelope.body), checked.tool_choice),
        tool_choice=_read_choice(checked.tool_choice or checked.function_call),
        parallel_tool_calls=False if _by_function(checked) else checked.parallel_tool_calls,
        sampling=_read_sampling(checked),
        output=_read_output(checked.response_format),
        reasoning=Reasoning(effort=checked.reasoning_effort) if checked.reasoning_effort else None,
        stream=envelope.stream,
        include_usage=envelope.include_usage,
        user=checked.user,
        metadata=checked.metadata,
        extra={
            name: value
            for name, value in envelope.body.items()
            if (name not in wire.KNOWN or name in _KEPT_AS_EXTRA) and name not in wire.OURS
        },
        echo={FUNCTIONS: True} if _by_function(checked) else {},
        unread=losses.unread(envelope.body, checked, instead=_FORMS, means_nothing=_MEANS_NOTHING),
    )


def _by_function(checked: wire.ChatBody) -> bool:
    """The client knows the older form of tools only, which has one call at a time."""
    return bool(checked.functions) and not checked.tools


def _read_messages(messages: list[wire.Message]) -> tuple[Message, ...]:
    """Calls in the older form have no id: each gets its own, and a result the one of the last call of its name."""
    found, made = [], dict[str, str]()
    for place, message in enumerate(messages):
        if isinstance(message, wire.Assistant) and message.function_call is not None:
            name = message.function_call.name
            made[name] = f"call_{name}_{place}" if name in made else f"call_{name}"
        found.append(_read_message(message, place, made))
    return tuple(found)


def _read_sampling(checked: wire.ChatBody) -> Sampling:
    return Sampling(
        temperature=checked.temperature,
        top_p=checked.top_p,
        top_k=checked.top_k,
        frequency_penalty=checked.frequency_penalty,
        presence_penalty=checked.presence_penalty,
        seed=checked.seed,
        stop=(checked.stop,) if isinstance(checked.stop, str) else tuple(checked.stop or ()),
        n=checked.n or 1,
        logprobs=bool(checked.logprobs),
        top_logprobs=checked.top_logprobs,
        logit_bias=checked.logit_bias,
    )


def _read_message(message: wire.Message, place: int, made: dict[str, str]) -> Message:
    parts = _read_content(message.content)
    if isinstance(message, wire.Tool | wire.Function):
        if isinstance(message, wire.Tool):
            call_id = message.tool_call_id
        else:
            call_id = made.get(message.name, f"call_{message.name}")
        content = tuple(part for part in parts if isinstance(part, Text | Image | File))
        if len(content) != len(parts):
            raise invalid(
                f"messages[{place}].content: a tool's result holds text, images and files", f"messages[{place}].content"
            )
        return Message(role=Role.TOOL, parts=(ToolResult(call_id=call_id, content=content),))
    if isinstance(message, wire.Assistant):
        parts = _read_assistant(message, parts, made)
    return Message(role=_ROLES[type(message)], parts=tuple(parts), name=message.name)


def _read_assistant(message: wire.Assistant, parts: list[Part], made: dict[str, str]) -> list[Part]:
    found: list[Part] = []
    thought = message.reasoning_content or message.reasoning
    if message.reasoning_details:
        found += openai_chat_thoughts.read(message.reasoning_details)
    elif thought:
        found.append(Thinking(text=thought, issuer=wire.NAME))
    found += parts
    if message.refusal:
        found.append(Refusal(text=message.refusal))
    if message.audio is not None:
        found.append(Opaque(dialect=wire.NAME, kind="audio", value=message.audio))
    for call in message.tool_calls or ():
        if call.custom is not None:
            found.append(ToolCall(id=call.id, name=call.custom.name, arguments=call.custom.input, custom=True))
        elif call.function is not None:
            found.append(ToolCall(id=call.id, name=call.function.name, arguments=call.function.arguments))
    if message.function_call is not None:
        name = message.function_call.name
        found.append(ToolCall(id=made[name], name=name, arguments=message.function_call.arguments))
    return found


def _read_content(content: wire.Content) -> list[Part]:
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(text=content)] if content else []
    return [_read_part(part) for part in content if not (isinstance(part, wire.TextPart) and not part.text)]


def _read_part(part: wire.Part) -> Part:
    if isinstance(part, wire.TextPart):
        return Text(text=part.text, cache=part.cache_control)
    if isinstance(part, wire.ImagePart):
        media_type, data = split_data_url(part.image_url.url)
        if data is None:
            return Image(url=part.image_url.url, detail=part.image_url.detail, cache=part.cache_control)
        return Image(data=data, media_type=media_type, detail=part.image_url.detail, cache=part.cache_control)
    if isinstance(part, wire.AudioPart):
        return Audio(data=part.input_audio.data, format=part.input_audio.format)
    if isinstance(part, wire.FilePart):
        return _read_file(part.file, part.cache_control)
    return Refusal(text=part.refusal)


def _read_file(file: wire.FileData, cache: dict[str, Any] | None) -> File:
    media_type, data = split_data_url(file.file_data or "")
    if data is None:
        data = file.file_data
    return File(data=data, file_id=file.file_id, name=file.filename, media_type=media_type, cache=cache)


def split_data_url(url: str) -> tuple[str | None, str | None]:
    """The media type and the base64 text of a data URL; (None, None) for any other address."""
    if not url.startswith("data:"):
        return None, None
    head, found, data = url[5:].partition(",")
    if not found or not head.endswith(";base64"):
        return None, None
    return head.removesuffix(";base64") or None, data


def _read_tools(checked: wire.ChatBody, body: dict[str, Any]) -> tuple[Tool, ...]:
    found = []
    for place, tool in enumerate(checked.tools or ()):
        raw = body["tools"][place]
        if tool.function is not None:
            spec = tool.function
            found.append(Tool(name=spec.name, description=spec.description, schema=spec.parameters,
                              strict=spec.strict, raw=raw, cache=tool.cache_control))  # fmt: skip
        else:
            named = (tool.custom.name, tool.custom.description) if tool.custom is not None else (tool.type, None)
            found.append(Tool(name=named[0], description=named[1], kind=tool.type, raw=raw))
    for spec in checked.functions or ():
        found.append(Tool(name=spec.name, description=spec.description, schema=spec.parameters, strict=spec.strict))
    return tuple(found)


def _allowed(tools: tuple[Tool, ...], choice: str | dict[str, Any] | None) -> tuple[Tool, ...]:
    """Of a choice among some of the tools, those."""
    if not isinstance(choice, dict) or choice.get("type") != "allowed_tools":
        return tools
    spec = choice.get("allowed_tools")
    listed = spec.get("tools") if isinstance(spec, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        where = "tool_choice.allowed_tools.tools"
        raise invalid(f"{where}: must be a list of tools", param=where)
    inner = [one.get("function") or one.get("custom") or one for one in listed]
    names = [one.get("name") for one in inner if isinstance(one, dict)]
    return tuple(tool for tool in tools if tool.name in names)


def _read_choice(choice: str | dict[str, Any] | None) -> ToolChoice | None:
    if choice is None:
        return None
    if isinstance(choice, str):
        if choice not in ("auto", "none", "required"):
            raise invalid(f"tool_choice: {choice!r} is not one of auto, none, required", param="tool_choice")
        return ToolChoice(mode=choice)
    if choice.get("type") == "allowed_tools":
        spec = choice.get("allowed_tools")
        return _read_choice(spec.get("mode") or "auto" if isinstance(spec, dict) else "auto")
    inner = choice.get("function") or choice.get("custom") or choice
    name = inner.get("name") if isinstance(inner, dict) else None
    if not isinstance(name, str):
        raise invalid("tool_choice names no function", param="tool_choice")
    return ToolChoice(mode="named", name=name)


def _read_output(spec: wire.ResponseFormat | None) -> Output:
    if spec is None:
        return Output()
    inner = spec.json_schema
    if spec.type != "json_schema" or inner is None:
        return Output(kind=spec.type)
    return Output(kind="json_schema", name=inner.name, description=inner.description, schema=inner.schema,
                  strict=inner.strict)  # fmt: skip
