"""Errors as OpenAI's clients read them.

Law: one exhaustive table from Kind to status, type and code; a Kind without a row fails the tests. A storefront's
style changes only the shape of what its own document spells out: seed 2's flat 404, seed 3's words.
"""

from typing import Any

from conflux.dialects import strict_json
from conflux.dialects.foreign_json import error_object
from conflux.dialects.openai_chat_answer_wire import DONE_EVENT, fault_of
from conflux.dialects.sse import write_data
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.events import Fault

# Kind: (status, type, code)
ROWS: dict[Kind, tuple[int, str, str | None]] = {
    Kind.INVALID: (400, "invalid_request_error", None),
    Kind.CONTEXT_LENGTH: (400, "invalid_request_error", "context_length_exceeded"),
    Kind.UNSUPPORTED: (400, "invalid_request_error", "unsupported_parameter"),
    Kind.UNAUTHENTICATED: (401, "invalid_request_error", "invalid_api_key"),
    Kind.PAYMENT_REQUIRED: (402, "insufficient_quota", "insufficient_quota"),
    Kind.FORBIDDEN: (403, "permission_error", "permission_denied"),
    Kind.ACCOUNT_NEEDED: (403, "permission_error", "account_needed"),
    Kind.MODEL_NOT_FOUND: (404, "invalid_request_error", "model_not_found"),
    Kind.NOT_FOUND: (404, "invalid_request_error", "not_found"),
    Kind.METHOD_NOT_ALLOWED: (405, "invalid_request_error", "method_not_allowed"),
    Kind.REQUEST_TIMEOUT: (408, "invalid_request_error", "request_timeout"),
    Kind.CONFLICT: (409, "invalid_request_error", "idempotency_conflict"),
    Kind.TOO_LARGE: (413, "invalid_request_error", "request_too_large"),
    Kind.UNKNOWN_CODING: (415, "invalid_request_error", "unsupported_content_encoding"),
    Kind.MISMATCH: (422, "invalid_request_error", "idempotency_mismatch"),
    Kind.UPGRADE_REQUIRED: (426, "invalid_request_error", "upgrade_required"),
    Kind.HEAD_TOO_LARGE: (431, "invalid_request_error", "request_head_too_large"),
    Kind.RATE_LIMITED: (429, "rate_limit_error", "rate_limit_exceeded"),
    Kind.UPSTREAM_RATE_LIMITED: (429, "rate_limit_error", "rate_limit_exceeded"),
    Kind.INTERNAL: (500, "server_error", "internal_error"),
    Kind.UPSTREAM_FAILED: (502, "server_error", "upstream_error"),
    Kind.UNAVAILABLE: (503, "server_error", "unavailable"),
    Kind.NO_CAPABLE_FALLBACK: (503, "server_error", "no_capable_fallback"),
    Kind.UPSTREAM_TIMEOUT: (504, "server_error", "upstream_timeout"),
    Kind.OVERLOADED: (503, "server_error", "overloaded"),
}


# How the third document names them; what was wrong follows.
INFERENCE_WORDS = {Kind.UNAUTHENTICATED: "Missing or invalid authentication", Kind.INTERNAL: "Internal server error"}


def status_of(kind: Kind) -> int:
    return ROWS[kind][0]


def fields(error: GatewayError) -> dict[str, Any]:
    _, type_, code = ROWS[error.kind]
    found: dict[str, Any] = {
        "message": error.message,
        "type": type_,
        "param": error.param,
        "code": error.code or code,
    }
    if error.details:
        found["details"] = error.details
    return found


def body(error: GatewayError, style: str) -> tuple[int, bytes]:
    """Status and JSON body in a storefront's style."""
    status = ROWS[error.kind][0]
    found = fields(error)
    if style == "conflux" and error.kind is Kind.MODEL_NOT_FOUND:
        flat = {"error": "Model not found", "message": error.message}
        return status, strict_json.encode(flat | {name: found[name] for name in ("type", "param", "code")})
    if style == "inference" and error.kind in INFERENCE_WORDS:
        found["message"] = f"{INFERENCE_WORDS[error.kind]}: {error.message}"
    return status, strict_json.encode({"error": found})


def event(error: GatewayError) -> bytes:
    """The last bytes of a chat completions stream that cannot be finished."""
    return write_data(strict_json.encode({"error": fields(error)})) + DONE_EVENT


def read_upstream_error(status: int, body: bytes) -> Fault:
    """An upstream's error body in OpenAI's shape, or as much of it as there is."""
    found = error_object(status, body)
    if isinstance(found, Fault):
        return found
    fault = fault_of(found)
    return Fault(message=fault.message, code=fault.code, status=status)
