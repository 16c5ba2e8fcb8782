"""The safe context: how much may go in, and how much may come out.

Law: what goes in, at the most, plus room for an answer stays below the model's safe budget. A request that cannot fit
is refused with the numbers; a larger answer than fits is clamped and reported. A null budget gates nothing.
"""

import msgspec

from conflux.neutral.errors import Kind
from conflux.neutral.fields import Field, Refused
from conflux.neutral.records import Model

ROOM_FOR_ANSWER = 1024
OUTPUT_WHEN_UNKNOWN = 4096


class Room(msgspec.Struct, frozen=True):
    """The output tokens to ask for, whether that is less than the client wanted, and by how many it was cut to fit."""

    max_output: int
    clamped: bool
    cut: int = 0


def room(model: Model, *, input_tokens: int, wanted: int | None, default: int | None) -> Room:
    asked = wanted if wanted is not None else default
    limit = model.max_output
    if asked is None:
        output = OUTPUT_WHEN_UNKNOWN if limit is None else limit
    else:
        output = asked if limit is None or asked < limit else limit
    full, safe = output, model.safe_context
    if safe is not None and input_tokens + output > safe:
        least = min(output, ROOM_FOR_ANSWER)
        if input_tokens + least > safe:
            raise Refused(
                Kind.CONTEXT_LENGTH,
                Field.MESSAGES,
                f"this request has up to {input_tokens} tokens of input and needs at least {least} for the answer; "
                f"{model.id} takes {safe} in all: shorten the conversation",
                details={"input_tokens": input_tokens, "room_for_answer": least, "safe_context": safe},
            )
        output = safe - input_tokens
    return Room(output, wanted is not None and output < wanted, full - output)
