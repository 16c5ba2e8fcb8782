"""A generateContent request, read into a neutral one.

Law: nothing the wire names is lost: what has no neutral record stays in `extra` by its path, or as an opaque part, for
Gemini itself; what could be neither is refused by name. Calls without an id get one, and results find theirs by id, by
name, or by order.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

from conflux.dialects import gemini_names, strict_json
from conflux.dialects import gemini_wire as wire
from conflux.dialects.gemini_ids import made, sign
from conflux.dialects.gemini_schema import to_json_schema
from conflux.dialects.signatures import unwrap
from conflux.neutral.errors import GatewayError, Kind, invalid
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

REDACTED = "#redacted"  # after an issuer's name: what it sent is no signature but the thought itself, sealed
SEARCHES = frozenset({"googleSearch", "googleSearchRetrieval", "enterpriseWebSearch"})

_ONLY_OURS = ("executable_code", "code_execution_result", "tool_call", "tool_response", "video_metadata",
              "media_resolution", "part_metadata")  # fmt: skip
_READ_SETTINGS = frozenset(gemini_names.MESSAGES["generationConfig"]) - {
    "responseModalities",
    "mediaResolution",
    "speechConfig",
    "imageConfig",
    "enableEnhancedCivicAnswers",
}
_MODES = {"AUTO": "auto", "VALIDATED": "auto", "ANY": "required", "NONE": "none", "MODE_UNSPECIFIED": "auto"}
_AUDIO = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav"}


def read_request(envelope: Envelope) -> Request:
    body = envelope.body
    checked = wire.check(body)
    extra = _extra(body, gemini_names.tidy(body))
    settings = checked.generation_config or wire.GenerationConfig()
    messages = list(_system(checked.system_instruction))
    messages += _Conversation().read(checked.contents, body["contents"])
    tools = tuple(_tools(checked, body))
    choice, offered = _choice(checked.tool_config, tools, extra)
    return Request(
        dialect=wire.NAME,
        messages=tuple(messages),
        max_output=settings.max_output_tokens,
        tools=offered,
        tool_choice=choice,
        sampling=_sampling(settings),
        output=_output(settings),
        reasoning=_reasoning(settings.thinking_config),
        stream=envelope.stream,
        include_usage=True,
        extra=extra,
    )


def _extra(body: dict[str, Any], unknown: list[str]) -> dict[str, Any]:
    """What only Gemini understands, by path. A part that nobody knows cannot be left out unsaid."""
    extra: dict[str, Any] = {}
    for path in unknown:
        step, _, name = path.partition(".")
        if path in body:
            extra[path] = body[path]
        elif step == "generationConfig" and name in body[step]:
            extra[path] = body[step][name]
        elif not step.startswith("tools["):
            raise invalid(f"{path}: this field is not known here: leave it out", param=path)
        elif ".functionDeclarations[" in path:
            extra[path] = True  # a declaration goes to Gemini as it came; only its name is needed
    for place, tool in enumerate(body.get("tools") or ()):
        for number, one in enumerate(tool.get("functionDeclarations") or ()):
            for name in ("response", "responseJsonSchema", "behavior"):
                if one.get(name) is not None:
                    extra[f"tools[{place}].functionDeclarations[{number}].{name}"] = True
    for name in ("safetySettings", "labels"):
        if body.get(name) is not None:
            extra[name] = body[name]
    for name, value in (body.get("generationConfig") or {}).items():
        if (
            name not in _READ_SETTINGS
            and value is not None
            and not (name == "responseModalities" and value == ["TEXT"])
        ):
            extra[f"generationConfig.{name}"] = value
    return extra


def _system(content: wire.Content | None) -> Iterator[Message]:
    parts = tuple(Text(text=part.text) for part in (content.parts if content else None) or () if part.text)
    if content is not None and len(parts) != sum(part.text != "" for part in content.parts or ()):
        raise invalid("systemInstruction.parts: an instruction is text", param="systemInstruction.parts")
    if parts:
        yield Message(role=Role.SYSTEM, parts=parts)


class _Conversation:
    """The messages, and which calls still wait for their result."""

    def __init__(self) -> None:
        self._calls = 0
        self._waiting: list[tuple[str, str]] = []  # id, name

    def read(self, contents: list[wire.Content], raw: list[Any]) -> Iterator[Message]:
        for place, content in enumerate(contents):
            where = f"contents[{place}].parts"
            results: list[Part] = []
            others: list[Part] = []
            if content.role == "model":
                self._waiting = []
            for number, part in enumerate(content.parts or ()):
                path = f"{where}[{number}]"
                if part.function_response is not None:
                    results.append(self._result(part.function_response, path))
                else:
                    others += self._part(part, raw[place]["parts"][number], path)
            if results:
                yield Message(role=Role.TOOL, parts=tuple(results))
            if others:
                yield Message(role=Role.ASSISTANT if content.role == "model" else Role.USER, parts=tuple(others))

    def _part(self, part: wire.Part, raw: dict[str, Any], path: str) -> Iterator[Part]:
        for name in _ONLY_OURS:
            if getattr(part, name) is not None:
                yield Opaque(dialect=wire.NAME, kind=name, value=raw)
                return
        if part.function_call is not None:
            yield self._call(part.function_call, part.thought_signature)
            return
        if part.thought:
            yield _thinking(part.text or "", part.thought_signature)
            return
        if part.thought_signature:
            yield _thinking("", part.thought_signature)  # belongs to what follows
        if part.text:
            yield Text(text=part.text)
        elif part.inline_data is not None:
            yield _blob(part.inline_data)
        elif part.file_data is not None:
            yield _file(part.file_data)

    def _call(self, call: wire.FunctionCall, signature: str | None) -> ToolCall:
        self._calls += 1
        call_id = sign(call.id or made("request", self._calls, call.name), signature)
        self._waiting.append((call_id, call.name))
        return ToolCall(id=call_id, name=call.name, arguments=strict_json.encode(call.args or {}).decode())

    def _result(self, answer: wire.FunctionResponse, path: str) -> ToolResult:
        found = self._answered(answer)
        if found is None:
            raise invalid(f"{path}.functionResponse: no functionCall before it waits for {answer.name!r}",
                          param=f"{path}.functionResponse")  # fmt: skip
        self._waiting.remove(found)
        text, is_error = _output_of(answer.response or {})
        content: list[Text | Image | File] = [Text(text=text)] if text else []
        for part in answer.parts or ():
            held = _blob(part.inline_data) if part.inline_data is not None else None
            if part.file_data is not None:
                held = _file(part.file_data)
            if not isinstance(held, Image | File):
                raise invalid(f"{path}.functionResponse.parts: a result holds images and files", param=path)
            content.append(held)
        return ToolResult(call_id=found[0], content=tuple(content), is_error=is_error)

    def _answered(self, answer: wire.FunctionResponse) -> tuple[str, str] | None:
        if answer.id:
            for one in self._waiting:
                if one[0] == answer.id or one[0].startswith(answer.id + "_cfxt"):
                    return one
        return next((one for one in self._waiting if one[1] == answer.name), None) or next(iter(self._waiting), None)


def _thinking(text: str, signature: str | None) -> Thinking:
    if not signature:
        return Thinking(text=text)
    found, issuer = unwrap(signature, wire.NAME)
    if issuer.endswith(REDACTED):
        return Thinking(text=text, redacted=found, issuer=issuer.removesuffix(REDACTED))
    return Thinking(text=text, signature=found, issuer=issuer)


def _blob(blob: wire.Blob) -> Part:
    kind = blob.mime_type.lower()
    if kind.startswith("image/"):
        return Image(data=blob.data, media_type=blob.mime_type)
    if kind in _AUDIO:
        return Audio(data=blob.data, format=_AUDIO[kind])
    if kind == "text/plain":
        return File(data=_text_in(blob.data), media_type=kind, name=blob.display_name)
    return File(data=blob.data, media_type=blob.mime_type, name=blob.display_name)


def _text_in(data: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except ValueError:  # not base64, not ASCII, or not UTF-8
        raise invalid("contents: inlineData of the type text/plain is not base64 of UTF-8", "contents") from None


def _file(file: wire.FileData) -> Part:
    if file.mime_type is not None and file.mime_type.lower().startswith("image/"):
        return Image(url=file.file_uri, media_type=file.mime_type)
    return File(url=file.file_uri, media_type=file.mime_type, name=file.display_name)


def _output_of(response: dict[str, Any]) -> tuple[str, bool]:
    """A result as text: what stands under `output` or `error` alone, else all of it as JSON."""
    if len(response) == 1:
        ((name, value),) = response.items()
        if name in ("output", "error") and isinstance(value, str):
            return value, name == "error"
    return (json.dumps(response, ensure_ascii=False) if response else ""), "error" in response


def _tools(checked: wire.Body, body: dict[str, Any]) -> Iterator[Tool]:
    for place, tool in enumerate(checked.tools or ()):
        raw = body["tools"][place]
        for number, one in enumerate(tool.function_declarations or ()):
            schema = one.parameters_json_schema
            if schema is None and one.parameters is not None:
                schema = to_json_schema(one.parameters)
            yield Tool(name=one.name, description=one.description, schema=schema,
                       raw=raw["functionDeclarations"][number])  # fmt: skip
        for name, value in raw.items():
            if name != "functionDeclarations" and value is not None:
                yield Tool(name=name, kind="web_search" if name in SEARCHES else name, raw={name: value})


def _choice(
    config: wire.ToolConfig | None, tools: tuple[Tool, ...], extra: dict[str, Any]
) -> tuple[ToolChoice | None, tuple[Tool, ...]]:
    """The choice, and the tools it leaves: only those that may be called, where one of several must be."""
    if config is None:
        return None, tools
    if config.retrieval_config is not None:
        extra["toolConfig.retrievalConfig"] = config.retrieval_config
    calling = config.function_calling_config
    if calling is None or calling.mode is None:
        return None, tools
    where = "toolConfig.functionCallingConfig"
    mode = _MODES.get(calling.mode.upper())
    if mode is None:
        raise invalid(f"{where}.mode: {calling.mode!r} is not one of AUTO, ANY, NONE, VALIDATED", param=f"{where}.mode")
    if calling.mode.upper() == "VALIDATED":
        extra[f"{where}.mode"] = "VALIDATED"
    allowed = set(calling.allowed_function_names or ())
    stray = sorted(allowed - {tool.name for tool in tools if tool.kind == "function"})
    if stray:
        path = f"{where}.allowedFunctionNames"
        raise invalid(f"{path}: {stray[0]!r} is none of the functions declared", param=path)
    if mode == "required" and len(allowed) == 1:
        return ToolChoice(mode="named", name=allowed.pop()), tools
    if allowed:
        tools = tuple(tool for tool in tools if tool.kind != "function" or tool.name in allowed)
    return ToolChoice(mode=mode), tools


def _sampling(settings: wire.GenerationConfig) -> Sampling:
    return Sampling(
        temperature=settings.temperature,
        top_p=settings.top_p,
        top_k=int(settings.top_k) if settings.top_k is not None else None,
        frequency_penalty=settings.frequency_penalty,
        presence_penalty=settings.presence_penalty,
        seed=settings.seed,
        stop=tuple(settings.stop_sequences or ()),
        n=settings.candidate_count or 1,
        logprobs=bool(settings.response_logprobs),
        top_logprobs=settings.logprobs,
    )


def _output(settings: wire.GenerationConfig) -> Output:
    kind = settings.response_mime_type or "text/plain"
    schema = settings.response_json_schema or settings.old_json_schema
    if schema is None and settings.response_schema is not None:
        schema = to_json_schema(settings.response_schema)
    if kind == "text/plain" and schema is None:
        return Output()
    if kind != "application/json":
        where = "generationConfig.responseMimeType"
        text = f"{where}: {kind!r} is not spoken by this model's provider: use application/json with a schema"
        raise GatewayError(Kind.UNSUPPORTED, text, param=where)
    if schema is None:
        return Output(kind="json_object")
    return Output(kind="json_schema", name="answer", schema=schema)


def _reasoning(config: wire.Thinking | None) -> Reasoning | None:
    if config is None:
        return None
    level = config.thinking_level.lower() if config.thinking_level else None
    if level == "thinking_level_unspecified":
        level = None
    budget = config.thinking_budget
    return Reasoning(
        effort=level,
        budget=budget if budget is not None and budget > 0 else None,
        enabled=None if budget is None else budget != 0,
        summary="auto" if config.include_thoughts else None,
    )
