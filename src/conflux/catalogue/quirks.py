"""What may stand in a provider's `quirks`: every name, what it may be, and what it is for.

Law: a name that is not here is a mistake in the row. What a quirk does is written where it is read.
"""

from collections.abc import Callable
from typing import Any

_BOOL = "true or false"

# name: (what it may be, what it is for)
QUIRKS: dict[str, tuple[str | tuple[str, ...], str]] = {
    # asking, openai-chat
    "max_tokens_field": (("max_tokens", "max_completion_tokens"), "the field that limits the answer"),
    "developer_role": (_BOOL, "false: a developer speaks as system"),
    "reasoning": (
        ("effort", "object", "thinking", "enable_thinking", "template", "none"),
        "how thinking is asked for: reasoning_effort, reasoning.effort, thinking.type, enable_thinking, "
        "chat_template_kwargs, or not at all",
    ),
    "reasoning_back": (("reasoning_content", "reasoning", "none"), "where earlier thoughts are sent back"),
    "reasoning_details": (_BOOL, "what seals a thought is told beside it, and taken back"),
    "cache_control": (_BOOL, "texts may say where a cache begins"),
    "stream_usage": (_BOOL, "false: stream_options is not sent; a stream that counts nothing is estimated"),
    "parallel_tools": (_BOOL, "false: parallel_tool_calls is left out and named"),
    "strict_tools": (_BOOL, "false: strict in a tool is left out and named"),
    "json_schema": (_BOOL, "false: an answer by schema is refused by name"),
    "required_tools": (_BOOL, "false: a tool cannot be demanded, so that is refused by name"),
    "no_tools_word": (_BOOL, "false: a choice of no tool is said by offering none"),
    "choices": (_BOOL, "false: n above 1 is refused by name"),
    "most_stops": ("a whole number", "more stop sequences are refused by name"),
    "fixed_sampling_models": ("a list of texts", "models that begin so take no temperature: left out and named"),
    "refuses": ("a list of texts", "fields it refuses: left out and named"),
    "freeform_tools": (_BOOL, "false: freeform tools go as functions"),
    "system_anywhere": (_BOOL, "instructions may stand between messages"),
    "replays_reasoning": (_BOOL, "false: earlier thoughts are not sent back"),
    "top_k": (_BOOL, "false: top_k is left out and named"),
    "efforts": ("a list of texts", "the words for how much to think that it knows"),
    "hosted_tools": ("a list of texts", "the tools that it runs itself"),
    # answering, openai-chat
    "reasoning_tags": (_BOOL, "thoughts stand in the text, between <think> and </think>"),
    "stream_only": (_BOOL, "it only streams; plain answers are gathered"),
    # anthropic-messages
    "billing_line": (_BOOL, "the first line of Claude Code's instruction is understood"),
    "system_messages": (_BOOL, "instructions may stand between messages"),
    "thinking": (("enabled", "adaptive"), "how thinking is asked for"),
    # any dialect
    "conflux": (_BOOL, "a gateway of this kind: it gets what other issuers signed back as it gave it"),
    # gemini
    "call_ids": (_BOOL, "function calls have ids, and get them back"),
    "signed_call_models": ("a text", "models that begin so refuse calls without a thought signature"),
    "thinking_budget_models": ("a text", "models that begin so take a budget of tokens, all others a level"),
    "search_beside_tools": (_BOOL, "its search can be offered beside functions"),
    "labels": (_BOOL, "labels are taken"),
    "json_schemas": (_BOOL, "schemas are taken as JSON Schema too"),
    # its list of models
    "models_path": ("a path, or false", "where the list is, if not at /models"),
}

_RIGHT: dict[str, Callable[[Any], bool]] = {
    _BOOL: lambda value: isinstance(value, bool),
    "a text": lambda value: isinstance(value, str) and bool(value),
    "a whole number": lambda value: type(value) is int and value >= 0,
    "a list of texts": lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
    "a path, or false": lambda value: value is False or (isinstance(value, str) and value.startswith("/")),
}


def check_quirks(quirks: dict[str, Any], wrong: Callable[[str, str], None]) -> None:
    for name, value in quirks.items():
        if name not in QUIRKS:
            wrong(f"quirks.{name}", f"there is no such quirk; there are {', '.join(sorted(QUIRKS))}")
            continue
        what = QUIRKS[name][0]
        if isinstance(what, tuple):
            if value not in what:
                wrong(f"quirks.{name}", f"{value!r} is not one of {', '.join(what)}")
        elif not _RIGHT[what](value):
            wrong(f"quirks.{name}", f"{value!r} is not {what}")
