"""Credits of a workspace: its grants, and what open requests hold of them.

Law: in micro-credits. A grant is an account of its own; its rest is the sum of its entries. What expires first is
spent first, by the moment a request began, so that whatever was held can be spent. All holds together never exceed what
has not expired.
"""

from typing import Any, NamedTuple

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.money import credits_text
from conflux.stores.booking import Account
from conflux.stores.budgets import FOREVER
from conflux.stores.sql import Run

_GRANTS = """
    SELECT id, coalesce(expires_at, ?), rest, revoked_at FROM credit_grant WHERE workspace_id = ? ORDER BY id
"""
_LOCK = " FOR NO KEY UPDATE"
_HELD = "SELECT coalesce(sum(credits), 0) FROM claim WHERE workspace_id = ?"
_MOVE = "UPDATE credit_grant SET rest = ? WHERE id = ? AND rest = ?"


class Grant:
    __slots__ = ("expires", "id", "rest", "was")

    def __init__(self, number: int, expires: int, rest: int) -> None:
        self.id, self.expires, self.rest, self.was = number, expires, rest, rest


class Balance(NamedTuple):
    """What a workspace holds, in micro-credits."""

    rest: int  # not expired
    held: int
    active: bool  # it has been given credits, so it pays with them


class Purse:
    __slots__ = ("active", "grants", "held")

    def __init__(self, grants: list[Grant], held: int, *, active: bool) -> None:
        self.grants = sorted(grants, key=lambda one: (one.expires, one.id))
        self.held = held
        self.active = active

    def balance(self, moment: int) -> Balance:
        return Balance(sum(one.rest for one in self.grants if one.expires > moment), self.held, self.active)

    def check(self, amount: int, moment: int) -> None:
        """Raises GatewayError where it does not fit."""
        rest, held, _ = self.balance(moment)
        if rest - held < amount:
            raise empty(rest, held, amount)

    def take(self, amount: int, moment: int) -> list[tuple[Grant, int]]:
        """From which grants it comes. Those that were expired when the request began come last, and should never."""
        parts = []
        for grant in sorted(self.grants, key=lambda one: one.expires <= moment):
            part = min(grant.rest, amount)
            if part > 0:
                grant.rest -= part
                amount -= part
                parts.append((grant, part))
        return parts

    def moved(self) -> list[Grant]:
        return [one for one in self.grants if one.rest != one.was]


def read_purse(run: Run, workspace: int, *, lock: bool) -> Purse:
    rows = run.execute(_GRANTS + _LOCK if lock else _GRANTS, (FOREVER, workspace)).fetchall()
    held = int(run.execute(_HELD, (workspace,)).fetchone()[0])
    grants = [Grant(row[0], row[1], row[2]) for row in rows if row[2]]
    return Purse(grants, held, active=any(row[3] is None for row in rows))


def move(run: Run, grant: Grant) -> int:
    changed = run.execute(_MOVE, (grant.rest, grant.id, grant.was)).rowcount
    grant.was = grant.rest
    return changed


_CREDITS, _EARNED = Account.CREDITS.value, Account.CREDITS_EARNED.value


def credit_legs(tx: int, parts: list[tuple[Grant, int]]) -> tuple[int, ...]:
    """The entries of credits spent, as booking.legs makes those of money."""
    total = sum(part for _, part in parts)
    if not total:
        return ()
    found: tuple[int, ...] = (tx, _EARNED, 0, total)
    for grant, part in parts:
        found += (tx, _CREDITS, grant.id, -part)
    return found


def empty(rest: int, held: int, amount: int) -> GatewayError:
    missing = amount - (rest - held)
    text = (
        f"this workspace has {credits_text(rest)} credits, of which {credits_text(held)} are held for requests under"
        f" way; this request may cost up to {credits_text(amount)}, so {credits_text(missing)} are missing: ask for"
        " less (a shorter prompt, max_tokens), or have credits granted"
    )
    details: dict[str, Any] = {
        "scope": "workspace",
        "credits": credits_text(rest),
        "held_credits": credits_text(held),
        "needed_credits": credits_text(amount),
        "missing_credits": credits_text(missing),
    }
    return GatewayError(Kind.PAYMENT_REQUIRED, text, code="insufficient_credits", details=details)
