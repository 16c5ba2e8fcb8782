"""The openai-chat dialect: POST /v1/chat/completions.

Law: as in base.py. Requests are here, both faces; answers are in openai_chat_answers.py. A request that asks
for something this house decides (routing of its own, a service tier with another price) is never forwarded
with it: the field is left out and named.
"""

from typing import Any

from conflux.dialects import openai_chat_wire as wire
from conflux.dialects import openai_errors, strict_json
from conflux.dialects.base import AnswerReader, AnswerWriter, Lane, Shape, Wanted
from conflux.dialects.openai_chat_answers import ChatReader, ChatWriter
from conflux.dialects.openai_chat_relay import ChatPassThrough
from conflux.dialects.sse import write_data
from conflux.neutral.errors import GatewayError, invalid
from conflux.neutral.events import Fault
from conflux.neutral.request import (
    Audio,
    Envelope,
    File,
    Image,
    Message,
    Need,
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

NAME = "openai-chat"

# An image costs tokens by its size in pixels, not by its bytes; this is above what any known provider counts.
IMAGE_TOKENS_BOUND = 4096

# Fields that would let a caller route, price or choose past this gateway's own decision.
NOT_FORWARDED = frozenset(
    {"task_type", "flux", "models", "route", "provider", "transforms", "plugins", "preset", "service_tier"}
)
_OWN = frozenset({"task_type", "flux"})  # ours: not forwarding them loses nothing

_KEEP_ALIVE = b'{"id":"","object":"chat.completion.chunk","created":0,"model":"","choices":[{"index":0,"delta":{},"finish_reason":null}]}'  # noqa: E501


class OpenAIChat:
    """The dialect as the table of dialects holds it."""

    name = NAME

    def open(self, raw: bytes) -> Envelope:
        body = strict_json.decode_object(raw)
        checked = wire.check(body)
        needs, images, image_bytes = _needs(checked)
        options = checked.stream_options
        return Envelope(
            dialect=NAME,
            body=body,
            size=len(raw) - image_bytes + images * IMAGE_TOKENS_BOUND,
            model=checked.model,
            task_type=checked.task_type,
            stream=bool(checked.stream),
            include_usage=bool(options is not None and options.include_usage),
            max_output=checked.max_completion_tokens or checked.max_tokens,
            choices=checked.n or 1,
            needs=needs,
            images=images,
            effort=checked.reasoning_effort,
            end_user=checked.user,
        )

    def read_request(self, envelope: Envelope) -> Request:
        checked = wire.check(envelope.body)
        return Request(
            dialect=NAME,
            messages=tuple(_read_message(message, place) for place, message in enumerate(checked.messages)),
            max_output=envelope.max_output,
            tools=_read_tools(checked, envelope.body),
            tool_choice=_read_choice(checked.tool_choice or checked.function_call),
            parallel_tool_calls=checked.parallel_tool_calls,
            sampling=Sampling(
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
            ),
            output=_read_output(checked.response_format),
            reasoning=Reasoning(effort=checked.reasoning_effort) if checked.reasoning_effort else None,
            stream=envelope.stream,
            include_usage=envelope.include_usage,
            user=checked.user,
            metadata=checked.metadata,
            extra={
                name: value
                for name, value in envelope.body.items()
                if (name not in wire.KNOWN or name in ("chat_template_kwargs", "web_search_options"))
                and name not in NOT_FORWARDED
            },
        )

    def forward(self, envelope: Envelope, shape: Shape) -> tuple[bytes, tuple[str, ...]]:
        body = dict(envelope.body)
        dropped: tuple[str, ...] = ()
        if not NOT_FORWARDED.isdisjoint(body):
            named = sorted(NOT_FORWARDED & body.keys())
            for name in named:
                del body[name]
            dropped = tuple(name for name in named if name not in _OWN)
        _fit(body, shape)
        if shape.stream:
            body["stream"] = True
            body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
        return strict_json.encode(body), dropped

    def write_request(self, request: Request, shape: Shape) -> bytes:
        body: dict[str, Any] = {
            "model": shape.model,
            "messages": [entry for message in request.messages for entry in _write_message(message, shape)],
        }
        _write_options(request, body)
        body.update(request.extra if request.dialect == NAME else {})
        _fit(body, shape)
        if shape.stream:
            body["stream"] = True
            body["stream_options"] = {"include_usage": True}
        return strict_json.encode(body)

    def path(self, shape: Shape) -> str:
        return "/chat/completions"

    def reader(self) -> AnswerReader:
        return ChatReader()

    def writer(self, wanted: Wanted) -> AnswerWriter:
        return ChatWriter(wanted)

    def passthrough(self, wanted: Wanted) -> Lane:
        return ChatPassThrough(wanted)

    def error(self, error: GatewayError, style: str) -> tuple[int, bytes]:
        return openai_errors.body(error, style)

    def error_event(self, error: GatewayError) -> bytes:
        return write_data(strict_json.encode({"error": openai_errors.fields(error)})) + write_data(b"[DONE]")

    def keep_alive(self) -> bytes:
        return write_data(_KEEP_ALIVE)

    def upstream_error(self, status: int, body: bytes) -> Fault:
        return read_upstream_error(status, body)


def read_upstream_error(status: int, body: bytes) -> Fault:
    """An upstream's error body in OpenAI's shape, or as much of it as there is."""
    try:
        found = strict_json.decode_object(body)
    except GatewayError:
        return Fault(message="the upstream answered something that is not JSON", status=status)
    inner = found.get("error", found)
    if isinstance(inner, str):
        inner = {"message": found.get("message") or inner}
    if not isinstance(inner, dict):
        inner = {}
    code = inner.get("code") or inner.get("type")
    return Fault(message=str(inner.get("message") or ""), code=str(code) if code else None, status=status)


def _fit(body: dict[str, Any], shape: Shape) -> None:
    """Set what the target's model and its provider's quirks fix."""
    body["model"] = shape.model
    field = shape.quirks.get("max_tokens_field")
    if field is None:
        field = "max_completion_tokens" if "max_completion_tokens" in body else "max_tokens"
    body.pop("max_tokens", None)
    body.pop("max_completion_tokens", None)
    if shape.max_output is not None:
        body[field] = shape.max_output
    if shape.temperature is not None and "temperature" not in body:
        body["temperature"] = shape.temperature
    if shape.effort is not None:
        body["reasoning_effort"] = shape.effort


def _needs(checked: wire.ChatBody) -> tuple[frozenset[Need], int, int]:
    """What the whole conversation asks for; how many images, and the bytes they take in the body."""
    found: set[Need] = set()
    images = image_bytes = 0
    for message in checked.messages:
        content = message.content
        if isinstance(content, list):
            for part in content:
                if isinstance(part, wire.ImagePart):
                    found.add(Need.VISION)
                    images += 1
                    image_bytes += len(part.image_url.url)
                elif isinstance(part, wire.AudioPart):
                    found.add(Need.AUDIO)
                elif isinstance(part, wire.FilePart):
                    found.add(Need.FILES)
        if isinstance(message, wire.Assistant) and (message.tool_calls or message.function_call):
            found.add(Need.TOOLS)
    found |= _asked(checked)
    return frozenset(found), images, image_bytes


def _asked(checked: wire.ChatBody) -> set[Need]:
    """The needs that parameters state, whatever the conversation holds."""
    found: set[Need] = set()
    if checked.tools or checked.functions:
        found.add(Need.TOOLS)
    if checked.response_format is not None and checked.response_format.type != "text":
        need = _FORMATS.get(checked.response_format.type)
        if need is None:
            raise invalid(
                f"response_format.type: {checked.response_format.type!r} is not one of text, {', '.join(_FORMATS)}",
                param="response_format.type",
            )
        found.add(need)
    if checked.logprobs or checked.top_logprobs:
        found.add(Need.LOGPROBS)
    if checked.n is not None and checked.n > 1:
        found.add(Need.MANY_CHOICES)
    if checked.web_search_options is not None:
        found.add(Need.WEB_SEARCH)
    if checked.reasoning_effort not in (None, "none"):
        found.add(Need.REASONING)
    return found


_FORMATS = {"json_object": Need.JSON_MODE, "json_schema": Need.STRUCTURED_OUTPUTS}

_ROLES = {
    wire.System: Role.SYSTEM,
    wire.Developer: Role.DEVELOPER,
    wire.User: Role.USER,
    wire.Assistant: Role.ASSISTANT,
}


def _read_message(message: wire.Message, place: int) -> Message:
    if isinstance(message, wire.Tool | wire.Function):
        call_id = message.tool_call_id if isinstance(message, wire.Tool) else f"call_{message.name}"
        content = _read_content(message.content, place)
        kept = tuple(part for part in content if isinstance(part, Text | Image | File))
        return Message(role=Role.TOOL, parts=(ToolResult(call_id=call_id, content=kept),))
    parts = _read_content(message.content, place)
    if isinstance(message, wire.Assistant):
        parts = _read_assistant(message, parts)
    return Message(role=_ROLES[type(message)], parts=tuple(parts), name=message.name)


def _read_assistant(message: wire.Assistant, parts: list[Part]) -> list[Part]:
    found: list[Part] = []
    if message.reasoning_content:
        found.append(Thinking(text=message.reasoning_content, issuer=NAME))
    found += parts
    if message.refusal:
        found.append(Refusal(text=message.refusal))
    if message.audio is not None:
        found.append(Opaque(dialect=NAME, kind="audio", value=message.audio))
    for call in message.tool_calls or ():
        if call.custom is not None:
            found.append(ToolCall(id=call.id, name=call.custom.name, arguments=call.custom.input, custom=True))
        elif call.function is not None:
            found.append(ToolCall(id=call.id, name=call.function.name, arguments=call.function.arguments))
    if message.function_call is not None:
        name = message.function_call.name
        found.append(ToolCall(id=f"call_{name}", name=name, arguments=message.function_call.arguments))
    return found


def _read_content(content: wire.Content, place: int) -> list[Part]:
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
            return Image(url=part.image_url.url, detail=part.image_url.detail)
        return Image(data=data, media_type=media_type, detail=part.image_url.detail)
    if isinstance(part, wire.AudioPart):
        return Audio(data=part.input_audio.data, format=part.input_audio.format)
    if isinstance(part, wire.FilePart):
        media_type, data = split_data_url(part.file.file_data or "")
        return File(data=data or part.file.file_data, file_id=part.file.file_id, name=part.file.filename,
                    media_type=media_type)  # fmt: skip
    return Refusal(text=part.refusal)


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
                              strict=spec.strict, raw=raw))  # fmt: skip
        else:
            name = str((tool.custom or {}).get("name") or tool.type)
            found.append(Tool(name=name, description=(tool.custom or {}).get("description"), kind=tool.type, raw=raw))
    for spec in checked.functions or ():
        found.append(Tool(name=spec.name, description=spec.description, schema=spec.parameters))
    return tuple(found)


def _read_choice(choice: str | dict[str, Any] | None) -> ToolChoice | None:
    if choice is None:
        return None
    if isinstance(choice, str):
        if choice not in ("auto", "none", "required"):
            raise invalid(f"tool_choice: {choice!r} is not one of auto, none, required", param="tool_choice")
        return ToolChoice(mode=choice)
    inner = choice.get("function") or choice.get("custom") or choice
    name = inner.get("name") if isinstance(inner, dict) else None
    if not isinstance(name, str):
        raise invalid("tool_choice names no function", param="tool_choice")
    return ToolChoice(mode="named", name=name)


def _read_output(spec: wire.ResponseFormat | None) -> Output:
    if spec is None:
        return Output()
    if spec.json_schema is None:
        if spec.type == "json_schema":
            raise invalid("response_format.json_schema is missing", param="response_format.json_schema")
        return Output(kind=spec.type)
    inner = spec.json_schema
    return Output(kind="json_schema", name=inner.name, description=inner.description, schema=inner.schema,
                  strict=inner.strict)  # fmt: skip


def _write_message(message: Message, shape: Shape) -> list[dict[str, Any]]:
    """One neutral message is one wire message, but for tool results, which are one each."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    others: list[Part] = [part for part in message.parts if not isinstance(part, ToolResult)]
    entries: list[dict[str, Any]] = [
        {"role": "tool", "tool_call_id": part.call_id, "content": _write_content(part.content)} for part in results
    ]
    if not others and results:
        return entries
    role = message.role.value
    if message.role is Role.DEVELOPER and shape.quirks.get("developer_role") is False:
        role = "system"
    entry: dict[str, Any] = {"role": role}
    if message.name:
        entry["name"] = message.name
    spoken = tuple(part for part in others if isinstance(part, Text | Image | File | Audio))
    entry["content"] = _write_content(spoken) if spoken else (None if message.role is Role.ASSISTANT else "")
    if message.role is Role.ASSISTANT:
        _write_assistant(entry, others)
    entries.append(entry)
    return entries


def _write_assistant(entry: dict[str, Any], parts: list[Part]) -> None:
    thinking = "".join(part.text for part in parts if isinstance(part, Thinking))
    refusal = "".join(part.text for part in parts if isinstance(part, Refusal))
    calls = [_write_call(part) for part in parts if isinstance(part, ToolCall)]
    if thinking:
        entry["reasoning_content"] = thinking
    if refusal:
        entry["refusal"] = refusal
    if calls:
        entry["tool_calls"] = calls


def _write_call(call: ToolCall) -> dict[str, Any]:
    if call.custom:
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments or "{}"},
    }


def _write_content(parts: tuple[Part, ...]) -> str | list[dict[str, Any]]:
    if len(parts) == 1 and isinstance(parts[0], Text) and parts[0].cache is None:
        return parts[0].text
    return [_write_part(part) for part in parts]


def _write_part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Image):
        url = part.url if part.data is None else f"data:{part.media_type or 'image/png'};base64,{part.data}"
        image: dict[str, Any] = {"url": url}
        if part.detail:
            image["detail"] = part.detail
        return {"type": "image_url", "image_url": image}
    if isinstance(part, Audio):
        return {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}}
    if isinstance(part, File):
        data = part.data
        if data is not None and part.media_type:
            data = f"data:{part.media_type};base64,{data}"
        file = {"file_data": data, "file_id": part.file_id, "filename": part.name}
        return {"type": "file", "file": {name: value for name, value in file.items() if value is not None}}
    raise invalid(f"a part of type {type(part).__name__} has no place in a chat message")


def _write_options(request: Request, body: dict[str, Any]) -> None:
    sampling = request.sampling
    for name in ("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed", "top_logprobs",
                 "logit_bias"):  # fmt: skip
        value = getattr(sampling, name)
        if value is not None:
            body[name] = value
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.n > 1:
        body["n"] = sampling.n
    if sampling.logprobs:
        body["logprobs"] = True
    if request.tools:
        body["tools"] = [_write_tool(tool) for tool in request.tools]
    if request.tool_choice is not None:
        choice = request.tool_choice
        named = {"type": "function", "function": {"name": choice.name}}
        body["tool_choice"] = choice.mode if choice.mode != "named" else named
    if request.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = request.parallel_tool_calls
    if request.output.kind != "text":
        body["response_format"] = _write_output(request.output)
    if request.reasoning is not None and request.reasoning.effort:
        body["reasoning_effort"] = request.reasoning.effort
    if request.user is not None:
        body["user"] = request.user
    if request.metadata is not None and request.dialect == NAME:
        body["metadata"] = request.metadata


def _write_tool(tool: Tool) -> dict[str, Any]:
    if tool.kind != "function" and tool.raw is not None:
        return tool.raw
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.schema is not None:
        function["parameters"] = tool.schema
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


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
