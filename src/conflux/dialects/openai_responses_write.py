"""A neutral request, written as a Responses request.

Law: what came in on this wire goes out as it came; of other dialects only what this wire has a place for. What it
cannot say is refused where the answer would be another one, else named. What the target fixes is set last, in `fit`.
"""

from typing import Any

from msgspec.structs import replace

from conflux.dialects import call_ids, freeform, losses, names, strict_json, thinking_effort
from conflux.dialects import openai_responses_wire as wire
from conflux.dialects.base import Shape, Written
from conflux.dialects.openai_responses_read import ENCRYPTED, LOGPROBS
from conflux.neutral.errors import Kind
from conflux.neutral.fields import Field, Refused
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

Item = dict[str, Any]

ID_MOST = 64


def write_request(request: Request, shape: Shape) -> Written:
    own = request.dialect == wire.NAME
    known, restored = names.fit(request)
    tools, offered = losses.callable_tools(known)
    known = replace(known, tools=tools)
    developer = "system" if shape.quirks.get("developer_role") is False else "developer"
    instructions, rest = _instructions(known.messages)
    body: dict[str, Any] = {"model": shape.model}
    if instructions:
        body["instructions"] = instructions
    body["input"] = [item for message in rest for item in _write_message(message, developer, own)]
    if not body["input"] and request.messages:  # a conversation must have one
        if not instructions:
            raise Refused(Kind.INVALID, Field.MESSAGES, losses.SILENT)
        body["input"] = [{"type": "message", "role": developer, "content": body.pop("instructions")}]
    _write_options(known, body)
    dropped = offered + _unwritten(request) + losses.parts(request, wire.NAME)
    if own:
        dropped += _write_extra(request.extra, body)
    else:
        dropped += losses.unsaid(request, wire.NAME)
    dropped += fit(body, shape)
    return Written(body=strict_json.encode(body), dropped=dropped, names=restored)


def fit(body: dict[str, Any], shape: Shape) -> tuple[str, ...]:
    """Set what the target fixes. The names of what that leaves no room for."""
    body["model"] = shape.model
    body["store"] = False  # the provider's store is one account's, shared by all callers
    if shape.stream:
        body["stream"] = True
    else:
        body.pop("stream", None)
    if shape.max_output is not None:
        body["max_output_tokens"] = shape.max_output
    if shape.temperature is not None and body.get("temperature") is None:
        body["temperature"] = shape.temperature
    if shape.effort is not None:
        body["reasoning"] = {**(body.get("reasoning") or {}), "effort": shape.effort}
    refused = [name for name in shape.quirks.get("refuses", ()) if body.pop(name, None) is not None]
    return tuple(name for name in refused if name not in ("max_output_tokens", "temperature", "store"))


def _instructions(messages: tuple[Message, ...]) -> tuple[str, tuple[Message, ...]]:
    """What the system says before anybody else, and the rest."""
    texts: list[str] = []
    place = 0
    while place < len(messages) and messages[place].role is Role.SYSTEM:
        texts += [part.text for part in messages[place].parts if isinstance(part, Text)]
        place += 1
    return "\n\n".join(texts), messages[place:]


def _write_message(message: Message, developer: str, own: bool) -> list[Item]:
    """One neutral message is one item for each call, result and thought, and one for what is said between them."""
    role = developer if message.role is Role.DEVELOPER else message.role.value
    items: list[Item] = []
    spoken: list[Item] = []
    phase: Item = {}

    def close() -> None:
        if spoken:
            items.append({"type": "message", "role": role, "content": spoken.copy(), **phase})
            spoken.clear()
            phase.clear()

    for part in message.parts:
        if isinstance(part, Text | Image | File | Audio | Refusal):
            extra = (part.extra or {}) if own and isinstance(part, Text) else {}
            if "phase" in extra:
                close()
                phase["phase"] = extra["phase"]
            notes = {"annotations": extra["annotations"]} if "annotations" in extra else {}
            spoken.append(_write_part(part, assistant=message.role is Role.ASSISTANT) | notes)
        else:
            close()
            item = _write_item(part)
            if item is not None:
                items.append(item)
    close()
    return items


def _write_item(part: Part) -> Item | None:
    match part:
        case ToolCall():
            kind, field = ("custom_tool_call", "input") if part.custom else ("function_call", "arguments")
            text = part.arguments or ("" if part.custom else "{}")
            return {"type": kind, "call_id": call_ids.short(part.id, ID_MOST), "name": part.name, field: text}
        case ToolResult():
            kind = "custom_tool_call_output" if part.custom else "function_call_output"
            return {"type": kind, "call_id": call_ids.short(part.call_id, ID_MOST), "output": _write_output(part)}
        case Thinking():
            if part.issuer != wire.NAME or not part.signature:
                return None  # what nobody signed cannot be handed back
            summary = [{"type": "summary_text", "text": part.text}] if part.text else []
            return {"type": "reasoning", "summary": summary, "encrypted_content": part.signature}
        case Opaque(dialect=wire.NAME):
            return dict(part.value)
        case _:
            return None


def _write_output(part: ToolResult) -> str | list[Item]:
    if all(isinstance(inner, Text) for inner in part.content):
        return "".join(inner.text for inner in part.content if isinstance(inner, Text))
    return [_write_part(inner, assistant=False) for inner in part.content]


def _write_part(part: Part, *, assistant: bool) -> Item:
    match part:
        case Text() if assistant:
            return {"type": "output_text", "text": part.text, "annotations": []}
        case Text():
            return {"type": "input_text", "text": part.text}
        case Refusal():
            return {"type": "refusal", "refusal": part.text}
        case Image():
            url = part.url if part.data is None else f"data:{part.media_type or 'image/png'};base64,{part.data}"
            return {"type": "input_image", "image_url": url, "detail": part.detail or "auto"}
        case Audio():
            return {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}}
        case File():
            return _write_file(part)
        case _:
            raise AssertionError(f"a part of type {type(part).__name__} is an item of its own")


def _write_file(part: File) -> Item:
    data, name = part.data, part.name
    if data is not None:
        data = f"data:{part.media_type or 'application/pdf'};base64,{data}"
        name = name or "document.pdf"
    file = {"type": "input_file", "file_data": data, "file_url": part.url, "file_id": part.file_id, "filename": name}
    return {field: value for field, value in file.items() if value is not None}


def _write_options(request: Request, body: dict[str, Any]) -> None:
    sampling, include = request.sampling, []
    for field, value in (
        ("temperature", sampling.temperature),
        ("top_p", sampling.top_p),
        ("top_logprobs", sampling.top_logprobs),
        ("max_output_tokens", request.max_output),
        ("user", request.user),
        ("metadata", request.metadata),
    ):
        if value is not None:
            body[field] = value
    if sampling.logprobs:
        include.append(LOGPROBS)
    if request.tools:
        body["tools"] = [_write_tool(tool, request.dialect == wire.NAME) for tool in request.tools]
        if request.tool_choice is not None:
            body["tool_choice"] = _write_choice(request.tool_choice, request.tools)
        if request.parallel_tool_calls is not None:
            body["parallel_tool_calls"] = request.parallel_tool_calls
    if request.output.kind != "text":
        body["text"] = {"format": _write_format(request.output)}
    reasoning = request.reasoning
    if reasoning is not None and (reasoning.effort or reasoning.summary or reasoning.budget):
        effort = thinking_effort.effort_of(reasoning) if reasoning.budget else reasoning.effort
        said = {"effort": effort, "summary": reasoning.summary}
        body["reasoning"] = {field: value for field, value in said.items() if value is not None}
        if reasoning.effort != "none":
            include.append(ENCRYPTED)
    if include:
        body["include"] = include


def _write_tool(tool: Tool, own: bool) -> Item:
    found: Item = {"type": tool.kind, "name": tool.name}
    if own:
        found |= {name: (tool.raw or {})[name] for name in losses.untold(tool.raw)}
    if tool.description is not None:
        found["description"] = tool.description
    if tool.kind == "custom":
        form = freeform.format_of(tool)
        if form is not None:
            inner = form.get("grammar") if isinstance(form, dict) else None
            found["format"] = {"type": "grammar", **inner} if isinstance(inner, dict) else form
        return found
    found["parameters"] = tool.schema or {"type": "object", "properties": {}}
    found["strict"] = bool(tool.strict)  # left out it would mean yes
    return found


def _write_choice(choice: ToolChoice, tools: tuple[Tool, ...]) -> str | Item:
    if choice.mode != "named":
        return choice.mode
    kind = next((tool.kind for tool in tools if tool.name == choice.name), "function")
    return {"type": kind, "name": choice.name}


def _write_format(output: Output) -> Item:
    if output.kind != "json_schema":
        return {"type": output.kind}
    spec = {"type": output.kind, "name": output.name or "answer", "description": output.description,
            "schema": output.schema or {"type": "object"}, "strict": output.strict}  # fmt: skip
    return {field: value for field, value in spec.items() if value is not None}


def _unwritten(request: Request) -> tuple[str, ...]:
    """What neutral records hold and this wire does not: refused where it would change what the answer is."""
    sampling = request.sampling
    refusable = ((Field.STOP, sampling.stop), (Field.CHOICES, sampling.n > 1), (Field.LOGIT_BIAS, sampling.logit_bias))
    for field, asked in refusable:
        if asked:
            text = "{field}: this model's provider has no such parameter: leave it out"
            raise Refused(Kind.UNSUPPORTED, field, text)
    hints = ("top_k", "frequency_penalty", "presence_penalty", "seed")
    found = [field for field in hints if getattr(sampling, field) is not None]
    if any(isinstance(part, Thinking) and part.text and not part.signature for part in _thoughts(request)):
        found.append("unsigned reasoning")
    if any(message.name for message in request.messages):
        found.append("messages.name")
    return tuple(found)


def _thoughts(request: Request) -> list[Part]:
    return [part for message in request.messages for part in message.parts]


def _write_extra(extra: dict[str, Any], body: dict[str, Any]) -> tuple[str, ...]:
    """The client's own fields, on their own wire; a path leads into the object it was in."""
    dropped = []
    for name, value in extra.items():
        outer, dot, inner = name.partition(".")
        if name in wire.NOT_FORWARDED or name == "store":
            dropped.append(name)
        elif outer == "include" and dot:
            body.setdefault("include", []).append(inner)
        elif dot:
            body[outer] = {**(body.get(outer) or {}), inner: value}
        else:
            body[name] = value
    return tuple(sorted(dropped))
