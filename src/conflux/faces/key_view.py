"""What a key may know of itself: its limits, what it has spent, what pays for it, and when each of that begins anew.

Law: reads only; the same rows that requests are admitted by.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from conflux.neutral.moments import moment_or_none
from conflux.neutral.money import credits_text, usd
from conflux.neutral.plans import Plan, PlanStanding
from conflux.neutral.records import Caller, Storefront


class Spent(Protocol):
    """What a key has spent and may still spend under one budget, in nano-USD, as the ledger has it."""

    @property
    def scope(self) -> str: ...
    @property
    def window(self) -> str: ...
    @property
    def spent(self) -> int: ...
    @property
    def held(self) -> int: ...
    @property
    def cap(self) -> int | None: ...
    @property
    def resets(self) -> int | None: ...


class Balance(Protocol):
    @property
    def rest(self) -> int: ...
    @property
    def held(self) -> int: ...
    @property
    def active(self) -> bool: ...


Spending = Callable[[Caller], Awaitable[Sequence[Spent]]]
Dues = Callable[[Caller, Plan | None], Awaitable[tuple[Balance | None, list[PlanStanding]]]]


async def no_dues(caller: Caller, plan: Plan | None) -> tuple[Balance | None, list[PlanStanding]]:
    """Where nobody pays with anything but money."""
    return None, []


def key_view(
    caller: Caller,
    storefront: Storefront,
    spent: Sequence[Spent],
    balance: Balance | None,
    plan: Plan | None,
    windows: Sequence[PlanStanding],
) -> dict[str, Any]:
    return {
        "name": caller.name,
        "storefront": storefront.id,
        "workspace": caller.workspace,
        "user": caller.user,
        "test": caller.test,
        "admin": caller.admin,
        "expires_at": caller.expires_at,
        "models": sorted(caller.models) if caller.models is not None else None,
        "budgets": [_budget(one) for one in spent],
        "limits": [
            {
                "scope": one.kind,
                "requests_per_minute": one.terms.requests_per_minute,
                "tokens_per_minute": one.terms.tokens_per_minute,
                "concurrent": one.terms.concurrent,
            }
            for one in caller.policies
            if one.terms.limited
        ],
        "credits": _credits(balance) if balance is not None and balance.active else None,
        "plan": {"id": plan.id, "name": plan.name, "windows": [window_view(one) for one in windows]}
        if plan is not None
        else None,
    }


def _budget(found: Spent) -> dict[str, Any]:
    cap = found.cap
    return {
        "scope": found.scope,
        "window": found.window,
        "spent_usd": usd(found.spent),
        "held_usd": usd(found.held),
        "cap_usd": usd(cap) if cap is not None else None,
        "left_usd": usd(max(cap - found.spent - found.held, 0)) if cap is not None else None,
        "resets_at": moment_or_none(found.resets),
    }


def _credits(found: Balance) -> dict[str, Any]:
    return {
        "balance": credits_text(found.rest),
        "held": credits_text(found.held),
        "left": credits_text(max(found.rest - found.held, 0)),
    }


def window_view(found: PlanStanding) -> dict[str, Any]:
    return {
        "window": found.window.name,
        "requests": found.requests,
        "requests_limit": found.window.requests,
        "tokens": found.tokens,
        "tokens_limit": found.window.tokens,
        "frees_at": moment_or_none(found.frees),  # when the oldest of what is counted leaves the window
    }
