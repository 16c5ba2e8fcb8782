"""How a conversation is known again, and whether a tool has just answered; in every protocol."""

from typing import Any

import pytest

from conflux.relay.opening import in_tool_loop, name_of

HELLO = {"role": "user", "content": "hello"}


def test_a_conversation_keeps_its_name_however_long_it_gets() -> None:
    first = name_of({"messages": [HELLO]}, 1)
    assert first == name_of({"messages": [HELLO, {"role": "assistant", "content": "hi"}, HELLO]}, 1)
    assert first != name_of({"messages": [{"role": "user", "content": "hullo"}]}, 1)
    assert first != name_of({"messages": [HELLO]}, 2)
    assert name_of({"input": "a", "instructions": "b"}, 1) != name_of({"input": "a"}, 1)
    assert name_of({"session_id": "s", "messages": []}, 1) == name_of({"session_id": "s", "messages": [HELLO]}, 1)
    assert name_of({"prompt": "x"}, 1) is None and name_of({"messages": []}, 1) is None


@pytest.mark.parametrize(
    ("body", "loop"),
    [
        ({"messages": [HELLO]}, False),
        ({"messages": [HELLO, {"role": "tool", "tool_call_id": "c", "content": "42"}]}, True),
        ({"messages": [HELLO, {"role": "tool", "content": "42"}, HELLO]}, False),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}]}, True),
        ({"input": [{"type": "function_call_output", "call_id": "c", "output": "42"}]}, True),
        ({"input": "hello"}, False),
        ({"contents": [{"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}]}, True),
        ({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}, False),
        ({"prompt": "hello"}, False),
        ({"messages": ["odd"]}, False),
    ],
)
def test_a_tool_loop_is_seen_by_its_last_turn(body: dict[str, Any], loop: bool) -> None:
    assert in_tool_loop(body) is loop
