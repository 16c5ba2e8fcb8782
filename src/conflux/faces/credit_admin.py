"""Credits and plans, as an admin gives them.

Law: credits are decimal texts here and micro-credits behind; what was given counts when the call returns.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from conflux.faces.asked import OwnerAsked, asked, owner_of
from conflux.faces.key_view import Balance
from conflux.faces.operations import Work, expiry
from conflux.neutral.errors import ConfigError
from conflux.neutral.moments import moment_or_none
from conflux.neutral.money import MoneyError, credits_text, parse_scaled
from conflux.neutral.people import Owner
from conflux.relay.snapshot import Snapshot

_PREFIX = "grant_"


class GrantRow(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def workspace(self) -> str: ...
    @property
    def amount(self) -> int: ...
    @property
    def rest(self) -> int: ...
    @property
    def created(self) -> int: ...
    @property
    def expires_at(self) -> int | None: ...
    @property
    def revoked_at(self) -> int | None: ...
    @property
    def note(self) -> str: ...


class Credits(Protocol):
    async def grant(self, workspace: str, amount: int, expires_at: int | None, note: str) -> int: ...
    async def revoke(self, number: int) -> int: ...
    async def grants(self, workspace: str | None) -> Sequence[GrantRow]: ...
    async def balance(self, workspace: str) -> Balance: ...


class SubscriptionRow(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def plan(self) -> str: ...
    @property
    def created(self) -> int: ...


class Subscriptions(Protocol):
    async def rows(self) -> Sequence[SubscriptionRow]: ...
    async def put(self, owner: Owner, plan: str) -> int: ...
    async def end(self, owner: Owner) -> None: ...


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    workspace: str
    credits: str
    expires: str | None = None
    note: str = ""


class Listed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    workspace: str | None = None


class Revoked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str


class Subscribed(OwnerAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    plan: str


class CreditAdmin:
    def __init__(self, credits: Credits) -> None:
        self._credits = credits

    def table(self) -> dict[str, Work]:
        return {"credits.grant": self.grant, "credits.list": self.list, "credits.revoke": self.revoke}

    async def grant(self, params: dict[str, Any]) -> Any:
        wish = asked("credits grant", params, Wish)
        problems: list[str] = []
        amount = 0
        try:
            amount = parse_scaled(wish.credits, 6)
        except MoneyError as error:
            problems.append(f"credits grant: {error}")
        ends = expiry(wish.expires, time.time(), problems)
        if problems:
            raise ConfigError(problems)
        number = await self._credits.grant(wish.workspace, amount, ends * 1000 if ends is not None else None, wish.note)
        found = await self._credits.balance(wish.workspace)
        return {
            "id": f"{_PREFIX}{number}",
            "workspace": wish.workspace,
            "credits": credits_text(amount),
            "balance_credits": credits_text(found.rest),
            "held_credits": credits_text(found.held),
        }

    async def list(self, params: dict[str, Any]) -> Any:
        wanted = asked("credits list", params, Listed).workspace
        rows = await self._credits.grants(wanted)
        names = dict.fromkeys(row.workspace for row in rows)
        if wanted is not None:
            names.setdefault(wanted)
        balances = []
        for name in names:
            found = await self._credits.balance(name)
            balances.append({"workspace": name, "credits": credits_text(found.rest), "held": credits_text(found.held)})
        now = int(time.time() * 1000)
        return {"balances": balances, "grants": [_shown(row, now) for row in rows]}

    async def revoke(self, params: dict[str, Any]) -> Any:
        name = asked("credits revoke", params, Revoked).id
        digits = name.removeprefix(_PREFIX)
        if not (digits.isascii() and digits.isdecimal() and len(digits) < 19):
            raise ConfigError([f"credits revoke: {name!r} is no grant's id: `conflux credits list` shows them"])
        rest = await self._credits.revoke(int(digits))
        return {"id": f"{_PREFIX}{int(digits)}", "revoked": True, "left_credits": credits_text(rest)}


def _shown(row: GrantRow, now: int) -> dict[str, Any]:
    ended = row.expires_at is not None and row.expires_at <= now
    return {
        "id": f"{_PREFIX}{row.id}",
        "workspace": row.workspace,
        "credits": credits_text(row.amount),
        "left": credits_text(row.rest),
        "created": moment_or_none(row.created),
        "expires": moment_or_none(row.expires_at),
        "status": "revoked"
        if row.revoked_at is not None
        else "expired"
        if ended
        else "spent"
        if not row.rest
        else "open",
        "note": row.note,
    }


class PlanAdmin:
    def __init__(self, subscriptions: Subscriptions, snapshot: Callable[[], Snapshot]) -> None:
        self._subscriptions = subscriptions
        self._snapshot = snapshot

    def table(self) -> dict[str, Work]:
        return {"plans.list": self.list, "plans.subscribe": self.subscribe, "plans.unsubscribe": self.unsubscribe}

    async def list(self, params: dict[str, Any]) -> Any:
        plans = self._snapshot().catalogue.plans
        return {
            "plans": [
                {
                    "id": plan.id,
                    "name": plan.name,
                    "storefront": plan.storefront,
                    "default": plan.default,
                    "windows": [
                        {"window": one.name, "requests": one.requests, "tokens": one.tokens} for one in plan.windows
                    ],
                }
                for plan in plans.values()
            ],
            "subscriptions": [
                {"kind": row.kind, "owner": row.owner, "plan": row.plan, "offered": row.plan in plans,
                 "since": moment_or_none(row.created)}
                for row in await self._subscriptions.rows()
            ],
        }  # fmt: skip

    async def subscribe(self, params: dict[str, Any]) -> Any:
        wish = asked("plans subscribe", params, Subscribed)
        owner = owner_of("plans subscribe", wish)
        plans = self._snapshot().catalogue.plans
        if wish.plan not in plans:
            known = ", ".join(plans) or "none: write one as [[plan]]"
            raise ConfigError([f"plans subscribe: there is no plan {wish.plan!r}; there are {known}"])
        await self._subscriptions.put(owner, wish.plan)
        return {"kind": owner.kind, "owner": str(owner), "plan": wish.plan}

    async def unsubscribe(self, params: dict[str, Any]) -> Any:
        owner = owner_of("plans unsubscribe", asked("plans unsubscribe", params, OwnerAsked))
        await self._subscriptions.end(owner)
        return {"kind": owner.kind, "owner": str(owner), "plan": None}
