"""Rate limits: requests and tokens per minute, requests at once; of a key, its user and its workspace.

Law: pure, in memory, exact integers; the time is given. A minute's allowance is a bucket that refills evenly, so after
a pause it is there in full and never more than that. All limits are looked at before any is charged: what is refused
costs nothing. Tokens are charged by estimate and corrected when they are known; a slot is given back exactly once.
"""

from collections.abc import Sequence

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.policies import Policy

_MINUTE = 60_000  # milliseconds; and how many units one request or token is
_KEPT = 10_000
_IDLE = 10 * _MINUTE

Headers = list[tuple[bytes, bytes]]


class Bucket:
    """What was taken in the last minute, draining by `limit` units a millisecond."""

    __slots__ = ("at", "taken")

    def __init__(self, now: int) -> None:
        self.taken = 0
        self.at = now

    def drain(self, limit: int, now: int) -> None:
        self.taken = max(0, self.taken - limit * (now - self.at))
        self.at = now

    def wait(self, limit: int, count: int) -> int:
        """Milliseconds until `count` more fit; what never fits may go when the bucket is full."""
        over = self.taken + min(count, limit) * _MINUTE - limit * _MINUTE
        return max(0, -(-over // limit))

    def left(self, limit: int) -> int:
        return max(0, (limit * _MINUTE - self.taken) // _MINUTE)

    def full_in(self, limit: int) -> int:
        return -(-self.taken // limit)


class Meter:
    """One owner's."""

    __slots__ = ("requests", "running", "tokens")

    def __init__(self, now: int) -> None:
        self.requests = Bucket(now)
        self.tokens = Bucket(now)
        self.running = 0


class Ticket:
    """A request that was let in. Close it on every way out."""

    __slots__ = ("_held", "_tokens", "_used")

    def __init__(self, held: list[tuple[Policy, Meter]], tokens: int) -> None:
        self._held: list[tuple[Policy, Meter]] | None = held
        self._tokens = tokens
        self._used = held

    def close(self, tokens: int = 0) -> None:
        """The request is over and used so many tokens. Closing again changes nothing."""
        held, self._held = self._held, None
        for policy, meter in held or ():
            if policy.terms.concurrent is not None:
                meter.running -= 1
            if policy.terms.tokens_per_minute is not None:
                meter.tokens.taken = max(0, meter.tokens.taken + (tokens - self._tokens) * _MINUTE)

    def headers(self, now: int) -> Headers:
        return _headers(self._used, now)


class RateBook:
    """Every meter of this process."""

    def __init__(self) -> None:
        self._meters: dict[tuple[str, int], Meter] = {}

    def take(self, policies: Sequence[Policy], tokens: int, now: int) -> Ticket:
        """Let a request of about so many tokens in, or raise 429 with the wait. `now`: milliseconds that only grow."""
        limited = [(one, self._meter(one, now)) for one in policies if one.terms.limited]
        waits = [refusal for one, meter in limited for refusal in _check(one, meter, tokens, now)]
        if waits:
            wait, text, details = max(waits, key=lambda one: one[0])
            error = GatewayError(
                Kind.RATE_LIMITED, text, code="rate_limit_exceeded", retry_after=-(-wait // 1000), details=details
            )
            error.headers = _headers(limited, now)
            raise error
        for policy, meter in limited:
            terms = policy.terms
            if terms.requests_per_minute is not None:
                meter.requests.taken += _MINUTE
            if terms.tokens_per_minute is not None:
                meter.tokens.taken += tokens * _MINUTE
            if terms.concurrent is not None:
                meter.running += 1
        return Ticket(limited, tokens)

    def running(self) -> int:
        return sum(one.running for one in self._meters.values())

    def _meter(self, policy: Policy, now: int) -> Meter:
        name = (policy.kind, policy.owner_id)
        found = self._meters.get(name)
        if found is None:
            if len(self._meters) >= _KEPT:
                self._meters = {
                    name: one
                    for name, one in self._meters.items()
                    if one.running or max(one.requests.at, one.tokens.at) > now - _IDLE
                }
            found = self._meters[name] = Meter(now)
        return found


_Refusal = tuple[int, str, dict[str, object]]


def _check(policy: Policy, meter: Meter, tokens: int, now: int) -> list[_Refusal]:
    terms, found = policy.terms, []
    if terms.concurrent is not None and meter.running >= terms.concurrent:
        found.append(_refusal(policy, terms.concurrent, "requests at once", 1000))
    if (limit := terms.requests_per_minute) is not None:
        meter.requests.drain(limit, now)
        if wait := meter.requests.wait(limit, 1):
            found.append(_refusal(policy, limit, "requests a minute", wait))
    if (limit := terms.tokens_per_minute) is not None:
        meter.tokens.drain(limit, now)
        if wait := meter.tokens.wait(limit, tokens):
            found.append(_refusal(policy, limit, "tokens a minute", wait))
    return found


def _refusal(policy: Policy, limit: int, what: str, wait: int) -> _Refusal:
    seconds = -(-wait // 1000)
    text = f"this {policy.kind} may have {limit} {what}: try again in {seconds} s"
    return wait, text, {"scope": policy.kind, "limit": limit, "of": what, "retry_after": seconds}


def _headers(held: list[tuple[Policy, Meter]], now: int) -> Headers:
    """The tightest limit of each kind, as OpenAI names them."""
    found: Headers = []
    for kind in ("requests", "tokens"):
        tightest: tuple[int, int, int] | None = None
        for policy, meter in held:
            limit = policy.terms.requests_per_minute if kind == "requests" else policy.terms.tokens_per_minute
            if limit is None:
                continue
            bucket = meter.requests if kind == "requests" else meter.tokens
            bucket.drain(limit, now)
            one = (bucket.left(limit), limit, bucket.full_in(limit))
            tightest = one if tightest is None else min(tightest, one)
        if tightest is not None:
            left, limit, reset = tightest
            found.append((b"x-ratelimit-limit-" + kind.encode(), b"%d" % limit))
            found.append((b"x-ratelimit-remaining-" + kind.encode(), b"%d" % left))
            found.append((b"x-ratelimit-reset-" + kind.encode(), _span(reset)))
    return found


def _span(milliseconds: int) -> bytes:
    """17ms, 1.5s, 6m0s."""
    if milliseconds < 1000:
        return b"%dms" % milliseconds
    minutes, rest = divmod(milliseconds, _MINUTE)
    seconds = f"{rest / 1000:g}s"
    return (f"{minutes}m{seconds}" if minutes else seconds).encode()
