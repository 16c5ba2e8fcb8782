"""Errors as clients of Responses read them.

Law: OpenAI's error object and statuses, whatever the storefront's style; inside a stream `response.failed`. The codes
are those by which agents decide whether to wait, to compact or to give up, and a wait is said in words they parse.
"""

import re
from typing import Any

from conflux.dialects import openai_errors, strict_json
from conflux.neutral.errors import GatewayError, Kind

_CODES: dict[Kind, str] = {
    Kind.INVALID: "invalid_prompt",
    Kind.CONTEXT_LENGTH: "context_length_exceeded",
    Kind.PAYMENT_REQUIRED: "insufficient_quota",
    Kind.RATE_LIMITED: "rate_limit_exceeded",
    Kind.UPSTREAM_RATE_LIMITED: "rate_limit_exceeded",
    Kind.OVERLOADED: "server_is_overloaded",
}
_WAITS = frozenset({Kind.RATE_LIMITED, Kind.UPSTREAM_RATE_LIMITED})
_WAIT = re.compile(r"try again in\s*(\d+(?:\.\d+)?)\s*(ms|s|seconds?)\b", re.IGNORECASE)
_LONGEST = 3600.0


def fields(error: GatewayError) -> dict[str, Any]:
    found = openai_errors.fields(error)
    if error.kind in (Kind.OVERLOADED, Kind.PAYMENT_REQUIRED):
        found["code"] = error.code or _CODES[error.kind]
    found["message"] = _message(error)
    return found


def body(error: GatewayError) -> tuple[int, bytes]:
    return openai_errors.status_of(error.kind), strict_json.encode({"error": fields(error)})


def failure(error: GatewayError) -> dict[str, Any]:
    """The `error` of a response that failed."""
    return {"code": error.code or _CODES.get(error.kind, "server_error"), "message": _message(error)}


def _message(error: GatewayError) -> str:
    if error.kind not in _WAITS or error.retry_after is None:
        return error.message
    return f"{error.message.rstrip('.')}. Please try again in {error.retry_after:g}s."


def wait_in(message: str) -> float | None:
    """How long an upstream asks to wait, where it says so in words."""
    found = _WAIT.search(message)
    if found is None or len(found[1]) > 12:
        return None
    return min(float(found[1]) / (1000 if found[2].lower() == "ms" else 1), _LONGEST)
