"""A Responses request, read into a neutral one.

Law: nothing the wire names is lost: what has no neutral record stays in `extra`, or as an opaque part, for its own
dialect. What one answer said is one message, and the results of its calls follow it at once, whatever stood between.
"""

import json
from typing import Any

import msgspec
from msgspec.structs import replace

from conflux.dialects import losses
from conflux.dialects import openai_responses_wire as wire
from conflux.dialects.openai_chat_read import split_data_url
from conflux.dialects.openai_responses_tools import SHELL, choice_of, flat, tools_of, unread_groups
from conflux.dialects.signatures import unwrap
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
    ToolCall,
    ToolResult,
)

LOGPROBS = "message.output_text.logprobs"
ENCRYPTED = "reasoning.encrypted_content"
_REDACTED = "/redacted"

# An answer's own parts; the results of what it called have messages of their own.
_RESULTS = wire.CallOutput | wire.ShellOutput
_COMPACTED = frozenset({"compaction", "compaction_summary", "context_compaction"})


_CHOICE = {"tool_choice": wire.Choice()}
_TOLD = frozenset({"reasoning", "text"})
# What an item got when it was answered, and comes back with.
_ANSWERED = frozenset({"id", "status", "created_by", "type"})


def read_request(envelope: Envelope) -> Request:
    body = envelope.body
    checked, items = wire.check(body)
    tools = tools_of(checked)
    return Request(
        dialect=wire.NAME,
        messages=tuple(_read_messages(checked, items)),
        max_output=envelope.max_output,
        tools=tools,
        tool_choice=choice_of(checked.tool_choice),
        parallel_tool_calls=checked.parallel_tool_calls,
        sampling=Sampling(
            temperature=checked.temperature,
            top_p=checked.top_p,
            logprobs=LOGPROBS in (checked.include or ()),
            top_logprobs=checked.top_logprobs or None,  # 0 is how some clients say none
        ),
        output=_read_output(checked.text),
        reasoning=_read_reasoning(checked.reasoning),
        stream=envelope.stream,
        include_usage=True,
        user=checked.user,
        metadata=checked.metadata,
        extra=_extra(checked, body),
        unread=losses.unread(body, checked, instead={"input": items, **_CHOICE}, told=_TOLD, means_nothing=_ANSWERED)
        + unread_groups(checked),
        echo={name: body[name] for name in ECHOED if body.get(name) is not None} | {"include": checked.include or []},
    )


ECHOED = (
    "instructions", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls", "prompt_cache_key",
    "reasoning", "safety_identifier", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p",
    "truncation", "user",
)  # fmt: skip


def _extra(checked: wire.Body, body: dict[str, Any]) -> dict[str, Any]:
    """What no neutral record holds, by its name; a field inside of another by its path."""
    found = {name: value for name, value in body.items() if value is not None and name not in wire.CARRIED}
    if found.get("truncation") == "disabled":
        del found["truncation"]  # that is how everybody does it
    for outer, inside in (("reasoning", wire.ReasoningSpec), ("text", wire.TextSpec)):
        for name, value in (body.get(outer) or {}).items():
            if name not in inside.__struct_fields__ and value is not None:
                found[f"{outer}.{name}"] = value
    if checked.store:
        found["store"] = True
    for name in checked.include or ():
        if name not in (LOGPROBS, ENCRYPTED):
            found[f"include.{name}"] = True
    return found


def _read_reasoning(spec: wire.ReasoningSpec | None) -> Reasoning | None:
    if spec is None or (spec.effort is None and spec.summary is None):
        return None
    return Reasoning(effort=spec.effort, summary=spec.summary)


def _read_output(spec: wire.TextSpec | None) -> Output:
    form = spec.format if spec is not None else None
    if form is None:
        return Output()
    return Output(kind=form.type, name=form.name, description=form.description, schema=form.schema, strict=form.strict)


def _read_messages(checked: wire.Body, items: list[wire.Item]) -> list[Message]:
    found: list[Message] = []
    if checked.instructions:
        found.append(Message(role=Role.SYSTEM, parts=(Text(text=checked.instructions),)))
    answer: list[Part] = []  # what the model said in one go
    for place, item in enumerate(items):
        raw = checked.input[place] if not isinstance(checked.input, str) else {}
        if isinstance(item, _RESULTS) or (isinstance(item, wire.MessageItem) and item.role != "assistant"):
            if answer:
                found.append(Message(role=Role.ASSISTANT, parts=tuple(answer)))
                answer = []
            found.append(_read_result(item) if isinstance(item, _RESULTS) else _read_message(item))
        else:
            answer += _read_answer(item, raw)
    if answer:
        found.append(Message(role=Role.ASSISTANT, parts=tuple(answer)))
    return paired(found)


def _read_message(item: wire.MessageItem) -> Message:
    return Message(role=Role(item.role), parts=tuple(_read_content(item.content)))


def _read_answer(item: wire.Item, raw: dict[str, Any]) -> list[Part]:
    match item:
        case wire.MessageItem():
            return _phased(_read_content(item.content), item.phase)
        case wire.ReasoningItem():
            return [_read_thinking(item)]
        case wire.FunctionCall():
            return [ToolCall(id=item.call_id, name=flat(item.namespace, item.name), arguments=item.arguments)]
        case wire.CustomCall():
            name = flat(item.namespace, item.name)
            return [ToolCall(id=item.call_id, name=name, arguments=item.input, custom=True)]
        case wire.ShellCall():
            arguments = json.dumps(item.action, ensure_ascii=False)
            return [ToolCall(id=item.call_id or item.id or SHELL, name=SHELL, arguments=arguments)]
        case _:
            kind = str(raw.get("type", "item_reference"))
            return [Opaque(dialect=wire.NAME, kind=kind, value=raw, vital=kind in _COMPACTED)]


def _phased(parts: list[Part], phase: str | None) -> list[Part]:
    """What a message was to its answer stands at its first text."""
    first = parts[0] if parts else None
    if phase is None or not isinstance(first, Text):
        return parts
    return [replace(first, extra={**(first.extra or {}), "phase": phase}), *parts[1:]]


def _read_thinking(item: wire.ReasoningItem) -> Thinking:
    text = "\n\n".join(said.text for said in item.summary or item.content or ())
    if not item.encrypted_content:
        return Thinking(text=text)
    signature, issuer = unwrap(item.encrypted_content, wire.NAME)
    if issuer.endswith(_REDACTED):
        return Thinking(text=text, redacted=signature, issuer=issuer.removesuffix(_REDACTED))
    return Thinking(text=text, signature=signature, issuer=issuer)


def redacted_issuer(issuer: str) -> str:
    """Whose thinking nobody may read: told apart from whose signature it is."""
    return issuer + _REDACTED


def _read_result(item: wire.CallOutput | wire.ShellOutput) -> Message:
    call_id = item.call_id or (item.id if isinstance(item, wire.ShellOutput) else None) or SHELL
    parts = _read_content(unwrapped(item.output))
    content = tuple(part for part in parts if isinstance(part, Text | Image | File))
    if len(content) != len(parts):
        raise invalid(f"input: the output of the call {call_id!r} holds text, images and files only", "input")
    custom = isinstance(item, wire.CustomOutput)
    return Message(role=Role.TOOL, parts=(ToolResult(call_id=call_id, content=content, custom=custom),))


_parts = msgspec.json.Decoder(list[wire.Part])


def unwrapped(output: wire.Output) -> wire.Output:
    """A text that is the JSON of parts with an image among them is those parts: so some clients send them."""
    if not isinstance(output, str) or not output.lstrip().startswith("[") or '"input_image"' not in output:
        return output
    try:
        found = _parts.decode(output)
    except msgspec.MsgspecError:
        return output
    return found if any(isinstance(part, wire.InputImage) for part in found) else output


def _read_content(content: wire.Output) -> list[Part]:
    if isinstance(content, str):
        return [Text(text=content)] if content else []
    texts = (wire.InputText, wire.OutputText)
    return [_read_part(part) for part in content if not (isinstance(part, texts) and not part.text)]


def _read_part(part: wire.Part) -> Part:
    match part:
        case wire.OutputText() if part.annotations:
            return Text(text=part.text, extra={"annotations": part.annotations})
        case wire.InputText() | wire.OutputText():
            return Text(text=part.text)
        case wire.InputImage():
            media_type, data = split_data_url(part.image_url or "")
            if data is None:
                return Image(url=part.image_url, detail=part.detail)
            return Image(data=data, media_type=media_type, detail=part.detail)
        case wire.InputFile():
            media_type, data = split_data_url(part.file_data or "")
            if data is None:
                data = part.file_data
            return File(data=data, media_type=media_type, url=part.file_url, file_id=part.file_id, name=part.filename)
        case wire.InputAudio():
            return Audio(data=part.input_audio.data, format=part.input_audio.format)
        case wire.RefusalPart():
            return Refusal(text=part.refusal)


def paired(messages: list[Message]) -> list[Message]:
    """Every call followed at once by its result: what stood between them comes after."""
    results: dict[str, list[Message]] = {}
    for message in messages:
        if message.role is Role.TOOL:
            results.setdefault(_call_id(message), []).append(message)
    found: list[Message] = []
    for message in messages:
        if message.role is Role.TOOL:
            continue
        found.append(message)
        for part in message.parts:
            if isinstance(part, ToolCall):
                waiting = results.get(part.id)
                if not waiting:
                    raise invalid(f"input: the call {part.id!r} has no output: send one for each call", "input")
                found.append(waiting.pop(0))
    for call_id, waiting in results.items():
        if waiting:
            raise invalid(f"input: there is no call {call_id!r} before its output", "input")
    return found


def _call_id(message: Message) -> str:
    (part,) = message.parts
    assert isinstance(part, ToolResult), "a message of a tool holds one result"
    return part.call_id
