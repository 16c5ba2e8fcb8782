"""The completions wire: the shapes of a request, validated as they are read.

Law: what has a documented type is checked here, once, with the path of the first mistake. What only conversations have
is refused by name, with the path where they are taken.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from conflux.dialects import openai_chat_wire as chat
from conflux.dialects.complaints import complaint
from conflux.neutral.errors import GatewayError, Kind, invalid

NAME = "openai-completions"

MOST_ANSWERS = 128
USUAL_OUTPUT = 16  # the protocol's own

NOT_FORWARDED = chat.NOT_FORWARDED
OURS = chat.OURS

# Fields of a chat that change what is asked; a completion has no place for them.
CHAT_ONLY = (
    "messages", "tools", "tool_choice", "functions", "function_call", "parallel_tool_calls", "response_format",
    "reasoning_effort", "max_completion_tokens", "top_logprobs", "web_search_options", "chat_template_kwargs",
    "modalities", "audio",
)  # fmt: skip


class Body(Struct):
    prompt: str | list[str | int | list[int]]
    model: str | None = None
    task_type: str | None = None
    suffix: str | None = None
    max_tokens: Annotated[int, Meta(ge=0, le=chat.MAX_OUTPUT_BOUND)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: int | None = None
    n: Annotated[int, Meta(ge=1, le=MOST_ANSWERS)] | None = None
    best_of: Annotated[int, Meta(ge=1, le=MOST_ANSWERS)] | None = None
    stream: bool | None = None
    stream_options: chat.StreamOptions | None = None
    logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    echo: bool | None = None
    stop: str | list[str] | None = None
    frequency_penalty: chat.Penalty | None = None
    presence_penalty: chat.Penalty | None = None
    logit_bias: dict[str, float] | None = None
    seed: int | None = None
    user: str | None = None


KNOWN = frozenset(Body.__struct_fields__)


def check(body: dict[str, Any]) -> Body:
    """The body as types, or a 400 that names the first field that is wrong."""
    for name in CHAT_ONLY:
        if body.get(name) is not None:
            raise GatewayError(
                Kind.UNSUPPORTED, f"{name}: a completion has none: use POST /v1/chat/completions", param=name
            )
    try:
        found = msgspec.convert(body, Body)
    except msgspec.ValidationError as error:
        raise complaint(str(error), body, {}) from None
    if answers(found) > MOST_ANSWERS:
        raise invalid(f"prompt: asks for {answers(found)} answers; at most {MOST_ANSWERS} are given at once", "prompt")
    if found.best_of is not None:
        if found.best_of < (found.n or 1):
            raise invalid(f"best_of: must be at least n, not {found.best_of}", "best_of")
        if found.best_of > 1 and found.stream:
            raise invalid("best_of: the best is known only at the end: leave stream out", "best_of")
    return found


def prompts(body: Body) -> list[str] | list[list[int]]:
    """Each prompt by itself, as text or as tokens."""
    found = body.prompt
    if isinstance(found, str):
        found = [found]
    kinds = {type(one) for one in found}
    if kinds == {int}:
        return [[one for one in found if isinstance(one, int)]]
    if len(kinds) > 1:
        raise invalid("prompt: is a text, a list of texts, a list of tokens, or a list of such lists", "prompt")
    if not found or not all(found):
        raise invalid("prompt: must not be empty", "prompt")
    return found  # type: ignore[return-value]  # of one kind, as was just seen


def answers(body: Body) -> int:
    """How many are written, shown or not."""
    return len(prompts(body)) * max(body.n or 1, body.best_of or 1)
