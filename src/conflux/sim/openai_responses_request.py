"""The simulator's openai-responses face, reading half: bytes become an Ask, or a 400 as OpenAI gives it.

Law: as strict as the real one, so that what a gateway sends wrongly is noticed here. Written without the gateway's
dialects, as the other side of the tests.
"""

import re
from typing import Any

import msgspec

from conflux.sim.ask import Ask, BadRequest, Limits, Offered
from conflux.sim.plan import count_tokens, seed_of
from conflux.sim.quirks import Quirks

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DATA = re.compile(r"data:([^;,]*)[^,]*,")
_PER_ITEM, _PER_ATTACHMENT = 4, 85
_MANNER = ("stream", "stream_options", "store")  # how an answer is delivered is no part of the question
_FIELDS: tuple[tuple[str, type | tuple[type, ...], str], ...] = (
    ("instructions", str, "a string"),
    ("stream", bool, "a boolean"),
    ("store", bool, "a boolean"),
    ("max_output_tokens", int, "an integer"),
    ("temperature", (int, float), "a number"),
    ("top_p", (int, float), "a number"),
    ("top_logprobs", int, "an integer"),
    ("tools", list, "an array"),
    ("tool_choice", (str, dict), "a string or an object"),
    ("parallel_tool_calls", bool, "a boolean"),
    ("text", dict, "an object"),
    ("reasoning", dict, "an object"),
    ("include", list, "an array"),
    ("metadata", dict, "an object"),
    ("user", str, "a string"),
)
# Of the chat protocol and others: the real one knows none of them.
_UNKNOWN = ("messages", "max_tokens", "max_completion_tokens", "n", "stop", "seed", "top_k", "frequency_penalty",
            "presence_penalty", "logit_bias", "response_format", "reasoning_effort", "functions", "task_type", "flux",
            "chat_template_kwargs", "thinking", "system")  # fmt: skip
_PARTS = {
    "assistant": ("output_text", "refusal"),
    "user": ("input_text", "input_image", "input_file", "input_audio"),
    "system": ("input_text",),
    "developer": ("input_text",),
}
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
_OTHERS = ("reasoning", "web_search_call", "tool_search_call", "compaction")
_TOOLS = ("function", "custom", "namespace", "web_search", "tool_search", "image_generation", "local_shell")
CUSTOM = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}


def read(raw: bytes, path: str, salt: int, quirks: Quirks) -> Ask:
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"We could not parse the JSON body of your request: {error}") from None
    if not isinstance(body, dict):
        raise BadRequest("the body must be an object")
    for name in (*quirks.refuses, *_UNKNOWN):
        if name in body:
            raise BadRequest(f"Unknown parameter: '{name}'.", name)
    body = {name: value for name, value in body.items() if value is not None}
    _check_fields(body)
    items = _items(body)
    _check_pairs(items)
    spoke = max((place for place, one in enumerate(items) if one.get("role") == "user"), default=-1)
    since = items[spoke + 1 :]
    tools = _tools(body)
    schema, json_object = _shape(body)
    attachments = [seen for item in items for seen in _attachments(item)]
    question = {name: value for name, value in body.items() if name not in _MANNER}
    effort = body.get("reasoning", {}).get("effort")
    return Ask(
        body=body,
        path=path,
        model=body["model"],
        stream=body.get("stream", False),
        seed=seed_of(msgspec.json.encode(question, order="deterministic"), salt),
        prompt_tokens=_prompt_tokens(body, items, len(attachments)),
        text=text_of(items[spoke]) if spoke >= 0 else "",
        system="\n".join([body.get("instructions", "")]
                         + [text_of(one) for one in items if one.get("role") in ("system", "developer")]),
        results=tuple(text_of(one) for one in since if one["type"].endswith("_output")),
        step=_turns(since),
        attachments=tuple(attachments),
        tools=tools,
        limits=Limits(body.get("max_output_tokens")),
        schema=schema,
        json_object=json_object,
        effort=None if effort in (None, "none") else str(effort),
        logprobs=body.get("top_logprobs", 0) if "message.output_text.logprobs" in body.get("include", ()) else None,
    )  # fmt: skip


def _check_fields(body: dict[str, Any]) -> None:
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise BadRequest("Missing required parameter: 'model'.", "model")
    for name, kind, what in _FIELDS:
        value = body.get(name)
        if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise BadRequest(f"Invalid type for '{name}': expected {what}", name)
    if body.get("max_output_tokens", 16) < 1:
        raise BadRequest("Invalid 'max_output_tokens': integer below minimum value", "max_output_tokens")
    for name in ("previous_response_id", "background", "conversation", "prompt"):
        if body.get(name):
            raise BadRequest(f"the simulator keeps nothing: '{name}'", name)


def _items(body: dict[str, Any]) -> list[dict[str, Any]]:
    found = body.get("input")
    if isinstance(found, str):
        return [{"type": "message", "role": "user", "content": found}]
    if not isinstance(found, list) or not found:
        raise BadRequest("Missing required parameter: 'input'.", "input")
    items = []
    for place, item in enumerate(found):
        where = f"input[{place}]"
        if not isinstance(item, dict):
            raise BadRequest(f"Invalid type for '{where}': expected an object", where)
        item = {"type": "message", **item}
        _check_item(item, where)
        items.append(item)
    return items


def _check_item(item: dict[str, Any], where: str) -> None:
    kind = item["type"]
    if kind == "message":
        if item.get("role") not in _PARTS:
            raise BadRequest(f"Invalid value: '{item.get('role')}' as '{where}.role'", where)
        _check_content(item.get("content"), where, _PARTS[item["role"]])
    elif kind in _CALLS:
        texts = (item.get("call_id"), item.get("name"), item.get(_CALLS[kind]))
        if not all(isinstance(text, str) for text in texts) or not _NAME.fullmatch(str(item["name"])):
            raise BadRequest(f"Missing or invalid parameter in '{where}': call_id, name, {_CALLS[kind]}", where)
    elif kind in ("function_call_output", "custom_tool_call_output"):
        if not isinstance(item.get("call_id"), str):
            raise BadRequest(f"Missing required parameter: '{where}.call_id'", where)
        _check_content(item.get("output"), where, _PARTS["user"])
    elif kind == "reasoning":
        if not isinstance(item.get("summary"), list):
            raise BadRequest(f"Missing required parameter: '{where}.summary'", where)
        if not isinstance(item.get("encrypted_content"), str):
            raise BadRequest(
                f"Item '{item.get('id')}' not found. Items are not persisted when `store` is false.", where
            )
        if not item["encrypted_content"].startswith("sealed-"):
            raise BadRequest("The encrypted content could not be verified.", where)
    elif kind not in _OTHERS:
        raise BadRequest(f"Invalid value: '{kind}' as '{where}.type'", where)


def _check_content(content: Any, where: str, allowed: tuple[str, ...]) -> None:
    if isinstance(content, str):
        return
    if not isinstance(content, list) or not content:
        raise BadRequest(f"Invalid type for '{where}.content': expected a string or an array", where)
    for number, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in allowed:
            raise BadRequest(f"Invalid value: '{kind}'. Supported values are: {', '.join(allowed)}",
                             f"{where}.content[{number}]")  # fmt: skip
        needed = {"refusal": "refusal", "input_image": "image_url", "input_audio": "input_audio"}.get(kind, "text")
        if kind != "input_file" and not part.get(needed) and needed not in part:
            raise BadRequest(f"Missing required parameter: '{where}.content[{number}].{needed}'", where)


def _check_pairs(items: list[dict[str, Any]]) -> None:
    waiting: dict[str, str] = {}
    for item in items:
        if item["type"] in _CALLS:
            waiting[item["call_id"]] = item["type"]
            continue
        kind, suffix, _ = item["type"].partition("_output")
        if suffix and waiting.pop(item.get("call_id", ""), None) != kind:
            raise BadRequest(f"No tool call found for function call output with call_id {item['call_id']}.", "input")
    if waiting:
        raise BadRequest(f"No tool output found for function call {', '.join(waiting)}.", "input")


def _tools(body: dict[str, Any]) -> Offered:
    schemas: dict[str, dict[str, Any]] = {}
    for place, tool in enumerate(body.get("tools", ())):
        kind = tool.get("type") if isinstance(tool, dict) else None
        inner = tool.get("tools", ()) if kind == "namespace" else (tool,)
        if kind not in _TOOLS:
            raise BadRequest(f"Invalid value: '{kind}' as 'tools[{place}].type'", f"tools[{place}]")
        for one in inner:
            if one.get("type") not in ("function", "custom"):
                continue
            name = str(one.get("name", ""))
            if not _NAME.fullmatch(name) or not isinstance(one.get("parameters") or {}, dict):
                raise BadRequest(f"Invalid 'tools[{place}].name': expected [A-Za-z0-9_-]{{1,64}}", f"tools[{place}]")
            if name in schemas:
                raise BadRequest(f"Invalid 'tools[{place}]': the name {name} came before", f"tools[{place}]")
            schemas[name] = CUSTOM if one["type"] == "custom" else one.get("parameters") or {}
    choice: Any = body.get("tool_choice", "auto")
    parallel = body.get("parallel_tool_calls", True)
    if isinstance(choice, dict):
        if choice.get("name") not in schemas:
            raise BadRequest(f"Tool choice '{choice.get('name')}' not found in 'tools' parameter.", "tool_choice")
        return Offered(schemas, forced=choice["name"], parallel=parallel)
    if choice not in ("auto", "none", "required"):
        raise BadRequest(f"Invalid value: '{choice}' as 'tool_choice'", "tool_choice")
    if choice == "required" and not schemas:
        raise BadRequest("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")
    return Offered(schemas, forced="" if choice == "required" else None, forbidden=choice == "none", parallel=parallel)


def _shape(body: dict[str, Any]) -> tuple[dict[str, Any] | None, bool]:
    form = body.get("text", {}).get("format") or {"type": "text"}
    match form.get("type"):
        case "text":
            return None, False
        case "json_object":
            return None, True
        case "json_schema":
            if not isinstance(form.get("schema"), dict) or not _NAME.fullmatch(str(form.get("name"))):
                raise BadRequest("Missing required parameter: 'text.format.name'.", "text.format")
            return form["schema"], False
        case other:
            raise BadRequest(f"Invalid value: '{other}' as 'text.format.type'", "text.format.type")


def _turns(items: list[dict[str, Any]]) -> int:
    """How often the model has answered: what it said between two results is one answer."""
    own = [one.get("role") == "assistant" or one["type"] in _CALLS for one in items]
    return sum(now and not before for before, now in zip([False, *own], own, strict=False))


def text_of(item: dict[str, Any]) -> str:
    content = item.get("content", item.get("output", ""))
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content)
    return str(content)


def _attachments(item: dict[str, Any]) -> list[str]:
    content = item.get("content", item.get("output", ""))
    found = []
    for part in content if isinstance(content, list) else ():
        if part["type"] == "input_image":
            found.append("image " + _described(str(part.get("image_url"))))
        elif part["type"] == "input_audio":
            found.append(f"audio {part['input_audio'].get('format')}")
        elif part["type"] == "input_file":
            inside = part.get("file_data") or part.get("file_url") or part.get("file_id")
            found.append(f"file {part.get('filename', '')} {_described(str(inside))}")
    return found


def _described(url: str) -> str:
    data = _DATA.match(url)
    return f"{data[1]} of {len(url[data.end() :].rstrip('=')) * 3 // 4} bytes" if data else f"at {url[:100]}"


def _prompt_tokens(body: dict[str, Any], items: list[dict[str, Any]], attachments: int) -> int:
    total = count_tokens(body.get("instructions", "") + "".join(text_of(one) for one in items))
    total += _PER_ITEM * len(items) + _PER_ATTACHMENT * attachments
    for item in items:
        if item["type"] in _CALLS:
            total += count_tokens(item["name"] + item[_CALLS[item["type"]]])
    for name in ("tools", "text"):
        if name in body:
            total += -(-len(msgspec.json.encode(body[name])) // 4)
    return total
