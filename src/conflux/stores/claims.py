"""What requests take besides money: credits of their workspace, and of plans. The book's other half.

Law: decided in memory and written in the book's own transaction, as everything there. A request that takes neither
touches nothing of this: no row, no look-up.
"""

from collections.abc import Iterable
from typing import Any

from conflux.neutral.ledger import Reservation, Settlement
from conflux.stores.booking import Booked, Claim, Hold
from conflux.stores.meters import Meter, read_meter
from conflux.stores.purses import Purse, credit_legs, move, read_purse
from conflux.stores.sql import Run

_ROW = "(request_id, created, workspace_id, credits, credit_mark, subscription_id, tokens) VALUES (?, ?, ?, ?, ?, ?, ?)"
_ADD = f"INSERT INTO claim {_ROW}"
_MARK = "UPDATE claim SET credit_mark = ? WHERE request_id = ?"
_END = "DELETE FROM claim WHERE request_id = ?"
_TAKE = (
    "INSERT INTO taken (request_id, created, workspace_id, credits, subscription_id, tokens) VALUES (?, ?, ?, ?, ?, ?)"
)
MOST_KEPT = 10_000


class Claims:
    """`lock`: others write too, so what is read is locked, and for one batch only."""

    def __init__(self, *, lock: bool) -> None:
        self._lock = lock
        self._purses: dict[int, Purse] = {}
        self._meters: dict[int, Meter] = {}
        self._new: dict[int, Claim] = {}
        self._marks: dict[int, int] = {}
        self._gone: list[int] = []
        self._taken: list[tuple[Any, ...]] = []
        self._touched: dict[int, Purse] = {}

    # -- steps

    def wanted(self, run: Run, order: Reservation) -> Claim | None:
        """What the request is to hold; None: nothing. Raises GatewayError where there is not so much."""
        quota = order.quota
        found = None
        if order.credits:
            purse = self._purse(run, order.caller_workspace)
            if purse.active:
                purse.check(order.credits, order.created)
                found = Claim(order.caller_workspace, order.created, order.credits, order.credit_floor)
        if quota is not None:
            self._meter(run, order).check(quota, order.created)
            found = found or Claim(order.caller_workspace, order.created)
            found.subscription, found.tokens = quota.subscription, quota.tokens
        return found

    def hold(self, number: int, claim: Claim) -> None:
        self._new[number] = claim
        if claim.credits:
            self._purses[claim.workspace].held += claim.credits
        if claim.subscription is not None:
            self._meters[claim.subscription].put(number, claim.created, claim.tokens)

    def mark(self, number: int, claim: Claim, amount: int) -> None:
        if claim.credits:
            claim.mark = amount
            self._marks[number] = amount

    def settle(self, run: Run, hold: Hold, end: Settlement, booked: Booked) -> tuple[int, tuple[int, ...]]:
        """The micro-credits it costs, and their entries."""
        claim, number = hold.claim, end.request_id
        assert claim is not None, "who calls has seen that there is one"
        paid, parts = 0, []
        if claim.credits:
            purse = self._purse(run, claim.workspace)
            purse.held -= claim.credits
            self._touched[claim.workspace] = purse
            if booked.started:
                parts = purse.take(min(max(end.credits, 0), claim.credits), claim.created)
                paid = sum(part for _, part in parts)
        counts = claim.subscription is not None and booked.started
        tokens = min(end.usage.total, claim.tokens) if counts else 0
        meter = self._meters.get(claim.subscription) if claim.subscription is not None else None
        if meter is not None:
            if counts:
                meter.put(number, claim.created, tokens)
            else:
                meter.drop(number, claim.created)
        self._gone.append(number)
        if paid or counts:
            subscription = claim.subscription if counts else None
            self._taken.append((number, claim.created, claim.workspace, paid, subscription, tokens))
        return paid, credit_legs(number, parts)

    def _purse(self, run: Run, workspace: int) -> Purse:
        found = self._purses.get(workspace)
        if found is None:
            found = self._purses[workspace] = read_purse(run, workspace, lock=self._lock)
        return found

    def _meter(self, run: Run, order: Reservation) -> Meter:
        assert order.quota is not None, "who calls has seen that there is one"
        number, plan = order.quota.subscription, order.quota.plan
        found = self._meters.get(number)
        if found is None or found.since > order.created - plan.longest * 1000:
            fresh = read_meter(run, number, plan, order.created, lock=self._lock)
            if found is not None:
                fresh.overlay(found)  # what this batch did is not written yet
            found = self._meters[number] = fresh
        return found

    # -- the batch's transaction

    def begin(self, run: Run, orders: Iterable[Reservation], ending: Iterable[Hold]) -> None:
        """Where others write too: read under lock, in the order of the rows, what the batch will ask for."""
        self.forget()
        quotas = {one.quota.subscription: one for one in orders if one.quota is not None and not one.simulated}
        purses = {one.caller_workspace for one in orders if one.credits and not one.simulated}
        purses |= {one.claim.workspace for one in ending if one.claim is not None and one.claim.credits}
        for workspace in sorted(purses):
            self._purse(run, workspace)
        for number in sorted(quotas):
            self._meter(run, quotas[number])

    def write(self, run: Run) -> int:
        """How many rows were not as remembered."""
        wrong = 0
        for number, claim in self._new.items():
            row = (claim.created, claim.workspace, claim.credits, claim.mark, claim.subscription, claim.tokens)
            run.execute(_ADD, (number, *row))
        for number, amount in self._marks.items():
            if number not in self._new:
                run.execute(_MARK, (amount, number))
        for number in self._gone:
            wrong += run.execute(_END, (number,)).rowcount != 1
        for values in self._taken:
            run.execute(_TAKE, values)
        for purse in self._touched.values():
            for grant in purse.moved():
                wrong += move(run, grant) != 1
        return wrong

    def clear(self) -> None:
        """Forget the batch's rows."""
        for rows in (self._new, self._marks, self._gone, self._taken, self._touched):
            rows.clear()

    def forget(self) -> None:
        self._purses.clear()
        self._meters.clear()

    @property
    def many(self) -> bool:
        return len(self._purses) + len(self._meters) > MOST_KEPT
