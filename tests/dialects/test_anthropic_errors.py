"""Errors in Anthropic's shape."""

import json
from typing import Any

import pytest

from conflux.dialects.anthropic_errors import ROWS, body, event, read_upstream_error
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.events import Fault


def told(error: GatewayError) -> tuple[int, Any]:
    status, raw = body(error)
    return status, json.loads(raw)


def test_every_kind_has_its_row() -> None:
    assert ROWS.keys() == set(Kind)
    assert all(400 <= status < 600 for status, _ in ROWS.values())


@pytest.mark.parametrize(
    ("kind", "status", "name"),
    [
        (Kind.INVALID, 400, "invalid_request_error"),
        (Kind.UNAUTHENTICATED, 401, "authentication_error"),
        (Kind.PAYMENT_REQUIRED, 402, "billing_error"),
        (Kind.FORBIDDEN, 403, "permission_error"),
        (Kind.MODEL_NOT_FOUND, 404, "not_found_error"),
        (Kind.TOO_LARGE, 413, "request_too_large"),
        (Kind.RATE_LIMITED, 429, "rate_limit_error"),
        (Kind.UPSTREAM_RATE_LIMITED, 429, "rate_limit_error"),
        (Kind.INTERNAL, 500, "api_error"),
        (Kind.UPSTREAM_TIMEOUT, 504, "timeout_error"),
        (Kind.OVERLOADED, 529, "overloaded_error"),
    ],
)
def test_as_anthropic_names_them(kind: Kind, status: int, name: str) -> None:
    assert told(GatewayError(kind, "m")) == (status, {"type": "error", "error": {"type": name, "message": "m"}})


def test_the_id_of_the_request_is_told() -> None:
    error = GatewayError(Kind.INVALID, "m")
    error.request_id = "req_1"
    assert told(error)[1]["request_id"] == "req_1"
    assert event(error).startswith(b"event: error\ndata: {") and b"req_1" in event(error)


def test_clients_know_a_prompt_that_is_too_long_by_these_words() -> None:
    details = {"input_tokens": 300, "safe_context": 200}
    error = GatewayError(Kind.CONTEXT_LENGTH, "shorten it", details=details)
    found = told(error)[1]["error"]
    assert found["message"] == "prompt is too long: 300 tokens > 200 maximum: shorten it"
    assert found["details"] == details
    upstream = GatewayError(Kind.INVALID, "too many", code="context_length_exceeded")
    assert told(upstream)[1]["error"]["message"] == "prompt is too long: too many"
    said = GatewayError(Kind.INVALID, "prompt is too long: 3 > 2", code="context_length_exceeded")
    assert told(said)[1]["error"]["message"] == "prompt is too long: 3 > 2"


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
         Fault(message="Overloaded", code="overloaded_error", status=529)),
        (b'{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 3 tokens > 2"}}',
         Fault(message="prompt is too long: 3 tokens > 2", code="context_length_exceeded", status=529)),
        (b'{"detail":"d"}', Fault(message="d", status=529)),
        (b'{"error":"x"}', Fault(message="x", status=529)),
        (b"<html>", Fault(message="the upstream answered something that is not JSON", status=529)),
        (b"[]", Fault(message="", status=529)),
    ],
)  # fmt: skip
def test_an_upstreams_error(raw: bytes, fault: Fault) -> None:
    assert read_upstream_error(529, raw) == fault
