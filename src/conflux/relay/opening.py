"""How a conversation began, and where it stands: by which it is known again.

Law: pure. A conversation is known by what its client calls it, else by how it began up to the user's first word.
"""

from hashlib import blake2b
from typing import Any

import msgspec

# By the names that the protocols give them.
_NAMES = ("prompt_cache_key", "session_id")
_INSTRUCTIONS = ("system", "instructions", "systemInstruction", "system_instruction")
_TURNS = ("messages", "input", "contents")
_USERS = frozenset({"user", None})
_RESULT_ROLES = frozenset({"tool", "function"})
_RESULTS = frozenset({"tool_result", "function_call_output", "custom_tool_call_output"})
_OPENING = 8  # turns looked through for the first word of the user

_encode = msgspec.json.Encoder(order="deterministic").encode


def name_of(body: dict[str, Any], *whose: object) -> bytes | None:
    """None: it has no beginning."""
    opening = _opening(body)
    return None if opening is None else blake2b(_encode((*whose, opening)), digest_size=16).digest()


def in_tool_loop(body: dict[str, Any]) -> bool:
    """Is the last that was said what a tool gave?"""
    for name in _TURNS:
        turns = body.get(name)
        if isinstance(turns, list) and turns and isinstance(turns[-1], dict):
            last = turns[-1]
            inside = last.get("content") or last.get("parts")
            parts = inside if isinstance(inside, list) else ()
            return last.get("role") in _RESULT_ROLES or last.get("type") in _RESULTS or any(
                isinstance(one, dict) and (one.get("type") in _RESULTS or "functionResponse" in one) for one in parts
            )  # fmt: skip
    return False


def _opening(body: dict[str, Any]) -> Any:
    for name in _NAMES:
        value = body.get(name)
        if isinstance(value, str) and value:
            return value
    for name in _TURNS:
        turns = body.get(name)
        if isinstance(turns, str):
            return [body.get(one) for one in _INSTRUCTIONS], turns
        if isinstance(turns, list) and turns:
            return [body.get(one) for one in _INSTRUCTIONS], _first_turns(turns)
    return None


def _first_turns(turns: list[Any]) -> list[Any]:
    """Up to the first thing the user said: what stays the same however long the conversation gets."""
    for place, turn in enumerate(turns[:_OPENING]):
        if isinstance(turn, dict) and turn.get("role") in _USERS:
            return turns[: place + 1]
    return turns[:1]
