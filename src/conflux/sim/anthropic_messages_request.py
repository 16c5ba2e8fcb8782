"""The simulator's anthropic-messages face, reading half: bytes become an Ask, or a 400 as Anthropic gives it.

Law: as strict as the real one, so that what a gateway sends wrongly is noticed here: fields nobody knows, empty texts,
thoughts it did not sign, results that do not stand right after their calls. Written without the gateway's dialects, as
the other side of the tests.
"""

import re
from typing import Any

import msgspec

from conflux.sim.ask import Ask, BadRequest, Limits, Offered
from conflux.sim.plan import count_tokens, seed_of
from conflux.sim.quirks import Quirks

SIGNED = "c2ltdWxhdGVk"  # what the simulator's own signatures begin with

_FIELDS = frozenset({
    "model", "messages", "max_tokens", "system", "stream", "temperature", "top_p", "top_k", "stop_sequences", "tools",
    "tool_choice", "thinking", "output_config", "output_format", "metadata", "context_management", "service_tier",
    "container", "mcp_servers", "cache_control",
})  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_ID = re.compile(r"[A-Za-z0-9_-]+")
_USER = ("text", "image", "document", "tool_result", "search_result")
_ASSISTANT = ("text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "web_search_tool_result")
_PER_MESSAGE, _PER_ATTACHMENT = 4, 85
_EFFORTS = ("low", "medium", "high", "xhigh", "max")


def read(raw: bytes, path: str, salt: int, quirks: Quirks) -> Ask:
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"The request body is not valid JSON: {error}") from None
    if not isinstance(body, dict):
        raise BadRequest("The request body is not valid JSON: an object is needed")
    for name in body:
        _must(name in _FIELDS and name not in quirks.refuses, f"{name}: Extra inputs are not permitted")
    _options(body)
    messages = [_message(message, place, quirks) for place, message in enumerate(_listed(body.get("messages")))]
    messages = _turns(messages)
    _paired(messages)
    tools = _tools(body)
    thinks = _thinks(body, tools)
    config = body.get("output_config") or {}
    shape = (config.get("format") or body.get("output_format") or {}).get("schema")
    if shape is not None:
        _closed(shape)
    attachments = [seen for message in messages for block in message["content"] for seen in _attachments(block)]
    spoke = max((place for place, one in enumerate(messages) if _is_said(one)), default=-1)
    since = messages[spoke + 1 :]
    system = [_text(one["content"]) for one in messages if one["role"] == "system"]
    question = {name: value for name, value in body.items() if name != "stream"}
    return Ask(
        body=body,
        path=path,
        model=body["model"],
        stream=body.get("stream", False),
        seed=seed_of(msgspec.json.encode(question, order="deterministic"), salt),
        prompt_tokens=_prompt_tokens(body, messages, len(attachments)),
        text=_text(messages[spoke]["content"]) if spoke >= 0 else "",
        system="\n".join([_text(_blocks(body.get("system") or "", "system")), *system]),
        results=tuple(
            _text(_blocks(block.get("content") or "", "content"))
            for one in since
            for block in one["content"]
            if block["type"] == "tool_result"
        ),
        step=sum(one["role"] == "assistant" for one in since),
        attachments=tuple(attachments),
        tools=tools,
        limits=Limits(body["max_tokens"], tuple(body.get("stop_sequences") or ())),
        schema=shape,
        effort=(config.get("effort") or "medium") if thinks else None,
    )


def _must(right: bool, message: str) -> None:
    if not right:
        raise BadRequest(message)


def _listed(messages: Any) -> list[Any]:
    _must(isinstance(messages, list) and bool(messages), "messages: at least one message is required")
    found: list[Any] = messages
    return found


def _options(body: dict[str, Any]) -> None:
    _must(isinstance(body.get("model"), str) and bool(body["model"]), "model: Field required")
    limit = body.get("max_tokens")
    _must(type(limit) is int and limit > 0, "max_tokens: Field required" if limit is None else "max_tokens: too small")
    for name, most in (("temperature", 1), ("top_p", 1)):
        value = body.get(name, 0)
        _must(isinstance(value, int | float) and 0 <= value <= most, f"{name}: range: 0..{most}")
    _must(type(body.get("top_k", 1)) is int, "top_k: Input should be a valid integer")
    _must(isinstance(body.get("stream", False), bool), "stream: Input should be a valid boolean")
    stops = body.get("stop_sequences") or []
    _must(isinstance(stops, list) and all(isinstance(one, str) and one.strip() for one in stops),
          "stop_sequences: each stop sequence must contain non-whitespace")  # fmt: skip
    metadata = body.get("metadata") or {}
    _must(isinstance(metadata, dict) and metadata.keys() <= {"user_id"}, "metadata: Extra inputs are not permitted")
    effort = (body.get("output_config") or {}).get("effort", "low")
    _must(effort in _EFFORTS, f"output_config.effort: Input should be one of {', '.join(_EFFORTS)}")


def _blocks(content: Any, where: str) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    _must(isinstance(content, list), f"{where}: Input should be a valid list")
    for place, block in enumerate(content):
        _must(isinstance(block, dict) and isinstance(block.get("type"), str), f"{where}.{place}.type: Field required")
        if block["type"] == "text":
            _must(bool(block.get("text")), f"{where}.{place}: text content blocks must be non-empty")
    found: list[dict[str, Any]] = content
    return found


def _message(message: Any, place: int, quirks: Quirks) -> dict[str, Any]:
    where = f"messages.{place}"
    _must(isinstance(message, dict) and message.keys() == {"role", "content"}, f"{where}: role and content are needed")
    role = message["role"]
    roles = ("user", "assistant", "system") if quirks.system_messages else ("user", "assistant")
    _must(role in roles, f"{where}.role: Unexpected role {role!r}: use the top-level `system` parameter")
    blocks = _blocks(message["content"], f"{where}.content")
    _must(bool(blocks), f"{where}: messages must have non-empty content")
    for number, block in enumerate(blocks):
        kinds = _ASSISTANT if role == "assistant" else _USER
        _must(block["type"] in kinds, f"{where}.content.{number}: a block of type {block['type']!r} is not permitted")
        _block(block, f"{where}.content.{number}")
    return {"role": role, "content": blocks}


def _turns(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What one says in several messages is one turn."""
    found: list[dict[str, Any]] = []
    for message in messages:
        if found and found[-1]["role"] == message["role"]:
            found[-1] = {**message, "content": found[-1]["content"] + message["content"]}
        else:
            found.append(message)
    return found


def _block(block: dict[str, Any], where: str) -> None:
    match block["type"]:
        case "thinking":
            signed = str(block.get("signature") or "").startswith(SIGNED)
            _must(signed, f"{where}: Invalid `signature` in `thinking` block")
        case "redacted_thinking":
            _must(bool(block.get("data")), f"{where}.data: Field required")
        case "tool_use":
            _must(
                _ID.fullmatch(str(block.get("id"))) is not None, f"{where}.id: String should match '^[a-zA-Z0-9_-]+$'"
            )
            _must(isinstance(block.get("input"), dict), f"{where}.input: Input should be a valid dictionary")
            _must(_NAME.fullmatch(str(block.get("name"))) is not None, f"{where}.name: String should match a pattern")
        case "tool_result":
            _must(_ID.fullmatch(str(block.get("tool_use_id"))) is not None, f"{where}.tool_use_id: Field required")
            _blocks(block.get("content") or "", f"{where}.content")
        case "image" | "document":
            source = block.get("source")
            kinds = ("base64", "url", "text", "content") if block["type"] == "document" else ("base64", "url")
            _must(isinstance(source, dict) and source.get("type") in kinds, f"{where}.source: Field required")


def _paired(messages: list[dict[str, Any]]) -> None:
    """Every call is answered at the beginning of the very next message, and nothing else is."""
    waiting: set[str] = set()
    for place, message in enumerate(messages):
        if message["role"] == "system":
            continue
        kinds = [block["type"] for block in message["content"]]
        count = kinds.count("tool_result")
        _must("tool_result" not in kinds[count:], f"messages.{place}: tool_result blocks come first")
        answered = {block["tool_use_id"] for block in message["content"][:count]}
        _must(answered <= waiting, f"messages.{place}: unexpected `tool_use_id` found in `tool_result` blocks")
        _must(answered == waiting, f"messages.{place}: `tool_use` ids were found without `tool_result` blocks")
        calls = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
        _must(len(set(calls)) == len(calls), f"messages.{place}: `tool_use` ids must be unique")
        waiting = set(calls)
    _must(not waiting, "messages: `tool_use` ids were found without `tool_result` blocks")


def _tools(body: dict[str, Any]) -> Offered:
    schemas: dict[str, dict[str, Any]] = {}
    for place, tool in enumerate(body.get("tools") or ()):
        _must(isinstance(tool, dict), f"tools.{place}: Input should be an object")
        name = tool.get("name")
        _must(_NAME.fullmatch(str(name)) is not None, f"tools.{place}.name: String should match a pattern")
        _must(name not in schemas, "tools: Tool names must be unique.")
        if tool.get("type", "custom") == "custom":
            schema = tool.get("input_schema")
            right = isinstance(schema, dict) and schema.get("type") == "object"
            _must(right, f"tools.{place}.input_schema.type: Field required")
            schemas[str(name)] = schema
    choice = body.get("tool_choice") or {"type": "auto"}
    kind = choice.get("type")
    _must(kind in ("auto", "any", "tool", "none"), "tool_choice: Input tag is not one of auto, any, tool, none")
    _must(
        "tool_choice" not in body or bool(body.get("tools")), "tool_choice may only be specified while providing tools"
    )
    if kind == "tool":
        _must(choice.get("name") in schemas, f"Tool '{choice.get('name')}' not found in provided tools")
    forced = {"any": "", "tool": choice.get("name")}.get(str(kind))
    parallel = not choice.get("disable_parallel_tool_use", False)
    return Offered(schemas, forced=forced, forbidden=kind == "none", parallel=parallel)


def _thinks(body: dict[str, Any], tools: Offered) -> bool:
    thinking = body.get("thinking") or {"type": "disabled"}
    kind = thinking.get("type")
    _must(kind in ("enabled", "adaptive", "disabled"), "thinking: Input tag is not one of adaptive, enabled, disabled")
    if kind == "disabled":
        return False
    if kind == "enabled":
        budget = thinking.get("budget_tokens")
        _must(type(budget) is int and budget >= 1024, "thinking.enabled.budget_tokens: at least 1024")
        _must(budget < body["max_tokens"], "`max_tokens` must be greater than `thinking.budget_tokens`")
    _must(body.get("temperature", 1) == 1, "`temperature` may only be set to 1 when thinking is enabled")
    _must("top_k" not in body, "`top_k` must be unset when thinking is enabled")
    _must(tools.forced is None, "Thinking may not be enabled when tool_choice forces tool use.")
    return True


def _closed(schema: Any) -> None:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            closed = schema.get("additionalProperties") is False
            _must(closed, "output_config.format.schema: For 'object' type, 'additionalProperties' must be false")
        for value in schema.values():
            _closed(value)
    elif isinstance(schema, list):
        for value in schema:
            _closed(value)


def _is_said(message: dict[str, Any]) -> bool:
    """Said by the user, and not only handed back."""
    return message["role"] == "user" and all(block["type"] != "tool_result" for block in message["content"])


def _text(blocks: list[dict[str, Any]]) -> str:
    return "".join(block["text"] for block in blocks if block["type"] == "text")


def _attachments(block: dict[str, Any]) -> list[str]:
    if block["type"] == "tool_result":
        return [seen for inner in _blocks(block.get("content") or "", "content") for seen in _attachments(inner)]
    if block["type"] not in ("image", "document"):
        return []
    source = block["source"]
    if source["type"] == "base64":
        size = len(source["data"].rstrip("=")) * 3 // 4
        return [f"{block['type']} {source['media_type']} of {size} bytes"]
    if source["type"] == "url":
        return [f"{block['type']} at {source['url'][:100]}"]
    return [f"{block['type']} {block.get('title') or ''} of text"]


def _prompt_tokens(body: dict[str, Any], messages: list[dict[str, Any]], attachments: int) -> int:
    total = _PER_MESSAGE * len(messages) + _PER_ATTACHMENT * attachments
    for message in messages:
        total += count_tokens(_text(message["content"]))
    for name in ("system", "tools"):
        if name in body:
            total += -(-len(msgspec.json.encode(body[name])) // 4)
    return total
