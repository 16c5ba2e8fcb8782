"""Nothing of an Anthropic client's request is lost silently: each field arrives, is refused by name, or is named."""

import json
from typing import Any

import pytest

from conflux.dialects import DIALECTS
from conflux.dialects.base import Place, Shape
from conflux.neutral.errors import GatewayError
from tests.dialects.messages import MESSAGES, body

MARK = "markofthisfield"
CACHE = {"type": "ephemeral", "ttl": MARK}
CALL = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}]}
TOOL = {"name": "f", "input_schema": {"type": "object"}}


def said(*blocks: Any, role: str = "user") -> dict[str, Any]:
    content = [*blocks, {"type": "text", "text": "and so on"}] if role == "user" else list(blocks)
    more = [] if role == "user" else [{"role": "user", "content": "go on"}]
    return {"messages": [{"role": "user", "content": "Hi"}, {"role": role, "content": content}, *more]}


def answered(**result: Any) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": "t", **result}
    return {
        "messages": [{"role": "user", "content": "Hi"}, CALL, {"role": "user", "content": [block]}],
        "tools": [TOOL],
    }


# name: the fields, and what tells of them in the body or among the names of what was left out
FIELDS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "system": ({"system": MARK}, (MARK,)),
    "system.cache_control": ({"system": [{"type": "text", "text": "a", "cache_control": CACHE}]}, ("cache_control",)),
    "billing line": ({"system": [{"type": "text", "text": f"x-anthropic-billing-header: {MARK}"}]}, ("billing",)),
    "text": (said({"type": "text", "text": MARK}), (MARK,)),
    "text.cache_control": (said({"type": "text", "text": "a", "cache_control": CACHE}), ("cache_control",)),
    "text.citations": (said({"type": "text", "text": "a", "citations": [{"x": MARK}]}, role="assistant"),
                       (MARK, "citations")),
    "system amid": ({"messages": [{"role": "user", "content": "a"}, {"role": "system", "content": MARK}]}, (MARK,)),
    "image": (said({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJDREVG"}}),
              ("QUJDREVG",)),
    "image.url": (said({"type": "image", "source": {"type": "url", "url": f"https://a/{MARK}"}}), (MARK,)),
    "pdf": (said({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data":
            "QUJDREVG"}}), ("QUJDREVG",)),
    "document": (said({"type": "document", "source": {"type": "text", "data": MARK}}), (MARK, "TUFSS", "bWFya")),
    "document.context": (said({"type": "document", "context": MARK, "source": {"type": "text", "data": "d"}}),
                         (MARK, "context")),
    "document.citations": (said({"type": "document", "citations": {"enabled": True}, "source":
                           {"type": "text", "data": "d"}}), ("citations",)),
    "search_result": (said({"type": "search_result", "source": "s", "title": MARK, "content": []}), (MARK,
    "search_result")),
    "thinking": (said({"type": "thinking", "thinking": MARK, "signature": "c2ln"}, role="assistant"),
                 (MARK, "thinking", "reasoning")),
    "redacted_thinking": (said({"type": "redacted_thinking", "data": MARK}, role="assistant"), (MARK, "reasoning")),
    "server_tool_use": (said({"type": "server_tool_use", "id": "s", "name": MARK, "input": {}}, role="assistant"),
                        (MARK, "server_tool_use")),
    "tool_result": (answered(content=MARK), (MARK,)),
    "tool_result.is_error": (answered(content="a", is_error=True), ("is_error", "rror")),
    "temperature": ({"temperature": 0.125}, ("0.125", "temperature")),
    "top_p": ({"top_p": 0.125}, ("0.125", "top_p")),
    "top_k": ({"top_k": 7919}, ("7919", "top_k")),
    "stop_sequences": ({"stop_sequences": [MARK]}, (MARK, "stop")),
    "tools.description": ({"tools": [{**TOOL, "description": MARK}]}, (MARK,)),
    "tools.schema": ({"tools": [{"name": "f", "input_schema": {"type": "object", "properties": {MARK: {}}}}]}, (MARK,)),
    "tools.defer_loading": ({"tools": [{**TOOL, "defer_loading": True}]}, ("defer_loading",)),
    "tools.server": ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, ("web_search",
    "googleSearch")),
    "disable_parallel": ({"tools": [TOOL], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
                         ("parallel",)),
    "effort": ({"output_config": {"effort": "low"}}, ("low", "effort", "thinking")),
    "thinking.display": ({"thinking": {"type": "adaptive", "display": MARK}}, (MARK, "display")),
    "output_config.task_budget": ({"output_config": {"task_budget": {"x": MARK}}}, (MARK, "task_budget")),
    "metadata.user_id": ({"metadata": {"user_id": MARK}}, (MARK, "user")),
    "metadata.other": ({"metadata": {"team": MARK}}, (MARK, "metadata")),
    "context_management": ({"context_management": {"edits": [MARK]}}, (MARK, "context_management")),
    "service_tier": ({"service_tier": MARK}, ("service_tier",)),
    "mcp_servers": ({"mcp_servers": [{"name": MARK}]}, (MARK, "mcp_servers")),
    "what comes next": ({"what_comes_next": MARK}, (MARK, "what_comes_next")),
}  # fmt: skip


@pytest.mark.parametrize("upstream", DIALECTS)
@pytest.mark.parametrize("field", FIELDS)
def test_every_field_arrives_is_refused_or_is_named(upstream: str, field: str) -> None:
    fields, telling = FIELDS[field]
    envelope = MESSAGES.open(body(**fields), Place(headers={"anthropic-beta": "b"}))
    shape = Shape(model="up", max_output=4000, reasons=True)
    try:
        found = DIALECTS[upstream].write_request(MESSAGES.read_request(envelope), shape)
    except GatewayError as error:
        assert error.param is not None
        return
    told = found.body.decode() + " ".join(found.dropped) + found.head.decode()
    assert any(word in told for word in telling), (json.loads(found.body), found.dropped)
