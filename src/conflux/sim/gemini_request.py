"""The simulator's gemini face, reading half: bytes become an Ask, or a 400 as Google gives it.

Law: as strict as the real one, so that what a gateway sends wrongly is noticed here: unknown names, schemas beyond
Gemini's own, results that do not stand right after their calls. Written without the gateway's dialects, as the other
side of the tests.
"""

import base64
import binascii
import re
from typing import Any
from urllib.parse import unquote

import msgspec

from conflux.sim.ask import Ask, BadRequest, Limits, Offered
from conflux.sim.gemini_schema import check_schema, plain_schema
from conflux.sim.plan import count_tokens, seed_of
from conflux.sim.quirks import Quirks

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
_MODEL = re.compile(r"/(?:models|tunedModels)/(.+):(generateContent|streamGenerateContent)(?:\?(.*))?")
_PER_MESSAGE, _PER_ATTACHMENT = 4, 258

_BODY = {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings", "cachedContent"}
_PART = {"text", "thought", "thoughtSignature", "inlineData", "fileData", "functionCall", "functionResponse",
         "executableCode", "codeExecutionResult", "videoMetadata"}  # fmt: skip
_TOOL = {"functionDeclarations", "googleSearch", "codeExecution", "urlContext"}
_DECLARATION = {"name", "description", "parameters", "parametersJsonSchema", "response", "behavior"}
_SETTINGS: dict[str, tuple[type, ...]] = {
    "candidateCount": (int,),
    "stopSequences": (list,),
    "maxOutputTokens": (int,),
    "temperature": (int, float),
    "topP": (int, float),
    "topK": (int, float),
    "seed": (int,),
    "presencePenalty": (int, float),
    "frequencyPenalty": (int, float),
    "responseLogprobs": (bool,),
    "logprobs": (int,),
    "responseMimeType": (str,),
    "responseSchema": (dict,),
    "responseJsonSchema": (dict,),
    "responseModalities": (list,),
    "thinkingConfig": (dict,),
}
_LEVELS = ("minimal", "low", "medium", "high")


def read(raw: bytes, path: str, salt: int, quirks: Quirks) -> Ask:
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"Invalid JSON payload received. {error}") from None
    found = _MODEL.search(unquote(path))
    if found is None or not isinstance(body, dict):
        raise BadRequest("Invalid JSON payload received.")
    stream = found[2] == "streamGenerateContent"
    if stream and "alt=sse" not in (found[3] or "").split("&"):
        raise BadRequest("the simulator streams server-sent events only: ask with alt=sse")
    _known(body, (_BODY | {"labels"} if quirks.labels else _BODY), "")
    for name in quirks.refuses:
        if name in body or name in (body.get("generationConfig") or {}):
            raise BadRequest(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.', name)
    contents = _contents(body.get("contents"), quirks, found[1])
    tools = _tools(body)
    settings = _settings(body.get("generationConfig") or {}, quirks, found[1])
    spoke = max((place for place, one in enumerate(contents) if _is_said(one)), default=-1)
    since = contents[spoke + 1 :]
    parts = [part for one in contents for part in one["parts"]]
    attachments = [seen for part in parts for seen in _attachment(part)]
    schema = settings.get("responseSchema")
    thinking = settings.get("thinkingConfig") or {}
    return Ask(
        body=body,
        path=path,
        model=found[1],
        stream=stream,
        seed=seed_of(msgspec.json.encode([found[1], body], order="deterministic"), salt),
        prompt_tokens=_prompt_tokens(body, parts, len(attachments)),
        text=_text(contents[spoke]) if spoke >= 0 else "",
        system=_text(body.get("systemInstruction") or {"parts": []}),
        results=tuple(
            _result(part["functionResponse"]) for one in since for part in one["parts"] if "functionResponse" in part
        ),
        step=sum(one.get("role") == "model" for one in since),
        attachments=tuple(attachments),
        tools=tools,
        limits=Limits(settings.get("maxOutputTokens"), tuple(settings.get("stopSequences", ()))),
        choices=settings.get("candidateCount", 1),
        schema=plain_schema(schema) if schema is not None else settings.get("responseJsonSchema"),
        json_object=settings.get("responseMimeType") == "application/json",
        effort=_effort(thinking),
        logprobs=settings.get("logprobs", 0) if settings.get("responseLogprobs") else None,
    )


def _known(value: dict[str, Any], names: set[str], where: str) -> None:
    for name in value:
        if name not in names:
            at = f" at '{where}'" if where else ""
            raise BadRequest(f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.', name)


def _contents(contents: Any, quirks: Quirks, model: str) -> list[dict[str, Any]]:
    if not isinstance(contents, list) or not contents:
        raise BadRequest("* GenerateContentRequest.contents: contents is not specified", "contents")
    waiting: list[dict[str, Any]] = []
    for place, content in enumerate(contents):
        where = f"contents[{place}]"
        if not isinstance(content, dict) or content.get("role", "user") not in ("user", "model", "function"):
            raise BadRequest("Please use a valid role: user, model.", where)
        _known(content, {"role", "parts"}, where)
        parts = content.get("parts")
        if not isinstance(parts, list) or not parts:
            raise BadRequest(f"* GenerateContentRequest.{where}.parts: contents.parts must not be empty.", where)
        for number, part in enumerate(parts):
            _part(part, f"{where}.parts[{number}]")
        answers = [part["functionResponse"] for part in parts if "functionResponse" in part]
        if waiting and [one["name"] for one in answers] != [one["name"] for one in waiting]:
            raise BadRequest(
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn.", where,
            )  # fmt: skip
        if answers and not waiting:
            raise BadRequest("function response turn comes immediately after a function call turn.", where)
        waiting = [part["functionCall"] for part in parts if "functionCall" in part]
        if waiting and content.get("role") != "model":
            raise BadRequest("Please use a valid role: only the model calls functions.", where)
        if waiting and quirks.signed_calls:
            first = next(part for part in parts if "functionCall" in part)
            if not first.get("thoughtSignature"):
                raise BadRequest(f"Function call `{waiting[0]['name']}` is missing a thought_signature.", where)
    if waiting:
        raise BadRequest("Please ensure that function call turn is followed by a function response turn.", "contents")
    return contents


def _part(part: Any, where: str) -> None:
    if not isinstance(part, dict):
        raise BadRequest(f"Invalid value at '{where}'", where)
    _known(part, _PART, where)
    if not any(name in part for name in _PART - {"thought", "thoughtSignature", "videoMetadata"}):
        raise BadRequest(f"* {where}.data: required oneof field 'data' must have one initialized field", where)
    call, answer, blob = part.get("functionCall"), part.get("functionResponse"), part.get("inlineData")
    if "text" in part and not isinstance(part["text"], str):
        raise BadRequest(f"Invalid value at '{where}.text'", where)
    for inner, body in ((call, "args"), (answer, "response")):
        if inner is None:
            continue
        _known(inner, {"id", "name", body, "parts"} if body == "response" else {"id", "name", body}, where)
        if not _NAME.fullmatch(str(inner.get("name"))) or not isinstance(inner.get(body, {}), dict):
            raise BadRequest(f"Invalid function name or {body} at '{where}'", where)
    if blob is not None:
        _known(blob, {"mimeType", "data", "displayName"}, where)
        try:
            base64.b64decode(blob["data"], validate=True)
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise BadRequest(f"Invalid value at '{where}.inlineData.data': Base64 decoding failed", where) from None
        if not blob.get("mimeType"):
            raise BadRequest(f"* {where}.inlineData.mimeType: must be set", where)
    if "fileData" in part and not str(part["fileData"].get("fileUri", "")).startswith(("https://", "http://", "gs://")):
        raise BadRequest(f"Invalid file uri at '{where}'", where)


def _tools(body: dict[str, Any]) -> Offered:
    schemas: dict[str, dict[str, Any]] = {}
    for place, tool in enumerate(body.get("tools") or ()):
        _known(tool, _TOOL, f"tools[{place}]")
        for number, one in enumerate(tool.get("functionDeclarations") or ()):
            where = f"tools[{place}].functionDeclarations[{number}]"
            _known(one, _DECLARATION, where)
            if not _NAME.fullmatch(str(one.get("name"))):
                raise BadRequest(f"* {where}.name: Invalid function name.", where)
            if one["name"] in schemas:
                raise BadRequest(f"* Duplicate function declaration found: {one['name']}", where)
            if "parameters" in one:
                check_schema(one["parameters"], f"{where}.parameters")
            schemas[one["name"]] = one.get("parametersJsonSchema") or plain_schema(one.get("parameters") or {})
    calling = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    mode, allowed = calling.get("mode", "AUTO"), calling.get("allowedFunctionNames")
    if mode not in ("AUTO", "ANY", "NONE", "VALIDATED"):
        raise BadRequest(f"Invalid value at 'tool_config.function_calling_config.mode': {mode}", "toolConfig")
    if allowed and mode not in ("ANY", "VALIDATED"):
        raise BadRequest("allowed_function_names should only be set when mode is ANY.", "toolConfig")
    if allowed and not set(allowed) <= schemas.keys():
        raise BadRequest("allowed_function_names: not declared", "toolConfig")
    if calling and not schemas:
        raise BadRequest("Function calling config is set without function_declarations.", "toolConfig")
    forced = None if mode != "ANY" else allowed[0] if allowed else ""
    return Offered(schemas, forced=forced, forbidden=mode == "NONE")


def _settings(settings: dict[str, Any], quirks: Quirks, model: str) -> dict[str, Any]:
    _known(settings, set(_SETTINGS), "generation_config")
    for name, kinds in _SETTINGS.items():
        value = settings.get(name)
        if value is not None and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
            raise BadRequest(f"Invalid value at 'generation_config.{name}'", name)
    if not 1 <= settings.get("candidateCount", 1) <= 8 or settings.get("maxOutputTokens", 1) < 1:
        raise BadRequest("candidateCount or maxOutputTokens is out of its range", "generationConfig")
    if len(settings.get("stopSequences", ())) > 5:
        raise BadRequest("The max number of stop sequences is 5.", "stopSequences")
    if not -(2**31) <= settings.get("seed", 0) < 2**31:
        raise BadRequest("Invalid value at 'generation_config.seed' (TYPE_INT32)", "seed")
    if "logprobs" in settings and not settings.get("responseLogprobs"):
        raise BadRequest("logprobs needs responseLogprobs", "logprobs")
    if settings.get("responseMimeType", "text/plain") not in ("text/plain", "application/json", "text/x.enum"):
        raise BadRequest("Unknown response_mime_type", "responseMimeType")
    if "responseSchema" in settings:
        check_schema(settings["responseSchema"], "generation_config.response_schema")
        if settings.get("responseMimeType") is None:
            raise BadRequest("response_schema needs response_mime_type application/json", "responseSchema")
    thinking = settings.get("thinkingConfig") or {}
    _known(thinking, {"thinkingBudget", "thinkingLevel", "includeThoughts"}, "thinking_config")
    if "thinkingLevel" in thinking:
        if model.startswith(quirks.no_thinking_level):
            raise BadRequest("Thinking level is not supported for this model.", "thinkingLevel")
        if str(thinking["thinkingLevel"]).lower() not in _LEVELS:
            raise BadRequest("Invalid value at 'thinking_config.thinking_level'", "thinkingLevel")
        if "thinkingBudget" in thinking:
            raise BadRequest("You can only set one of thinking budget and thinking level.", "thinkingConfig")
    return settings


def _effort(thinking: dict[str, Any]) -> str | None:
    """Thoughts are told only where they are asked for."""
    if not thinking.get("includeThoughts") or thinking.get("thinkingBudget") == 0:
        return None
    return str(thinking.get("thinkingLevel") or "medium").lower()


def _is_said(content: dict[str, Any]) -> bool:
    """Did the user speak, rather than a tool?"""
    return content.get("role", "user") == "user" and not any("functionResponse" in part for part in content["parts"])


def _text(content: dict[str, Any]) -> str:
    return "".join(part.get("text", "") for part in content.get("parts") or () if not part.get("thought"))


def _result(answer: dict[str, Any]) -> str:
    response = answer.get("response") or {}
    inner = response.get("output") if len(response) == 1 else None
    return inner if isinstance(inner, str) else msgspec.json.encode(response).decode()


def _attachment(part: dict[str, Any]) -> list[str]:
    blob, file = part.get("inlineData"), part.get("fileData")
    if blob is not None:
        kind = str(blob["mimeType"])
        what = "image" if kind.startswith("image/") else "audio" if kind.startswith("audio/") else "file"
        return [f"{what} {kind} of {len(base64.b64decode(blob['data']))} bytes"]
    if file is not None:
        what = "image" if str(file.get("mimeType", "")).startswith("image/") else "file"
        return [f"{what} at {str(file['fileUri'])[:100]}"]
    return []


def _prompt_tokens(body: dict[str, Any], parts: list[dict[str, Any]], attachments: int) -> int:
    total = count_tokens("".join(part.get("text", "") for part in parts) + _text(body.get("systemInstruction") or {}))
    total += _PER_MESSAGE * len(body["contents"]) + _PER_ATTACHMENT * attachments
    for part in parts:
        for name in ("functionCall", "functionResponse"):
            if name in part:
                total += -(-len(msgspec.json.encode(part[name])) // 4)
    if "tools" in body:
        total += -(-len(msgspec.json.encode(body["tools"])) // 4)
    return total
