"""The ledger in memory: open holds and the budgets in use, and what a batch makes of them.

Law: decide here, then write: what a batch changed is one set of rows, written in one transaction. How a window is found
and how rows are written is the database's own (sqlite_book.py, postgres_book.py), which is the authority: after
anything went wrong, memory is thrown away and read again.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import msgspec

from conflux.neutral.errors import GatewayError, StoreError, invalid
from conflux.neutral.ledger import Checkpoint, Reservation, Settlement, request_id_text
from conflux.neutral.records import Scope
from conflux.stores.answers import Answers
from conflux.stores.booking import Hold, bare, book, dropped, held_for, late, legs, squared
from conflux.stores.budgets import FOREVER, Full, refusal
from conflux.stores.claims import Claims
from conflux.stores.rows import hold_row, request_row
from conflux.stores.sql import Run
from conflux.stores.usage_rows import Used

_LEASE_MS = 30 * 60 * 1000  # longer than any request may take
MOST_HELD = 10**16  # nano-USD, ten million USD: sums of many such stay within 64 bits
MOST_CALLERS = 50_000

Step = Callable[[Any], Any]


class Drift(Exception):
    """A row was not as remembered: someone else wrote it."""


class Window:
    """One window of a budget: what was spent and what is held in it."""

    __slots__ = ("budget", "cap", "end", "held", "of", "posted", "start", "stored", "touched", "was_held", "was_posted")

    def __init__(self, of: "Budget", start: int, end: int, row: tuple[int, int] | None) -> None:
        self.of = of
        self.budget = of.id
        self.cap = of.cap
        self.start = start
        self.end = end
        self.posted, self.held = row or (0, 0)
        self.was_posted = self.was_held = 0
        self.stored = row is not None
        self.touched = False


class Budget:
    __slots__ = ("cap", "id", "kind", "now", "older", "period", "scope_id")

    def __init__(self, row: tuple[Any, ...]) -> None:
        self.id: int
        self.id, self.kind, self.scope_id, self.period, self.cap = row
        self.now: Window | None = None
        self.older: dict[int, Window] = {}


class Place:
    """Where a payer's requests of one time count: against which windows."""

    __slots__ = ("age", "budgets", "end", "scopes", "start", "windows")

    def __init__(self, budgets: tuple[Budget, ...], scopes: tuple[Scope, ...]) -> None:
        self.budgets = budgets
        self.scopes = scopes
        self.windows: tuple[Window, ...] = ()
        self.start = self.end = 0
        self.age = -1  # of the windows, see Book._age

    def stand(self, windows: tuple[Window, ...], age: int) -> "Place":
        """The same where these windows are known."""
        found = Place(self.budgets, self.scopes)
        found.windows = windows
        found.start = max((one.start for one in windows), default=0)
        found.end = min((one.end for one in windows), default=FOREVER)
        found.age = age
        return found


# Of a payer: by key, user, workspace and storefront.
BUDGETS = (
    "SELECT id, kind, scope_id, period, cap FROM budget WHERE (kind, scope_id) IN (VALUES ('key', ?), ('user', ?),"
    " ('workspace', ?), ('storefront', coalesce((SELECT id FROM storefront WHERE name = ?), -1)))"
    " ORDER BY kind, scope_id, period"
)
_BUDGET = "SELECT 1 FROM budget WHERE kind = ? AND scope_id = ? AND period = ?"
_ENDED = "SELECT cost FROM request WHERE id = ?"

_Payer = tuple[int, int, int, str]


class Book(ABC):
    """Not safe for two threads at once: its writer runs one batch at a time and nothing beside it."""

    def __init__(self, now: Callable[[], float], *, shared: bool = False) -> None:
        self._now = now
        self._claims = Claims(lock=shared)
        self._answers = Answers()
        self._connection: Run
        self.epoch = 0
        self.holds: dict[int, Hold] = {}
        self._taken: set[int] = set()  # ids that were used lately
        self._budgets: dict[int, Budget] = {}
        self._payers: dict[_Payer, Place] = {}
        self._age = 0  # windows that were found at another age are not to be trusted
        # What was lost with a failing disk: endings, and requests that could not begin; see `lost` and `owed`.
        self._lost_ends: dict[int, Settlement] = {}
        self._lost_starts: set[int] = set()
        self._used = Used()
        self._clear()

    def _clear(self) -> None:
        """Forget the batch's rows."""
        self._moment = 0  # of the batch, in unix milliseconds; 0: not looked for yet
        self._new_holds: list[Any] = []
        self._begun: list[int] = []
        self._marks: dict[int, Checkpoint] = {}
        self._requests: list[Any] = []
        self._attempts: list[Any] = []
        self._postings: list[int] = []
        self._entries: list[Any] = []
        self._gone: list[int] = []
        self._costs: dict[int, int] = {}
        self._touched: list[Window] = []
        self._used.clear()
        self._claims.clear()
        self._answers.clear()

    # -- what a batch is made of: each step decides in memory and leaves its rows behind

    def reserve(self, order: Reservation) -> None:
        number = order.request_id
        if not (0 <= order.amount <= MOST_HELD and 0 <= order.input_floor <= MOST_HELD):
            raise invalid("this request may cost more than the ledger holds for one: ask for less (max_tokens)")
        self._check_unused(number)
        if order.once is not None:
            self._answers.check(self._connection, order.once, order.created)
        amount = held_for(order)
        hold = Hold(order, amount)
        if not order.simulated:
            self._hold(hold)
        if order.once is not None:
            self._answers.hold(order.once, number)
        self.holds[number] = hold
        self._taken.add(number)
        self._new_holds += hold_row(order, amount, self.epoch, (self._moment or self._look()) + _LEASE_MS)

    def _look(self) -> int:
        self._moment = int(self._now() * 1000)
        return self._moment

    @abstractmethod
    def _check_unused(self, number: int) -> None:
        """Raises IdTaken where another request has the id."""

    def _hold(self, hold: Hold) -> None:
        order, amount = hold.order, hold.amount
        place = hold.place = self._place(order)
        for window in place.windows:
            if window.cap is not None and window.posted + window.held + amount > window.cap:
                raise self._refusal(place, amount, order.created)
        if order.credits or order.quota is not None:
            claim = hold.claim = self._claims.wanted(self._connection, order)
            if claim is not None:
                self._claims.hold(order.request_id, claim)
        for window in place.windows:
            if not window.touched:
                self._touch(window)
            window.held += amount

    @staticmethod
    def _refusal(place: Place, amount: int, moment: int) -> GatewayError:
        full = [
            Full(one.of.kind, one.of.period, one.cap, one.posted, one.held, one.end)
            for one in place.windows
            if one.cap is not None and one.posted + one.held + amount > one.cap
        ]
        return refusal(full, amount, moment)

    def start(self, number: int) -> None:
        hold = self.holds.get(number)
        if hold is None:
            raise StoreError(f"the request {request_id_text(number)} is not open, so it cannot start")
        if not hold.started:
            hold.started = True
            self._begun.append(number)

    def checkpoint(self, mark: Checkpoint) -> bool:
        """False: nobody has it open, so nothing is marked."""
        hold = self.holds.get(mark.request_id)
        if hold is None:
            return False
        hold.checkpoint, hold.usage = mark.amount, mark.usage
        self._marks[mark.request_id] = mark
        if hold.claim is not None:
            self._claims.mark(mark.request_id, hold.claim, mark.credits)
        return True

    def settle(self, end: Settlement) -> int:
        number = end.request_id
        hold = self.holds.get(number)
        if hold is None:
            return self._settled(number)
        order = hold.order
        booked = book(hold, end)
        end = squared(end, booked)
        extra: tuple[int, ...] = ()
        if end.kept is not None:
            self._answers.settle(number, end.kept)
        if hold.claim is not None:
            paid, extra = self._claims.settle(self._connection, hold, end, booked)
            if hold.claim.credits and paid != end.credits:
                end = msgspec.structs.replace(end, credits=paid)
        row = request_row(hold, end, booked, self._moment or self._look())
        if not order.simulated:
            place = hold.place
            if place is None or place.age != self._age:
                place = self._place(order)
            for window in place.windows:
                if not window.touched:
                    self._touch(window)
                window.held -= hold.amount
                window.posted += booked.paid
        del self.holds[number]
        self._gone.append(number)
        self._costs[number] = booked.cost
        self._requests += row
        self._count(row, order.tags)
        if booked.paid and booked.provider_cost and not booked.variance:
            self._postings += (number, order.caller_key, booked.paid, booked.provider_cost)
        else:
            self._entries += legs(number, order.caller_key, booked)
        self._entries += extra
        for place, call in enumerate(end.calls):
            self._attempts += (number, place, call.target, call.provider_cost, call.upstream_id)
        return booked.cost

    def _count(self, row: tuple[Any, ...], tags: dict[str, str]) -> None:
        """`row`: of `request`."""
        self._used.add(row, tags)

    def _settled(self, number: int) -> int:
        cost = self._costs.get(number)
        if cost is None:
            cost = self._ended(number)
        if cost is None:
            raise StoreError(f"the request {request_id_text(number)} was never reserved, so it cannot be settled")
        return cost

    def _ended(self, number: int) -> int | None:
        row = self._connection.execute(_ENDED, (number,)).fetchone()
        return row[0] if row is not None else None

    # -- budgets

    def _place(self, order: Reservation) -> Place:
        """The windows that a request counts against, in the order of its scopes."""
        payer = (order.caller_key, order.caller_user, order.caller_workspace, order.storefront)
        found = self._payers.get(payer)
        if found is None or found.scopes is not order.scopes:
            found = self._look_up(payer, order.scopes)
        moment = order.created
        if found.age != self._age or not found.start <= moment < found.end:
            windows = tuple([self._window(one, moment) for one in found.budgets])
            found = self._payers[payer] = found.stand(windows, self._age)
        return found

    def _payer(self, order: Reservation) -> Place:
        """Which budgets a request counts against; their windows may be old."""
        payer = (order.caller_key, order.caller_user, order.caller_workspace, order.storefront)
        found = self._payers.get(payer)
        if found is None or found.scopes is not order.scopes:
            found = self._look_up(payer, order.scopes)
        return found

    def _look_up(self, payer: _Payer, scopes: tuple[Scope, ...]) -> Place:
        known = self._payers.get(payer)
        if known is not None:
            budgets = known.budgets
        else:
            rows = self._connection.execute(BUDGETS, payer).fetchall()
            budgets = tuple(self._budgets.setdefault(row[0], Budget(row)) for row in rows)
        names = {(one.kind, one.scope_id, one.period) for one in budgets}
        for scope in scopes:
            name = (scope.kind, scope.id, scope.window)
            if scope.cap is not None and name not in names and not self._connection.execute(_BUDGET, name).fetchone():
                # A cap nobody counts against would be no cap.
                raise StoreError(f"there is no budget for {scope.kind} {scope.id} by {scope.window} on the books")
        found = self._payers[payer] = Place(budgets, scopes)
        return found

    @abstractmethod
    def _window(self, budget: Budget, moment: int) -> Window:
        """The budget's window that holds a moment, as it stands now."""

    def _touch(self, window: Window) -> None:
        window.touched = True
        window.was_posted, window.was_held = window.posted, window.held
        self._touched.append(window)

    # -- between batches

    def forget_budgets(self) -> None:
        self._budgets.clear()
        self._payers.clear()
        self._age += 1
        self._claims.forget()

    def lost(self, step: Step, word: Any) -> None:
        """A step that did not reach the disk. Its caller is told so; what must still happen, happens later."""
        if step == self.settle:
            self._lost_ends.setdefault(word.request_id, word)
        elif step == self.reserve:
            self._lost_starts.add(word.request_id)
        elif step == self.start:
            self._lost_starts.add(word)

    def owed(self) -> list[Settlement]:
        """What is to be settled now that the disk is back: endings that could not be written, requests that could not
        begin, and reservations that were refused for it but reached the disk all the same."""
        ends = [late(hold, end) for number, end in self._lost_ends.items() if (hold := self.holds.get(number))]
        ends += [dropped(number) for number in self._lost_starts - self._lost_ends.keys() if number in self.holds]
        self._lost_ends.clear()
        self._lost_starts.clear()
        return ends

    def abandoned(self, step: Step, word: Any) -> Settlement | None:
        """What to settle because the caller of a step that was written has gone away."""
        return dropped(word.request_id) if step == self.reserve else None

    def simpler(self, step: Step, word: Any) -> Any | None:
        """A word the database may take where it refused the first."""
        return bare(word) if step == self.settle and word != bare(word) else None


def check_all(changed: int, wanted: int, what: str) -> None:
    if changed != wanted:
        raise Drift(f"{wanted - changed} {what} rows were not as remembered")
