"""Plans' quotas: what a subscription has used, request by request.

Law: a request lies in a window while it began less than the window's length ago, to the millisecond. What began later
than now (a clock was set back) counts too. Nothing is summed up in advance: a quota follows from `claim` and `taken`
alone, so it cannot drift.
"""

from bisect import bisect_right, insort

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.ledger import Quota
from conflux.neutral.moments import moment_text
from conflux.neutral.plans import Plan, PlanStanding, PlanWindow
from conflux.stores.sql import Run

_MOST = 1000
_LOCK = "SELECT id FROM subscription WHERE id = ? FOR NO KEY UPDATE"
_USED = """
    SELECT request_id, created, tokens FROM taken WHERE subscription_id = ? AND created > ?
    UNION ALL SELECT request_id, created, tokens FROM claim WHERE subscription_id = ? AND created > ?
"""


class Meter:
    """One subscription's requests, as far back as `since`."""

    __slots__ = ("_order", "_tokens", "since")

    def __init__(self, since: int) -> None:
        self.since = since
        self._order: list[tuple[int, int]] = []  # (began, request)
        self._tokens: dict[int, int] = {}

    def put(self, number: int, created: int, tokens: int) -> None:
        if number not in self._tokens:
            insort(self._order, (created, number))
        self._tokens[number] = tokens

    def drop(self, number: int, created: int) -> None:
        if self._tokens.pop(number, None) is not None:
            self._order.remove((created, number))

    def overlay(self, newer: "Meter") -> None:
        """What another one of the same subscription says counts more."""
        for created, number in newer._order:
            self.put(number, created, newer._tokens[number])

    def _within(self, seconds: int, moment: int) -> list[tuple[int, int]]:
        return self._order[bisect_right(self._order, (moment - seconds * 1000, 1 << 63)) :]

    def standing(self, window: PlanWindow, moment: int) -> PlanStanding:
        within = self._within(window.seconds, moment)
        tokens = sum(self._tokens[number] for _, number in within)
        frees = within[0][0] + window.seconds * 1000 if within else None
        return PlanStanding(window=window, requests=len(within), tokens=tokens, frees=frees)

    def check(self, quota: Quota, moment: int) -> None:
        """Raises GatewayError where a window has no room, with the moment from which all have."""
        self._prune(moment - quota.plan.longest * 2000)
        spent = [
            (frees, window)
            for window in quota.plan.windows
            if (frees := self._frees(window, quota.tokens, moment)) is not None
        ]
        if spent:
            frees, window = max(spent, key=lambda one: one[0])
            raise _spent(quota, self.standing(window, moment), frees, moment)

    def _prune(self, since: int) -> None:
        if len(self._order) > _MOST and self._order[_MOST // 2][0] <= since:
            gone = self._order[: bisect_right(self._order, (since, 1 << 63))]
            del self._order[: len(gone)]
            for _, number in gone:
                del self._tokens[number]
            self.since = since

    def _frees(self, window: PlanWindow, wanted: int, moment: int) -> int | None:
        """When the window has room again; None: now. 0: it never will."""
        if window.tokens is not None and wanted > window.tokens:
            return 0
        within = self._within(window.seconds, moment)
        leave = 0 if window.requests is None else max(len(within) + 1 - window.requests, 0)
        if window.tokens is not None:
            over = sum(self._tokens[number] for _, number in within) + wanted - window.tokens
            place = 0
            while over > 0:
                over -= self._tokens[within[place][1]]
                place += 1
            leave = max(leave, place)
        if not leave:
            return None
        return within[leave - 1][0] + window.seconds * 1000 if leave <= len(within) else 0


def read_meter(run: Run, subscription: int, plan: Plan, moment: int, *, lock: bool) -> Meter:
    if lock:
        run.execute(_LOCK, (subscription,)).fetchall()
    # Twice as far back as any window, for a clock that is set back.
    meter = Meter(moment - plan.longest * 2000)
    for number, created, tokens in run.execute(_USED, (subscription, meter.since) * 2).fetchall():
        meter.put(number, created, tokens)
    return meter


def _spent(quota: Quota, found: PlanStanding, frees: int, moment: int) -> GatewayError:
    window, plan = found.window, quota.plan
    parts = []
    if window.requests is not None:
        parts.append(f"{found.requests} of {window.requests} requests")
    if window.tokens is not None:
        parts.append(f"{found.tokens} of {window.tokens} tokens")
    text = f"the plan {plan.name} has used or holds {' and '.join(parts)} of the last {window.name}"
    details: dict[str, str | int | None] = {
        "plan": plan.id,
        "window": window.name,
        "requests": found.requests,
        "requests_limit": window.requests,
        "tokens": found.tokens,
        "tokens_limit": window.tokens,
        "needed_tokens": quota.tokens,
    }
    if not frees:
        text += f"; this request may use up to {quota.tokens} tokens, which is more than it ever has room for"
        return GatewayError(Kind.PAYMENT_REQUIRED, text + ": ask for less (max_tokens)", code=_CODE, details=details)
    details["resets_at"] = resets = moment_text(frees)
    text += f": ask for less (max_tokens), or wait until {resets}"
    wait = max(-(-(frees - moment) // 1000), 1)
    return GatewayError(Kind.RATE_LIMITED, text, code=_CODE, retry_after=wait, details=details)


_CODE = "plan_window_spent"
