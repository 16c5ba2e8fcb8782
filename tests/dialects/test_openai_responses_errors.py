"""Errors by the codes that agents read, and waits in words they parse."""

import json

import pytest

from conflux.dialects.openai_responses_errors import body, failure, wait_in
from conflux.neutral.errors import GatewayError, Kind

READ = {
    Kind.CONTEXT_LENGTH: "context_length_exceeded",
    Kind.PAYMENT_REQUIRED: "insufficient_quota",
    Kind.RATE_LIMITED: "rate_limit_exceeded",
    Kind.UPSTREAM_RATE_LIMITED: "rate_limit_exceeded",
    Kind.OVERLOADED: "server_is_overloaded",
}


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_code_in_both_places(kind: Kind) -> None:
    error = GatewayError(kind, "what happened", param="p")
    status, found = body(error)
    assert 400 <= status < 600
    assert json.loads(found)["error"]["message"] == failure(error)["message"] == "what happened"
    assert failure(error)["code"] == READ.get(kind, "invalid_prompt" if kind is Kind.INVALID else "server_error")
    if kind in READ:
        assert json.loads(found)["error"]["code"] == READ[kind]


def test_a_wait_is_said_as_it_is_read() -> None:
    error = GatewayError(Kind.RATE_LIMITED, "too many requests.", retry_after=1.5)
    assert failure(error)["message"] == "too many requests. Please try again in 1.5s."
    assert wait_in(failure(error)["message"]) == 1.5


@pytest.mark.parametrize(
    ("message", "wait"),
    [
        ("Please try again in 20ms.", 0.02),
        ("try again in 2 seconds", 2.0),
        ("try again in 99999999s", 3600.0),
        ("try again in 9999999999999999s", None),
        ("try again later", None),
    ],
)
def test_how_long_an_upstream_asks_to_wait(message: str, wait: float | None) -> None:
    assert wait_in(message) == wait
