"""What upstreams answer, in all their ways, and what clients ask.

Law: every name an upstream has holds the canary, and nothing else does.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from conflux.neutral.errors import TransportError
from conflux.neutral.ports import Headers

INPUT, OUTPUT = 1000, 2000  # nano-USD a token
# In every name of an upstream, and nowhere else: where a client sees it, somebody told.
CANARY = "canary"

# What arrives, what fails, what happens meanwhile, what is waited for.
Piece = bytes | BaseException | Callable[[], None] | asyncio.Event


@dataclass
class Answer:
    """What an upstream does with one request: fail, or a status and the pieces of a body, of which any may fail."""

    pieces: list[Piece] = field(default_factory=list)
    status: int = 200
    headers: Headers = field(default_factory=list)
    fault: BaseException | None = None


def broken(stage: str = "connect", *, timeout: bool = False) -> TransportError:
    """As the client says it, the upstream's address included."""
    return TransportError(
        stage, f"{CANARY}-host-0.test refused", sent=stage != "connect", answered=stage == "body", timeout=timeout
    )


def usage(prompt: int, completion: int, **more: Any) -> dict[str, Any]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion, **more}


USED = usage(11, 7)
COST = 11 * INPUT + 7 * OUTPUT


def named(**fields: Any) -> dict[str, Any]:
    """An answer's fields, with all that an upstream says of itself."""
    return {
        "id": f"{CANARY}-id-1",
        "created": 1_700_000_000,
        "model": f"{CANARY}-model-0",
        "system_fingerprint": f"{CANARY}_fp",
        "provider": f"{CANARY}-provider-0",
        "service_tier": f"{CANARY}-tier",
        **fields,
    }


def event(**fields: Any) -> bytes:
    return b"data: " + json.dumps(named(object="chat.completion.chunk", **fields)).encode() + b"\n\n"


def said(text: str, **fields: Any) -> bytes:
    return event(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": None}], **fields)


ROLE = event(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
FINISH = event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
DONE = b"data: [DONE]\n\n"


def streamed(*texts: str, used: Any = USED, end: list[Piece] | None = None) -> Answer:
    """A stream in pieces. `end`: how it goes on after its texts, where not with a finish, a count and [DONE]."""
    count: list[Piece] = [event(choices=[], usage=used)] if used is not None else []
    return Answer([ROLE, *(said(text) for text in texts), *(end if end is not None else [FINISH, *count, DONE])])


def whole(text: str = "hello", used: Any = USED, **fields: Any) -> Answer:
    message = {"role": "assistant", "content": text}
    body = named(
        object="chat.completion", choices=[{"index": 0, "message": message, "finish_reason": "stop"}], usage=used
    )
    data = json.dumps(body | fields).encode()
    return Answer([data[: len(data) // 2], data[len(data) // 2 :]])


def refused(status: int, message: str = "no", *, headers: Headers | None = None, code: str | None = None) -> Answer:
    body = json.dumps({"error": {"message": message, "type": "t", "code": code}}).encode()
    return Answer([body], status=status, headers=[(b"x-request-id", f"{CANARY}-id-9".encode()), *(headers or [])])


def request(stream: bool = False, **fields: Any) -> bytes:
    body = {"model": "shop/one", "messages": [{"role": "user", "content": "say hello"}], **fields}
    return json.dumps(body | ({"stream": True} if stream else {})).encode()
