"""Errors as Google's clients read them, and as Google says them."""

import json

import pytest

from conflux.dialects.gemini_errors import ROWS, body, event, read_upstream_error
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.events import Fault


def test_every_kind_has_a_row() -> None:
    assert set(ROWS) == set(Kind)


def test_a_status_says_where_and_when() -> None:
    error = GatewayError(Kind.RATE_LIMITED, "slow down", param="contents", code="too_many", retry_after=2.4)
    status, raw = body(error)
    found = json.loads(raw)["error"]
    assert status == 429
    assert (found["code"], found["message"], found["status"]) == (429, "slow down", "RESOURCE_EXHAUSTED")
    bad, info, retry = found["details"]
    assert bad["fieldViolations"] == [{"field": "contents", "description": "slow down"}]
    assert info["reason"] == "TOO_MANY" and retry["retryDelay"] == "2s"


def test_case_34_an_error_in_a_stream() -> None:
    assert event(GatewayError(Kind.INTERNAL, "oops")).startswith(b'data: {"error":{"code":500')


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b'{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}', ("m", "INVALID_ARGUMENT", 400)),
        (b'[{"error":{"message":"m"}}]', ("m", None, 400)),
        (b'{"error":{"message":"The input token count (9) exceeds the maximum number of tokens allowed (5)."}}',
         ("The input token count (9) exceeds the maximum number of tokens allowed (5).", "context_length_exceeded",
          400)),
        (b'{"error":{"message":"bad key","details":[{"reason":"API_KEY_INVALID"}]}}', ("bad key", None, 401)),
        (b"<html>", ("the upstream answered something that is not JSON", None, 400)),
        (b"5", ("", None, 400)),
        (b'{"error":"flat"}', ("", None, 400)),
    ],
)  # fmt: skip
def test_an_upstreams_error(raw: bytes, fault: tuple[str, str | None, int]) -> None:
    assert read_upstream_error(400, raw) == Fault(message=fault[0], code=fault[1], status=fault[2])
