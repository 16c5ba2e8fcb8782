"""The generateContent wire: the shapes of an answer.

Law: what is not Gemini's own at the top of an answer does not pass: it would name the upstream. Indices are bounded
here, so nobody who counts by them can be made to grow.
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

Index = Annotated[int, Meta(ge=0, lt=128)]


class FunctionCall(Struct, rename="camel"):
    name: str = ""
    args: Raw | UnsetType = UNSET
    id: str | None = None


class Blob(Struct, rename="camel"):
    mime_type: str = ""
    data: str = ""


class Part(Struct, rename="camel"):
    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    inline_data: Blob | None = None
    executable_code: dict[str, Any] | None = None
    code_execution_result: dict[str, Any] | None = None


class Content(Struct, rename="camel"):
    parts: list[Part] | None = None


class Candidate(Struct, rename="camel"):
    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    index: Index = 0
    logprobs_result: Any = None
    grounding_metadata: dict[str, Any] | None = None


class Feedback(Struct, rename="camel"):
    block_reason: str | None = None


class Chunk(Struct, rename="camel"):
    """One event of a stream, or a plain answer: what is read of it. The rest is skipped and never passes."""

    candidates: Raw | UnsetType = UNSET
    prompt_feedback: Raw | UnsetType = UNSET
    usage_metadata: Raw | UnsetType = UNSET
    model_version: Any = None
    response_id: Any = None
    error: Raw | UnsetType = UNSET


read_chunk = msgspec.json.Decoder(Chunk).decode
read_candidates = msgspec.json.Decoder(list[Candidate] | None).decode
read_feedback = msgspec.json.Decoder(Feedback | None).decode
