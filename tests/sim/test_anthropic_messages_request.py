"""What the simulator refuses as Anthropic does, and what it understands."""

import json
from typing import Any

import pytest

from conflux.sim.anthropic_messages_request import SIGNED, read
from conflux.sim.ask import Ask, BadRequest
from conflux.sim.quirks import Quirks

TOOL = {"name": "f", "input_schema": {"type": "object"}}
USE = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": "r"}
USER = {"role": "user", "content": "Hi"}


def ask(quirks: Quirks | None = None, **fields: Any) -> Ask:
    body = {"model": "m", "max_tokens": 2000, "messages": [USER], **fields}
    return read(json.dumps(body).encode(), "/v1/messages", 0, quirks or Quirks())


def said(*blocks: Any, role: str = "user") -> Any:
    return {"role": role, "content": list(blocks)}


THINKS: Any = {"thinking": {"type": "adaptive"}}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"n": 2}, "n: Extra inputs"),
        ({"messages": []}, "at least one"),
        ({"messages": [{"role": "system", "content": "a"}]}, "top-level `system`"),
        ({"messages": [said({"type": "text", "text": ""})]}, "non-empty"),
        ({"messages": [said({"type": "thinking", "thinking": "t", "signature": "x"}, role="assistant")]}, "signature"),
        ({"messages": [USER, USE]}, "without `tool_result`"),
        ({"messages": [USER, USE, USER]}, "without `tool_result`"),
        ({"messages": [said(RESULT)]}, "unexpected `tool_use_id`"),
        ({"messages": [USER, USE, said({"type": "text", "text": "a"}, RESULT)]}, "come first"),
        ({"messages": [said({"type": "tool_use", "id": "f:0", "name": "f", "input": {}}, role="assistant")]}, "match"),
        ({"tools": [{"name": "f"}]}, "input_schema"),
        ({"tools": [TOOL, TOOL]}, "unique"),
        ({"tool_choice": {"type": "any"}}, "only be specified"),
        ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "g"}}, "not found"),
        ({**THINKS, "temperature": 0.5}, "temperature"),
        ({**THINKS, "top_k": 5}, "top_k"),
        ({**THINKS, "tools": [TOOL], "tool_choice": {"type": "any"}}, "forces tool use"),
        ({"thinking": {"type": "enabled", "budget_tokens": 3000}}, "greater than"),
        ({"temperature": 1.5}, "temperature"),
        ({"stop_sequences": [" "]}, "non-whitespace"),
        ({"metadata": {"team": "x"}}, "metadata"),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}, "additionalProperties"),
    ],
)
def test_what_anthropic_refuses(fields: Any, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        ask(**fields)


def test_what_is_asked() -> None:
    found = ask(system=[{"type": "text", "text": "s"}], messages=[USER, USE, said(RESULT)], tools=[TOOL],
                tool_choice={"type": "auto", "disable_parallel_tool_use": True}, stop_sequences=["x"],
                stream=True)  # fmt: skip
    assert (found.text, found.system, found.results, found.step) == ("Hi", "s", ("r",), 1)
    assert found.stream and found.limits.tokens == 2000 and found.limits.stops == ("x",)
    assert found.tools.schemas == {"f": {"type": "object"}} and not found.tools.parallel and found.effort is None
    assert ask(**THINKS, output_config={"effort": "high"}).effort == "high" and ask(**THINKS).effort == "medium"
    signed = said({"type": "thinking", "thinking": "t", "signature": SIGNED}, role="assistant")
    assert ask(messages=[USER, signed, USER]).step == 0


def test_several_messages_of_one_are_one_turn() -> None:
    assert ask(messages=[USER, {"role": "user", "content": " there"}]).text == "Hi there"
    kept = ask(Quirks(system_messages=True), messages=[USER, {"role": "system", "content": "s"}])
    assert (kept.text, kept.system) == ("Hi", "\ns")


def test_what_came_beside_the_text() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    plain = {"type": "document", "title": "t", "source": {"type": "text", "media_type": "text/plain", "data": "d"}}
    linked = {"type": "document", "source": {"type": "url", "url": "https://a/"}}
    found = ask(messages=[said(image, plain, linked, {"type": "text", "text": "a"})])
    assert found.attachments == ("image image/png of 3 bytes", "document t of text", "document at https://a/")
