"""Rate limits: what fits goes, what does not costs nothing, and the minute refills evenly."""

import random
from typing import Any

import pytest

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.policies import Policy, Terms
from conflux.policy import rates as module
from conflux.policy.rates import RateBook, Ticket

MINUTE = 60_000


def limits(kind: str = "key", owner: int = 1, **terms: Any) -> Policy:
    return Policy(kind=kind, owner_id=owner, terms=Terms(**terms))


def refused(book: RateBook, *policies: Policy, tokens: int = 0, now: int = 0) -> GatewayError:
    with pytest.raises(GatewayError) as error:
        book.take(policies, tokens, now)
    assert error.value.kind is Kind.RATE_LIMITED
    return error.value


def told(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode().removeprefix("x-ratelimit-"): value.decode() for name, value in headers}


def test_requests_a_minute() -> None:
    book, policy = RateBook(), limits(requests_per_minute=3)
    for left in (2, 1, 0):
        assert told(book.take([policy], 0, 0).headers(0))["remaining-requests"] == str(left)
    error = refused(book, policy)
    assert (error.retry_after, error.code) == (20, "rate_limit_exceeded")
    assert error.message == "this key may have 3 requests a minute: try again in 20 s"
    assert told(error.headers) == {"limit-requests": "3", "remaining-requests": "0", "reset-requests": "1m0s"}
    refused(book, policy, now=19_999)
    book.take([policy], 0, 20_000)
    refused(book, policy, now=20_001)


def test_after_a_pause_the_whole_minute_is_there_and_no_more() -> None:
    book, policy = RateBook(), limits(requests_per_minute=5)
    for start in (0, 10 * MINUTE, 24 * 60 * MINUTE):
        for _ in range(5):
            book.take([policy], 0, start)
        refused(book, policy, now=start)


@pytest.mark.parametrize("seed", range(20))
def test_no_minute_sees_more_than_a_full_bucket_and_a_minutes_refill(seed: int) -> None:
    chance, book, now = random.Random(seed), RateBook(), 0
    limit = chance.randrange(1, 50)
    let_in = []
    for _ in range(2_000):
        now += chance.randrange(200)
        try:
            book.take([limits(requests_per_minute=limit)], 0, now)
        except GatewayError as error:
            assert error.retry_after is not None and error.retry_after >= 1
        else:
            let_in.append(now)
    for start in let_in:
        assert sum(start <= one < start + MINUTE for one in let_in) <= 2 * limit
    assert len(let_in) >= limit + (now * limit // MINUTE) - 1  # nor less than there was


def test_whoever_waits_as_told_is_let_in() -> None:
    for limit in (1, 7, 60, 1000, 10**9):
        book, policy = RateBook(), limits(requests_per_minute=limit, tokens_per_minute=limit)
        book.take([policy], limit, 0)
        error = refused(book, policy, tokens=limit)
        assert error.retry_after is not None
        book.take([policy], limit, int(error.retry_after * 1000))


def test_tokens_are_charged_by_estimate_and_corrected() -> None:
    book, policy = RateBook(), limits(tokens_per_minute=1000)

    def left(ticket: Ticket) -> str:
        return told(ticket.headers(0))["remaining-tokens"]

    first = book.take([policy], 600, 0)
    assert left(first) == "400"
    error = refused(book, policy, tokens=600)
    assert error.retry_after == 12 and "1000 tokens a minute" in error.message
    first.close(100)
    assert left(first) == "900"
    second = book.take([policy], 600, 0)
    second.close(1500)  # more than anybody thought: paid back by waiting
    assert left(second) == "0"
    assert refused(book, policy, tokens=1).retry_after == 37
    book.take([policy], 1, 37_000)


def test_what_never_fits_may_go_alone() -> None:
    book, policy = RateBook(), limits(tokens_per_minute=100)
    book.take([policy], 5000, 0).close(50)
    refused(book, policy, tokens=5000)
    book.take([policy], 5000, 30_000)


def test_what_used_nothing_is_given_back() -> None:
    book, policy = RateBook(), limits(tokens_per_minute=100, requests_per_minute=10)
    ticket = book.take([policy], 100, 0)
    ticket.close()
    ticket.close(100)
    assert told(ticket.headers(0)) == {
        "limit-requests": "10", "remaining-requests": "9", "reset-requests": "6s",
        "limit-tokens": "100", "remaining-tokens": "100", "reset-tokens": "0ms",
    }  # fmt: skip


def test_requests_at_once() -> None:
    book, policy = RateBook(), limits("user", concurrent=2)
    tickets = [book.take([policy], 0, 0) for _ in range(2)]
    error = refused(book, policy)
    assert (error.retry_after, error.message) == (1, "this user may have 2 requests at once: try again in 1 s")
    assert error.headers == tickets[0].headers(0) == []
    for _ in range(3):
        tickets[0].close()
    assert book.running() == 1
    book.take([policy], 0, 0)
    refused(book, policy)


def test_what_one_limit_refuses_is_charged_to_none() -> None:
    book = RateBook()
    key, user = limits("key", requests_per_minute=10, concurrent=5), limits("user", tokens_per_minute=100)
    book.take([limits("workspace", requests_per_minute=1)], 0, 0)
    for _ in range(20):
        refused(book, key, user, limits("workspace", requests_per_minute=1), tokens=50)
    assert book.running() == 0
    ticket = book.take([key, user], 50, 0)
    assert told(ticket.headers(0))["remaining-requests"] == "9"
    assert told(ticket.headers(0))["remaining-tokens"] == "50"


def test_the_longest_wait_is_told_and_the_tightest_limit_is_shown() -> None:
    book = RateBook()
    policies = [limits("workspace", requests_per_minute=100), limits("user", requests_per_minute=2),
                limits("key", requests_per_minute=1)]  # fmt: skip
    ticket = book.take(policies, 0, 0)
    assert told(ticket.headers(0))["limit-requests"] == "1"
    assert refused(book, *policies).message.startswith("this key may have 1 requests a minute: try again in 60 s")


def test_owners_have_meters_of_their_own_and_share_their_workspaces() -> None:
    book, team = RateBook(), limits("workspace", 7, requests_per_minute=3)
    for owner in (1, 2, 3):
        book.take([team, limits("key", owner, requests_per_minute=1)], 0, 0)
    assert "this workspace" in refused(book, team, limits("key", 4, requests_per_minute=1)).message


def test_a_limit_that_is_changed_counts_what_was_taken() -> None:
    book = RateBook()
    for _ in range(5):
        book.take([limits(requests_per_minute=10)], 0, 0)
    refused(book, limits(requests_per_minute=5))
    for _ in range(15):
        book.take([limits(requests_per_minute=20)], 0, 0)
    refused(book, limits(requests_per_minute=20))


def test_policies_without_limits_are_not_metered() -> None:
    book = RateBook()
    ticket = book.take([limits(deny=("x",))], 100, 0)
    assert (ticket.headers(0), book._meters) == ([], {})


def test_memory_is_bounded_and_what_counts_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEPT", 10)
    book = RateBook()
    running = book.take([limits(owner=0, concurrent=1)], 0, 0)
    for owner in range(1, 100):
        book.take([limits(owner=owner, requests_per_minute=1)], 0, owner * MINUTE)
    assert len(book._meters) <= 21 and book.running() == 1
    refused(book, limits(owner=99, requests_per_minute=1), now=99 * MINUTE)
    running.close()
    assert book.running() == 0


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, b"0ms"), (17, b"17ms"), (1000, b"1s"), (1500, b"1.5s"), (60_000, b"1m0s"), (90_500, b"1m30.5s")],
)
def test_spans_as_openai_writes_them(milliseconds: int, text: bytes) -> None:
    assert module._span(milliseconds) == text
