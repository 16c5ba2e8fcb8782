"""Errors as Google's clients read them: google.rpc.Status.

Law: one exhaustive table from Kind to HTTP status and canonical code; a Kind without a row fails the tests.
"""

from typing import Any

from conflux.dialects import strict_json
from conflux.dialects.foreign_json import error_object
from conflux.dialects.sse import write_data
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.events import Fault

ROWS: dict[Kind, tuple[int, str]] = {
    Kind.INVALID: (400, "INVALID_ARGUMENT"),
    Kind.CONTEXT_LENGTH: (400, "INVALID_ARGUMENT"),
    Kind.UNSUPPORTED: (400, "INVALID_ARGUMENT"),
    Kind.UNAUTHENTICATED: (401, "UNAUTHENTICATED"),
    Kind.PAYMENT_REQUIRED: (402, "FAILED_PRECONDITION"),
    Kind.FORBIDDEN: (403, "PERMISSION_DENIED"),
    Kind.ACCOUNT_NEEDED: (403, "PERMISSION_DENIED"),
    Kind.MODEL_NOT_FOUND: (404, "NOT_FOUND"),
    Kind.NOT_FOUND: (404, "NOT_FOUND"),
    Kind.METHOD_NOT_ALLOWED: (405, "UNIMPLEMENTED"),
    Kind.REQUEST_TIMEOUT: (408, "DEADLINE_EXCEEDED"),
    Kind.CONFLICT: (409, "ABORTED"),
    Kind.TOO_LARGE: (413, "INVALID_ARGUMENT"),
    Kind.UNKNOWN_CODING: (415, "INVALID_ARGUMENT"),
    Kind.MISMATCH: (422, "INVALID_ARGUMENT"),
    Kind.UPGRADE_REQUIRED: (426, "UNIMPLEMENTED"),
    Kind.HEAD_TOO_LARGE: (431, "INVALID_ARGUMENT"),
    Kind.RATE_LIMITED: (429, "RESOURCE_EXHAUSTED"),
    Kind.UPSTREAM_RATE_LIMITED: (429, "RESOURCE_EXHAUSTED"),
    Kind.INTERNAL: (500, "INTERNAL"),
    Kind.UPSTREAM_FAILED: (502, "UNAVAILABLE"),
    Kind.UNAVAILABLE: (503, "UNAVAILABLE"),
    Kind.NO_CAPABLE_FALLBACK: (503, "UNAVAILABLE"),
    Kind.UPSTREAM_TIMEOUT: (504, "DEADLINE_EXCEEDED"),
    Kind.OVERLOADED: (503, "UNAVAILABLE"),
}

_TOO_LONG = "exceeds the maximum number of tokens"
_TYPE = "type.googleapis.com/google.rpc."


def fields(error: GatewayError) -> dict[str, Any]:
    status, name = ROWS[error.kind]
    found: dict[str, Any] = {"code": status, "message": error.message, "status": name}
    details: list[dict[str, Any]] = []
    if error.param is not None:
        violation = {"field": error.param, "description": error.message}
        details.append({"@type": _TYPE + "BadRequest", "fieldViolations": [violation]})
    if error.code is not None:
        details.append({"@type": _TYPE + "ErrorInfo", "reason": error.code.upper(), "domain": "conflux"})
    if error.wait is not None:
        details.append({"@type": _TYPE + "RetryInfo", "retryDelay": f"{error.wait}s"})
    if details:
        found["details"] = details
    return found


def body(error: GatewayError) -> tuple[int, bytes]:
    return ROWS[error.kind][0], strict_json.encode({"error": fields(error)})


def event(error: GatewayError) -> bytes:
    """The last bytes of a stream that cannot be finished."""
    return write_data(body(error)[1])


def fault_of(value: Any) -> Fault:
    """A google.rpc.Status, or as much of one as there is."""
    if not isinstance(value, dict):
        return Fault(message=str(value))
    inner = value.get("error")
    if isinstance(inner, dict):
        value = inner
    message, code = value.get("message"), value.get("status")
    return Fault(message=str(message or ""), code=str(code) if code else None)


def read_upstream_error(status: int, body: bytes) -> Fault:
    """An upstream's error body: an object, or in a list as a stream begins."""
    found = error_object(status, body)
    if isinstance(found, Fault):
        return found
    fault = fault_of(found)
    if b"API_KEY_INVALID" in body:
        status = 401  # it says 400 of a bad key, as of a bad request
    code = "context_length_exceeded" if _TOO_LONG in fault.message else fault.code
    return Fault(message=fault.message, code=code, status=status)
