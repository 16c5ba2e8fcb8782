"""The simulator's openai-chat face, reading half: bytes become an Ask, or a 400 as OpenAI gives it.

Law: as strict as the real one, so that what a gateway sends wrongly is noticed here. Written without the gateway's
dialects, as the other side of the tests. Fields it does not know pass, unless a quirk refuses them.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from conflux.sim.ask import Ask, BadRequest, Limits, Offered
from conflux.sim.openai_chat_manners import check_manners
from conflux.sim.plan import count_tokens, seed_of
from conflux.sim.quirks import Quirks

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DATA = re.compile(r"data:([^;,]*)[^,]*,")
_PER_MESSAGE, _PER_ATTACHMENT = 4, 85
# How an answer is delivered is no part of the question: stream or not, it is the same answer.
_MANNER = ("stream", "stream_options")


def _whole(low: int, high: float) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _real(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int | float) and type(value) is not bool and low <= value <= high


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind)


def _stops(value: Any) -> bool:
    values = [value] if isinstance(value, str) else value
    return isinstance(values, list) and all(isinstance(one, str) for one in values)


_FIELDS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("stream", _is(bool), "a boolean"),
    ("stream_options", _is(dict), "an object"),
    ("n", _whole(1, 128), "an integer from 1 to 128"),
    ("max_tokens", _whole(1, float("inf")), "an integer of at least 1"),
    ("max_completion_tokens", _whole(1, float("inf")), "an integer of at least 1"),
    ("temperature", _real(0, 2), "a number from 0 to 2"),
    ("top_p", _real(0, 1), "a number from 0 to 1"),
    ("presence_penalty", _real(-2, 2), "a number from -2 to 2"),
    ("frequency_penalty", _real(-2, 2), "a number from -2 to 2"),
    ("stop", _stops, "a string or several"),
    ("logprobs", _is(bool), "a boolean"),
    ("top_logprobs", _whole(0, 20), "an integer from 0 to 20"),
    ("seed", _is(int), "an integer"),
    ("tools", lambda value: isinstance(value, list) and bool(value), "an array that is not empty"),
    ("tool_choice", _is(str | dict), "a string or an object"),  # type: ignore[arg-type]
    ("parallel_tool_calls", _is(bool), "a boolean"),
    ("response_format", _is(dict), "an object"),
    ("reasoning_effort", _is(str), "a string"),
    ("user", _is(str), "a string"),
)


def read(raw: bytes, path: str, salt: int, quirks: Quirks) -> Ask:
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"We could not parse the JSON body of your request: {error}") from None
    if not isinstance(body, dict):
        raise BadRequest("the body must be an object")
    for name in quirks.refuses:
        if name in body:
            raise BadRequest(f"Unrecognized request argument supplied: {name}", name)
    body = {name: value for name, value in body.items() if value is not None}
    _check_fields(body)
    check_manners(body, quirks)
    _check_messages(body.get("messages"))
    messages = body["messages"]
    tools = _tools(body)
    schema, json_object = _shape(body)
    attachments = [seen for message in messages for seen in _attachments(message)]
    spoke = max((place for place, one in enumerate(messages) if one["role"] == "user"), default=-1)
    since = messages[spoke + 1 :]
    return Ask(
        body=body,
        path=path,
        model=body["model"],
        stream=body.get("stream", False),
        seed=_seed(body, salt),
        prompt_tokens=_prompt_tokens(body, len(attachments)),
        text=_text(messages[spoke]) if spoke >= 0 else "",
        system="\n".join(_text(one) for one in messages if one["role"] in ("system", "developer")),
        results=tuple(_text(one) for one in since if one["role"] in ("tool", "function")),
        step=sum(one["role"] == "assistant" for one in since),
        attachments=tuple(attachments),
        tools=tools,
        limits=Limits(body.get("max_completion_tokens") or body.get("max_tokens"), _stop_words(body)),
        choices=body.get("n", 1),
        schema=schema,
        json_object=json_object,
        effort=_effort(body),
        logprobs=body.get("top_logprobs", 0) if body.get("logprobs") else None,
    )


def _seed(body: dict[str, Any], salt: int) -> int:
    question = {name: value for name, value in body.items() if name not in _MANNER}
    return seed_of(msgspec.json.encode(question, order="deterministic"), salt)


def _check_fields(body: dict[str, Any]) -> None:
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise BadRequest("you must provide a model parameter", "model")
    for name, right, what in _FIELDS:
        if name in body and not right(body[name]):
            raise BadRequest(f"Invalid value for '{name}': expected {what}", name)
    if "max_tokens" in body and "max_completion_tokens" in body:
        raise BadRequest("max_tokens and max_completion_tokens cannot both be set", "max_tokens")
    if "stream_options" in body and not body.get("stream"):
        raise BadRequest("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        raise BadRequest("'top_logprobs' needs 'logprobs'", "top_logprobs")
    for name in ("tool_choice", "parallel_tool_calls"):
        if name in body and "tools" not in body:
            raise BadRequest(f"'{name}' is only allowed when 'tools' are specified.", name)


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        raise BadRequest("[] is too short - 'messages'", "messages")
    waiting: set[str] = set()  # calls that have no result yet
    for place, message in enumerate(messages):
        where = f"messages[{place}]"
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise BadRequest(f"Invalid value for '{where}.role': expected one of {', '.join(_ROLES)}", where)
        if message["role"] == "tool":
            answered = message.get("tool_call_id")
            if answered not in waiting:
                raise BadRequest(
                    f"'{where}': messages with role 'tool' must answer a call of the preceding 'tool_calls'", where
                )
            waiting.discard(answered)
        elif waiting:
            raise BadRequest(
                f"An assistant message with 'tool_calls' must be followed by a tool message for each: missing "
                f"{', '.join(sorted(waiting))} before {where}",
                where,
            )
        if message["role"] == "assistant":
            waiting = _check_calls(message, where)
        _check_content(message, where)
    if waiting:
        raise BadRequest(f"tool calls without a tool message: {', '.join(sorted(waiting))}", "messages")


def _check_calls(message: dict[str, Any], where: str) -> set[str]:
    calls = message.get("tool_calls")
    if calls is None:
        return set()
    if not isinstance(calls, list) or not calls:
        raise BadRequest(f"Invalid value for '{where}.tool_calls': expected an array that is not empty", where)
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(call.get("id"), str) or call.get("type") != "function":
            raise BadRequest(f"Invalid value in '{where}.tool_calls': id, type and function are needed", where)
        if not isinstance(function.get("arguments"), str) or not _NAME.fullmatch(str(function.get("name"))):
            raise BadRequest(f"Invalid value in '{where}.tool_calls': name and arguments are strings", where)
    found = {call["id"] for call in calls}
    if len(found) != len(calls):
        raise BadRequest(f"Duplicate id in '{where}.tool_calls'", where)
    return found


def _check_content(message: dict[str, Any], where: str) -> None:
    content, role = message.get("content"), message["role"]
    if content is None:
        if role != "assistant" or not any(message.get(name) for name in ("tool_calls", "refusal", "function_call")):
            raise BadRequest(f"Invalid value for '{where}.content': expected a string, got null", where)
        return
    if isinstance(content, str):
        return
    if not isinstance(content, list) or not content:
        raise BadRequest(f"Invalid value for '{where}.content': expected a string or an array of parts", where)
    allowed = _PARTS if role == "user" else ("text", "refusal") if role == "assistant" else ("text",)
    for number, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in allowed:
            raise BadRequest(f"Invalid value: '{kind}' as '{where}.content[{number}].type' of role {role}", where)
        inner: Any = part.get(kind)
        right = isinstance(inner, str if kind in ("text", "refusal") else dict)
        if not right:
            raise BadRequest(f"Missing or wrong '{kind}' in '{where}.content[{number}]'", where)
        if kind == "image_url" and not str(inner.get("url", "")).startswith(("data:", "http://", "https://")):
            raise BadRequest(f"Invalid image address in '{where}.content[{number}]'", where)


_PARTS = ("text", "image_url", "input_audio", "file")


def _tools(body: dict[str, Any]) -> Offered:
    schemas: dict[str, dict[str, Any]] = {}
    for place, tool in enumerate(body.get("tools", ())):
        function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
        if not isinstance(function, dict) or not _NAME.fullmatch(str(function.get("name"))):
            raise BadRequest(f"Invalid 'tools[{place}]': a function with a name of [A-Za-z0-9_-]{{1,64}}", "tools")
        parameters = function.get("parameters")
        if parameters is not None and not isinstance(parameters, dict):
            raise BadRequest(f"Invalid 'tools[{place}].function.parameters': expected a schema", "tools")
        if function["name"] in schemas:
            raise BadRequest(f"Invalid 'tools[{place}]': the name {function['name']} came before", "tools")
        schemas[function["name"]] = parameters or {}
    choice: Any = body.get("tool_choice", "auto")
    parallel = body.get("parallel_tool_calls", True)
    if isinstance(choice, dict):
        function = choice.get("function")
        name = function.get("name") if isinstance(function, dict) else None
        if choice.get("type") != "function" or name not in schemas:
            raise BadRequest(f"Tool choice '{name}' not found in 'tools' parameter.", "tool_choice")
        return Offered(schemas, forced=name, parallel=parallel)
    if choice not in ("auto", "none", "required"):
        raise BadRequest("Invalid value for 'tool_choice': expected none, auto, required or a function", "tool_choice")
    return Offered(schemas, forced="" if choice == "required" else None, forbidden=choice == "none", parallel=parallel)


def _shape(body: dict[str, Any]) -> tuple[dict[str, Any] | None, bool]:
    shape: Any = body.get("response_format", {"type": "text"})
    match shape.get("type"):
        case "text":
            return None, False
        case "json_object":
            return None, True
        case "json_schema":
            inner = shape.get("json_schema")
            if not isinstance(inner, dict) or not _NAME.fullmatch(str(inner.get("name"))):
                raise BadRequest("Missing required parameter: 'response_format.json_schema.name'", "response_format")
            if not isinstance(inner.get("schema", {}), dict):
                raise BadRequest("Invalid schema for response_format: expected an object", "response_format")
            return inner.get("schema", {}), False
        case other:
            raise BadRequest(f"Invalid value: '{other}' as 'response_format.type'", "response_format")


def _effort(body: dict[str, Any]) -> str | None:
    """Thinking is asked for in several manners: OpenAI's, and the chat templates' of open models."""
    effort = body.get("reasoning_effort")
    inner = body.get("reasoning")
    if effort is None and isinstance(inner, dict):
        effort = inner.get("effort", "medium")
    form = body.get("thinking")
    if effort is None and ((isinstance(form, dict) and form.get("type") == "enabled") or body.get("enable_thinking")):
        effort = "medium"
    flags = body.get("chat_template_kwargs")
    if effort is None and isinstance(flags, dict) and (flags.get("thinking") or flags.get("enable_thinking")):
        effort = "medium"
    return None if effort in (None, "none") else str(effort)


def _stop_words(body: dict[str, Any]) -> tuple[str, ...]:
    stops = body.get("stop", ())
    return (stops,) if isinstance(stops, str) else tuple(stops)


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part["type"] == "text")
    return content or ""


def _attachments(message: dict[str, Any]) -> list[str]:
    content = message.get("content")
    found = []
    for part in content if isinstance(content, list) else ():
        if part["type"] == "image_url":
            found.append("image " + _described(str(part["image_url"].get("url"))))
        elif part["type"] == "input_audio":
            audio = part["input_audio"]
            found.append(f"audio {audio.get('format')} of {_decoded(str(audio.get('data', '')))} bytes")
        elif part["type"] == "file":
            file = part["file"]
            inside = _described(str(file["file_data"])) if "file_data" in file else str(file.get("file_id"))
            found.append(f"file {file.get('filename', '')} {inside}")
    return found


def _described(url: str) -> str:
    data = _DATA.match(url)
    return f"{data[1]} of {_decoded(url[data.end() :])} bytes" if data else f"at {url[:100]}"


def _decoded(text: str) -> int:
    """How many bytes base64 stands for."""
    return len(text.rstrip("=")) * 3 // 4


def _prompt_tokens(body: dict[str, Any], attachments: int) -> int:
    messages = body["messages"]
    total = count_tokens("".join(_text(one) for one in messages))
    total += _PER_MESSAGE * len(messages) + _PER_ATTACHMENT * attachments
    for message in messages:
        for call in (message.get("tool_calls") or ()) if message["role"] == "assistant" else ():
            total += count_tokens(call["function"]["name"] + call["function"]["arguments"])
    for name in ("tools", "response_format"):
        if name in body:
            total += -(-len(msgspec.json.encode(body[name])) // 4)
    return total
