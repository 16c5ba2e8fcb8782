"""How much of a request reaches the model, where no upstream counted it.

Law: what is billed by our own count is the conversation and nothing else: texts of messages and instructions, tools,
schemas. Names of fields, ids, metadata and settings are not; an image counts by what images cost, other media are not
counted at all: the customer never pays for more than was said. A hold goes by the whole body, see admit.py.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

# Tokens of an image where nobody counted: what the common models take for one of a thousand pixels a side.
IMAGE_TOKENS = 1024
# A quarter of the bytes: English runs at that, most else above.
BYTES_PER_TOKEN = 4

# By the names that the protocols give them. What the model reads as text, and what it reads as JSON.
_TEXTS = (
    "messages",
    "system",
    "input",
    "instructions",
    "contents",
    "systemInstruction",
    "system_instruction",
    "prompt",
)
_SHAPES = ("tools", "functions", "response_format", "output_format", "text")
# Inside of messages, values that no model reads as text.
_MUTE = frozenset({
    "role", "type", "id", "call_id", "tool_call_id", "tool_use_id", "cache_control", "detail", "status", "signature",
    "image_url", "input_audio", "file", "source", "inlineData", "inline_data", "fileData", "file_data", "mimeType",
    "mime_type", "thoughtSignature", "encrypted_content", "audio",
})  # fmt: skip

_encode = msgspec.json.Encoder().encode


def conversation_tokens(body: Mapping[str, Any], images: int) -> int:
    size = 0
    for text in texts_of(body):
        size += len(text) if text.isascii() else len(text.encode())
    return tokens_of(size) + images * IMAGE_TOKENS


def texts_of(body: Mapping[str, Any]) -> list[str]:
    """All that the model reads, in pieces."""
    found: list[str] = []
    for name in _TEXTS:
        value = body.get(name)
        if value is not None:
            _gather(value, found)
    for name in _SHAPES:
        value = body.get(name)
        if value:
            found.append(_encode(value).decode())
    return found


def tokens_of(size: int) -> int:
    return -(-size // BYTES_PER_TOKEN)


def _gather(value: Any, found: list[str]) -> None:
    """Written for its speed: it runs on every stream, over conversations of any length."""
    if type(value) is str:
        found.append(value)
    elif type(value) is dict:
        for name in value:
            if name not in _MUTE:
                inner = value[name]
                if type(inner) is str:
                    found.append(inner)
                else:
                    _gather(inner, found)
    elif type(value) is list:
        for inner in value:
            _gather(inner, found)
