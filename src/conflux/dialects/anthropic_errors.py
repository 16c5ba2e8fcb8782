"""Errors as Anthropic's clients read them.

Law: one exhaustive table from Kind to status and type; a Kind without a row fails the tests. Clients match on the
words where the conversation no longer fits, so there they are Anthropic's own.
"""

from typing import Any

from conflux.dialects import strict_json
from conflux.dialects.anthropic_answer_wire import fault_of
from conflux.dialects.foreign_json import error_object
from conflux.dialects.sse import write_event
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.events import Fault

# Kind: (status, type)
ROWS: dict[Kind, tuple[int, str]] = {
    Kind.INVALID: (400, "invalid_request_error"),
    Kind.CONTEXT_LENGTH: (400, "invalid_request_error"),
    Kind.UNSUPPORTED: (400, "invalid_request_error"),
    Kind.UNAUTHENTICATED: (401, "authentication_error"),
    Kind.PAYMENT_REQUIRED: (402, "billing_error"),
    Kind.FORBIDDEN: (403, "permission_error"),
    Kind.ACCOUNT_NEEDED: (403, "permission_error"),
    Kind.MODEL_NOT_FOUND: (404, "not_found_error"),
    Kind.NOT_FOUND: (404, "not_found_error"),
    Kind.METHOD_NOT_ALLOWED: (405, "invalid_request_error"),
    Kind.REQUEST_TIMEOUT: (408, "timeout_error"),
    Kind.CONFLICT: (409, "invalid_request_error"),
    Kind.TOO_LARGE: (413, "request_too_large"),
    Kind.UNKNOWN_CODING: (415, "invalid_request_error"),
    Kind.MISMATCH: (422, "invalid_request_error"),
    Kind.UPGRADE_REQUIRED: (426, "invalid_request_error"),
    Kind.HEAD_TOO_LARGE: (431, "request_too_large"),
    Kind.RATE_LIMITED: (429, "rate_limit_error"),
    Kind.UPSTREAM_RATE_LIMITED: (429, "rate_limit_error"),
    Kind.INTERNAL: (500, "api_error"),
    Kind.UPSTREAM_FAILED: (502, "api_error"),
    Kind.UNAVAILABLE: (503, "api_error"),
    Kind.NO_CAPABLE_FALLBACK: (503, "api_error"),
    Kind.UPSTREAM_TIMEOUT: (504, "timeout_error"),
    Kind.OVERLOADED: (529, "overloaded_error"),
}

_TOO_LONG = "prompt is too long"


def _body(error: GatewayError) -> dict[str, Any]:
    inner: dict[str, Any] = {"type": ROWS[error.kind][1], "message": _message(error)}
    if error.details:
        inner["details"] = error.details
    found: dict[str, Any] = {"type": "error", "error": inner}
    if error.request_id is not None:
        found["request_id"] = error.request_id
    return found


def _message(error: GatewayError) -> str:
    if error.kind is not Kind.CONTEXT_LENGTH and error.code != "context_length_exceeded":
        return error.message
    details = error.details or {}
    if "input_tokens" in details and "safe_context" in details:
        numbers = f"{details['input_tokens']} tokens > {details['safe_context']} maximum"
        return f"{_TOO_LONG}: {numbers}: {error.message}"
    return error.message if _TOO_LONG in error.message else f"{_TOO_LONG}: {error.message}"


def body(error: GatewayError) -> tuple[int, bytes]:
    return ROWS[error.kind][0], strict_json.encode(_body(error))


def event(error: GatewayError) -> bytes:
    """The last bytes of a stream that cannot be finished."""
    return write_event(b"error", strict_json.encode(_body(error)))


def read_upstream_error(status: int, body: bytes) -> Fault:
    """An upstream's error body in Anthropic's shape, or as much of it as there is."""
    found = error_object(status, body)
    if isinstance(found, Fault):
        return found
    fault = fault_of(found)
    code = "context_length_exceeded" if _TOO_LONG in fault.message else fault.code
    return Fault(message=fault.message, code=code, status=status)
