"""Upstreams that fail in every way there is: the client gets one clear answer, the ledger one clear end.

Law: the faults are the simulator's (see its markers); a row says what a client is to see of each.
"""

from typing import Any

import pytest

from tests.system.serving import Answer, Served, said

# what the upstream answers: (status for the client, code)
STATUSES: dict[int, tuple[int, str | None]] = {
    400: (400, None),
    401: (502, "upstream_error"),
    402: (502, "upstream_error"),
    403: (502, "upstream_error"),
    404: (502, "upstream_error"),
    408: (502, "upstream_error"),
    413: (400, None),
    422: (400, None),
    429: (429, "rate_limit_exceeded"),
    500: (502, "upstream_error"),
    502: (502, "upstream_error"),
    503: (503, "overloaded"),
    504: (502, "upstream_error"),
    529: (503, "overloaded"),
    599: (502, "upstream_error"),
}

BROKEN = (502, "upstream_error")
LATE = (504, "upstream_timeout")

PLAIN: dict[str, tuple[int, str]] = {
    "reset-before": BROKEN,
    "reset-after-head": BROKEN,
    "reset-mid": BROKEN,
    "close-mid": BROKEN,
    "truncated-json": BROKEN,
    "bad-utf8": BROKEN,
    "error-event": BROKEN,
    "html": BROKEN,
    "empty": BROKEN,
    "endless": BROKEN,
    "stall-before": LATE,
    "stall-mid": LATE,
}

# Streams that break before any content: the client gets a status.
BEFORE_CONTENT = {name: PLAIN[name] for name in ("reset-before", "reset-after-head", "html", "empty", "stall-before")}

# Streams that break after some: the client gets an event.
AFTER_CONTENT = ("reset-mid", "close-mid", "stall-mid", "malformed-sse", "truncated-json", "bad-utf8", "error-event",
                 "endless")  # fmt: skip


def fault(real: Served, key: str, what: str, **fields: Any) -> Answer:
    """On acme/stall nobody is waited for long."""
    return plainly(real, key, f"[[stream: 9]] [[fail: {what}]]", "acme/stall", **fields)


def plainly(real: Served, key: str, text: str, model: str, **fields: Any) -> Answer:
    """So that no other model answers."""
    body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
    return real.call("POST", "/v1/chat/completions", body, key=key, headers={"x-conflux-fallback": "off"})


def refused(answer: Answer, status: int, code: str | None) -> None:
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"] and error["code"] == code
    assert "hasty" not in str(answer) and "slow-model" not in str(answer)


def failed(real: Served, key: str, answer: Answer) -> None:
    """Its receipt says so, and charges nothing."""
    receipt = real.receipt(key, answer)
    assert (receipt["status"], receipt["cost_usd"], receipt["lines"]) == ("failed", "0", [])
    assert [call["status"] for call in receipt["calls"]] == ["failed"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(("theirs", "ours"), STATUSES.items())
def test_a_status_of_the_upstream(
    real: Served, real_key: str, stream: bool, theirs: int, ours: tuple[int, str | None]
) -> None:
    answer = fault(real, real_key, str(theirs), stream=stream)
    refused(answer, *ours)
    failed(real, real_key, answer)
    assert ("retry-after" in answer.headers) == (theirs == 429)


@pytest.mark.parametrize(
    ("said_", "heard"), [("7", 7), ("0", 1), ("-5", 1), ("soon", 1), ("1e9", 1), ("999999999999", 3600)]
)
def test_how_long_to_wait_is_passed_on_in_whole_seconds(real: Served, real_key: str, said_: str, heard: int) -> None:
    answer = fault(real, real_key, f"429 retry-after={said_}")
    refused(answer, 429, "rate_limit_exceeded")
    assert answer.headers["retry-after"] == str(heard)


@pytest.mark.parametrize(("what", "ours"), PLAIN.items())
def test_an_answer_that_breaks(real: Served, real_key: str, what: str, ours: tuple[int, str]) -> None:
    answer = fault(real, real_key, what)
    refused(answer, *ours)
    failed(real, real_key, answer)


@pytest.mark.parametrize(("what", "ours"), BEFORE_CONTENT.items())
def test_a_stream_that_breaks_before_any_content(real: Served, real_key: str, what: str, ours: tuple[int, str]) -> None:
    answer = fault(real, real_key, what, stream=True)
    refused(answer, *ours)
    failed(real, real_key, answer)


@pytest.mark.parametrize("what", AFTER_CONTENT)
def test_a_stream_that_breaks_after_some_content(real: Served, real_key: str, what: str) -> None:
    answer = fault(real, real_key, f"{what} 4", stream=True)
    assert answer.status == 200
    found = answer.events()
    assert found[-1] == "[DONE]" and found.count("[DONE]") == 1
    error = found[-2]["error"]
    assert {"message", "type", "param", "code"} <= set(error) and "incomplete" in error["message"]
    assert error["code"] == ("upstream_timeout" if what == "stall-mid" else "upstream_error")
    assert said(found[:-2]) == "000 001 002 003 "
    assert not any(choice.get("finish_reason") for event in found[:-2] for choice in event["choices"])
    receipt = real.receipt(real_key, answer)
    assert (receipt["status"], receipt["provenance"]) == ("cut", "partial")
    assert receipt["usage"]["output"] == 4 and float(receipt["cost_usd"]) > 0


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_the_models_name_is_ours_whatever_the_upstream_says(real: Served, real_key: str, stream: bool) -> None:
    answer = fault(real, real_key, "wrong-model", stream=stream)
    assert answer.status == 200
    assert b"another-model" not in answer.body and b'"acme/stall"' in answer.body


@pytest.mark.parametrize("way", ["plain", "streamed"])
def test_a_healthy_target_hides_a_failing_one(real: Served, real_key: str, way: str) -> None:
    admin, stream = real.key(admin=True), way == "streamed"

    def calls() -> list[tuple[str, str]]:
        answer = real.chat(real_key, "[[stream: 5]]", model=f"acme/pair-{way}", stream=stream)
        assert answer.status == 200
        text = said(answer.events()) if stream else answer.json()["choices"][0]["message"]["content"]
        assert text == "000 001 002 003 004 "
        receipt = real.receipt(admin, answer)
        assert receipt["status"] == "done" and receipt["calls"][0]["cost_usd"] in ("0", receipt["cost_usd"])
        return [(call["target"], call["status"]) for call in receipt["calls"]]

    # Which of the two comes first is chance, and the failing one is avoided more and more.
    number = "one" if way == "plain" else "two"
    failing = [(f"house/bad-{number}/cloud", "failed"), (f"house/good-{number}/cloud", "done")]
    assert any(calls() == failing for _ in range(100))


def test_a_target_that_only_fails_still_answers_clearly(real: Served, real_key: str) -> None:
    for _ in range(8):
        refused(plainly(real, real_key, "hello", "acme/bad"), 503, "overloaded")
