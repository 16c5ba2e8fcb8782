"""Policies, as an admin writes them, and what they leave of the catalogue for a key.

Law: a policy is checked whole before it is kept, every mistake at once. What `preview` shows is decided by the same
function as the list and the run.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from conflux.faces.asked import OwnerAsked, asked, owner_of
from conflux.faces.operations import Work
from conflux.faces.policy_checks import check
from conflux.neutral.errors import ConfigError, GatewayError, NoSuch
from conflux.neutral.people import Owner, PolicyRow
from conflux.neutral.policies import CLIENTS, Terms
from conflux.neutral.records import Caller
from conflux.policy.key import check_caller
from conflux.relay.snapshot import Snapshot
from conflux.relay.standing import standing_for


class Policies(Protocol):
    async def rows(self) -> list[PolicyRow]: ...
    async def show(self, owner: Owner) -> PolicyRow: ...
    async def change(self, owner: Owner, change: Callable[[Terms], Terms]) -> PolicyRow: ...
    async def enable(self, owner: Owner, *, enabled: bool) -> PolicyRow: ...
    async def delete(self, owner: Owner) -> None: ...


class Wish(OwnerAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    terms: dict[str, Any]  # what changes; null takes a field away


class Preview(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key: str
    client: str | None = None
    storefront: str | None = None


class PolicyAdmin:
    def __init__(
        self,
        policies: Policies,
        caller: Callable[[str], Awaitable[Caller | None]],
        snapshot: Callable[[], Snapshot],
        now: Callable[[], float],
    ) -> None:
        self._policies = policies
        self._caller = caller
        self._snapshot = snapshot
        self._now = now

    def table(self) -> dict[str, Work]:
        return {
            "policies.list": self.list,
            "policies.show": self.show,
            "policies.create": self.create,
            "policies.set": self.set,
            "policies.enable": self.enable,
            "policies.disable": self.disable,
            "policies.delete": self.delete,
            "policies.preview": self.preview,
        }

    async def list(self, params: dict[str, Any]) -> Any:
        return {"policies": msgspec.to_builtins(await self._policies.rows())}

    async def show(self, params: dict[str, Any]) -> Any:
        return msgspec.to_builtins(await self._policies.show(_owner("policies show", params)))

    async def create(self, params: dict[str, Any]) -> Any:
        return await self._change("policies create", params, fresh=True)

    async def set(self, params: dict[str, Any]) -> Any:
        return await self._change("policies set", params, fresh=False)

    async def _change(self, operation: str, params: dict[str, Any], *, fresh: bool) -> Any:
        wish = asked(operation, params, Wish)
        owner = owner_of(operation, wish)
        catalogue = self._snapshot().catalogue
        if fresh and any((row.kind, row.owner) == (owner.kind, str(owner)) for row in await self._policies.rows()):
            raise ConfigError(
                [f"{operation}: the {owner.kind} {owner} has a policy already: `policies set` changes it"]
            )

        def change(terms: Terms) -> Terms:
            said = {**msgspec.to_builtins(terms), **wish.terms}
            said = {name: value for name, value in said.items() if value is not None}
            new = asked(operation, said, Terms)
            check(operation, owner.kind, new, catalogue)
            return new

        return msgspec.to_builtins(await self._policies.change(owner, change))

    async def enable(self, params: dict[str, Any]) -> Any:
        return msgspec.to_builtins(await self._policies.enable(_owner("policies enable", params), enabled=True))

    async def disable(self, params: dict[str, Any]) -> Any:
        return msgspec.to_builtins(await self._policies.enable(_owner("policies disable", params), enabled=False))

    async def delete(self, params: dict[str, Any]) -> Any:
        owner = _owner("policies delete", params)
        await self._policies.delete(owner)
        return {"kind": owner.kind, "owner": str(owner), "deleted": True}

    async def preview(self, params: dict[str, Any]) -> Any:
        wish = asked("policies preview", params, Preview)
        if wish.client not in (None, *CLIENTS):
            raise ConfigError([f"policies preview: {wish.client!r} is no known client: use {' or '.join(CLIENTS)}"])
        caller, snapshot = await self._caller(wish.key), self._snapshot()
        if caller is None:
            raise NoSuch([f"policies preview: there is no key {wish.key[:80]!r}: `conflux keys list` shows them"])
        storefront = snapshot.storefront(wish.storefront or caller.storefront)
        if storefront is None:
            raise NoSuch([f"policies preview: there is no storefront {wish.storefront or caller.storefront!r}"])
        standing = standing_for(snapshot, caller, storefront, wish.client if caller.overridden else None)
        listed = {row.model.id: row.status for row in standing.rows}
        return {
            "key": wish.key,
            "storefront": storefront.id,
            "client": wish.client,
            "problem": self._problem(caller),
            "policies": [one.kind for one in caller.policies],
            "models": [
                {
                    "id": id,
                    "listed": id in listed,
                    "status": listed.get(id),
                    "served": verdict.served.id if verdict.served is not None else None,
                    "reason": verdict.reason or (None if id in listed else "it has no live target now"),
                }
                for id, verdict in standing.verdicts.items()
            ],
        }

    def _problem(self, caller: Caller) -> str | None:
        """Why the key opens nothing at all."""
        try:
            check_caller(caller, self._now())
        except GatewayError as error:
            return error.message
        return None


def _owner(operation: str, params: dict[str, Any]) -> Owner:
    return owner_of(operation, asked(operation, params, OwnerAsked))
