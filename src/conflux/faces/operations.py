"""What an admin can do, as functions: the one set behind the command line, the control socket and, later, the web.

Law: each operation takes plain JSON and gives plain JSON back; what it changed counts when it returns. Mistakes are
ConfigErrors, one line each. Nothing here knows whether a server runs.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from conflux.catalogue.figures import tokens
from conflux.catalogue.limitations import limitations
from conflux.faces.catalogue_admin import CatalogueAdmin
from conflux.neutral.errors import ConfigError, NoSuch
from conflux.neutral.keys import KeyOrder, KeyRow
from conflux.neutral.money import MoneyError, nano_from_usd, per_million, usd
from conflux.neutral.records import Model, Storefront
from conflux.relay.snapshot import Snapshot


class NewKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `keys create` asks for."""

    storefront: str | None = None
    name: str = ""
    workspace: str = "default"
    user: str = "default"
    admin: bool = False
    test: bool = False
    agent: bool = False
    models: list[str] | None = None
    budget_usd: str | None = None
    expires: str | None = None


class KeyAdmin(Protocol):
    async def create(self, order: KeyOrder) -> tuple[str, str]:
        """The new key's id and its secret, shown this once."""
        ...

    async def list(self) -> list[KeyRow]: ...

    async def revoke(self, key_id: str) -> bool:
        """False where there is no such key."""
        ...


Operation = Callable[["Operations", dict[str, Any]], Awaitable[Any]]
Work = Callable[[dict[str, Any]], Awaitable[Any]]


class Operations:
    def __init__(
        self,
        keys: KeyAdmin,
        snapshot: Callable[[], Snapshot],
        reload: Callable[[], Awaitable[dict[str, Any]]],
        status: Callable[[], dict[str, Any]],
        verify: Callable[[], Awaitable[dict[str, Any]]],
        more: Mapping[str, Work],
        catalogue: CatalogueAdmin | None = None,
    ) -> None:
        self._keys = keys
        self._snapshot = snapshot
        self._reload = reload
        self._status = status
        self._verify = verify
        self._more = more
        self._catalogue = catalogue

    async def run(self, name: str, params: dict[str, Any]) -> Any:
        if name.startswith("catalogue.") and self._catalogue is not None:
            return await self._catalogue.run(name, params)
        operation = OPERATIONS.get(name)
        if operation is not None:
            return await operation(self, params)
        more = self._more.get(name)
        if more is None:
            raise ConfigError([f"there is no operation {name!r}; there are {', '.join([*OPERATIONS, *self._more])}"])
        return await more(params)

    async def keys_create(self, params: dict[str, Any]) -> Any:
        try:
            asked = msgspec.convert(params, NewKey)
        except msgspec.ValidationError as error:
            raise ConfigError([f"keys create: {error}"]) from None
        order = understand(asked, self._snapshot(), time.time())
        unknown = await self._unknown(order)
        key_id, secret = await self._keys.create(order)
        made = {"id": key_id, "key": secret}
        return made | {"notes": unknown} if unknown else made

    async def _unknown(self, order: KeyOrder) -> list[str]:
        """Whom the key makes. A slip in a name would otherwise lead, unseen, past everything that narrows the one
        that was meant."""
        workspaces = (await self._more["workspaces.list"]({}))["workspaces"]
        if order.workspace not in {one["name"] for one in workspaces}:
            return [f"there was no workspace {order.workspace!r}: it was made, and no policy or budget is in it yet"]
        users = (await self._more["users.list"]({"workspace": order.workspace}))["users"]
        if order.user not in {one["name"] for one in users}:
            return [f"the workspace {order.workspace!r} had no user {order.user!r}: it was made, as a member"]
        return []

    async def keys_list(self, params: dict[str, Any]) -> Any:
        rows = []
        for row in await self._keys.list():
            shown = msgspec.to_builtins(row)
            shown["budget_usd"] = usd(row.budget) if row.budget is not None else None
            shown["spent_usd"] = usd(row.spent)
            del shown["budget"], shown["spent"]
            rows.append(shown)
        return {"keys": rows}

    async def keys_revoke(self, params: dict[str, Any]) -> Any:
        key_id = str(params.get("id", ""))
        if not await self._keys.revoke(key_id):
            raise NoSuch([f"keys revoke: there is no key {key_id!r}: `conflux keys list` shows them"])
        return {"id": key_id, "revoked": True}

    async def models_list(self, params: dict[str, Any]) -> Any:
        snapshot = self._snapshot()
        wanted = params.get("storefront")
        if wanted is not None and wanted not in snapshot.catalogue.storefronts:
            raise ConfigError([_no_storefront(str(wanted), snapshot)])
        rows = [
            model_view(model, snapshot)
            for name in snapshot.catalogue.storefronts
            if wanted in (None, name)
            for model in snapshot.catalogue.models_of(name)
            if params.get("all") or model.enabled
        ]
        return {"models": rows}

    async def models_show(self, params: dict[str, Any]) -> Any:
        snapshot, name = self._snapshot(), str(params.get("id", ""))
        rows = [
            {**model_view(model, snapshot), "targets": [target.key for target in snapshot.targets(model, test=False)]}
            for storefront in snapshot.catalogue.storefronts
            if params.get("storefront") in (None, storefront)
            and (model := snapshot.catalogue.resolve(storefront, name)) is not None
        ]
        for row in rows:
            known = (await self._more["probe.list"]({"id": row["id"], "storefront": row["storefront"]}))["probes"]
            row["probes"] = [one for one in known if one["target"] in row["targets"]]
        if not rows:
            raise NoSuch([f"models show: there is no model {name!r}: `conflux models list --all` shows them"])
        return {"models": rows}

    async def reload(self, params: dict[str, Any]) -> Any:
        return await self._reload()

    async def status(self, params: dict[str, Any]) -> Any:
        return self._status()

    async def ledger_verify(self, params: dict[str, Any]) -> Any:
        return await self._verify()


OPERATIONS: dict[str, Operation] = {
    "keys.create": Operations.keys_create,
    "keys.list": Operations.keys_list,
    "keys.revoke": Operations.keys_revoke,
    "models.list": Operations.models_list,
    "models.show": Operations.models_show,
    "ledger.verify": Operations.ledger_verify,
    "server.reload": Operations.reload,
    "server.status": Operations.status,
}


_NAME_MOST = 200
_NEEDS_SOME = frozenset({"list", "show", "verify", "usage", "revoke", "remove", "delete", "preview", "sweep", "refund"})


def makes_store(operation: str) -> bool:
    """May it begin on an empty store? What looks at something, or takes it away, must not make one first."""
    return operation.rpartition(".")[2] not in _NEEDS_SOME


def understand(asked: NewKey, snapshot: Snapshot, now: float) -> KeyOrder:
    """Check the wish against the catalogue. Raises ConfigError with every mistake."""
    problems: list[str] = []
    storefronts = snapshot.catalogue.storefronts
    storefront = storefronts.get(asked.storefront) if asked.storefront is not None else snapshot.catalogue.root
    if storefront is None:
        raise ConfigError([_no_storefront(str(asked.storefront), snapshot)])
    prefix = _prefix(asked, storefront, problems)
    if len(asked.name) > _NAME_MOST or not asked.name.isprintable():
        problems.append(f"--name: up to {_NAME_MOST} printable characters; it is shown in lists")
    if asked.models == []:
        problems.append("--models: names no model; leave it out for a key that may run all of them")
    for name in asked.models or ():
        if snapshot.catalogue.resolve(storefront.id, name) is None:
            problems.append(f"--models: the storefront {storefront.id} has no model {name!r}")
    budget = None
    if asked.budget_usd is not None:
        try:
            budget = nano_from_usd(asked.budget_usd)
        except MoneyError as error:
            problems.append(f"--budget-usd: {error}")
    expires_at = expiry(asked.expires, now, problems)
    if problems:
        raise ConfigError(problems)
    return KeyOrder(
        prefix=prefix,
        storefront=storefront.id,
        name=asked.name or ("admin" if asked.admin else "key"),
        workspace=asked.workspace,
        user=asked.user,
        admin=asked.admin,
        test=asked.test,
        agent=asked.agent,
        models=None if asked.models is None else tuple(_canonical(storefront, one, snapshot) for one in asked.models),
        budget=budget,
        expires_at=expires_at,
        plan=next(
            (one.id for one in snapshot.catalogue.plans.values() if one.default and one.storefront == storefront.id),
            None,
        )
        if asked.agent
        else None,
    )


def _canonical(storefront: Storefront, name: str, snapshot: Snapshot) -> str:
    found = snapshot.catalogue.resolve(storefront.id, name)
    return found.id if found is not None else name


def _prefix(asked: NewKey, storefront: Storefront, problems: list[str]) -> str:
    """The key prefix of the kind of key that was asked for."""
    special = {*storefront.test_prefixes, *storefront.agent_prefixes}
    if asked.test and asked.agent:
        problems.append("--test and --agent do not go together")
    for wanted, prefixes, flag in (
        (asked.test, storefront.test_prefixes, "--test"),
        (asked.agent, storefront.agent_prefixes, "--agent"),
    ):
        if wanted:
            if prefixes:
                return prefixes[0]
            problems.append(f"{flag}: the storefront {storefront.id} has no such keys")
    plain = [prefix for prefix in storefront.key_prefixes if prefix not in special]
    if not plain:
        problems.append(f"the storefront {storefront.id} has no key prefix")
        return ""
    return plain[0]


_SPANS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LAST_MOMENT = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


def expiry(text: str | None, now: float, problems: list[str]) -> int | None:
    """A date, a date and time, or a span such as 30d, as Unix seconds."""
    if text is None:
        return None
    if text.isascii() and text[:-1].isdecimal() and text[-1:] in _SPANS:
        seconds = now + int(text[:-1]) * _SPANS[text[-1]].total_seconds()
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            problems.append(
                f"--expires: {text!r} is no date (2026-12-31), no time (2026-12-31T12:00) and no span (30d, 12h)"
            )
            return None
        seconds = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    if seconds <= now:
        problems.append(f"--expires: {text} is over already")
    if seconds > _LAST_MOMENT:
        problems.append(f"--expires: {text} is too far away: leave it out for a key that does not expire")
        return None
    return int(seconds)


def _no_storefront(name: str, snapshot: Snapshot) -> str:
    return f"there is no storefront {name!r}; there are {', '.join(snapshot.catalogue.storefronts)}"


def model_view(model: Model, snapshot: Snapshot) -> dict[str, Any]:
    price = model.price
    return {
        "storefront": model.storefront,
        "id": model.id,
        "name": model.name,
        "provider": model.provider_label or model.owned_by,
        "status": "enabled" if model.enabled else "disabled",
        "live": bool(snapshot.targets(model, test=False)),
        "role": model.role,
        "tier": model.tier,
        "lane": model.lane,
        "context": model.context,
        "safe_context": model.safe_context,
        "context_text": f"{tokens(model.context)} safe {tokens(model.safe_context)}",
        "max_output": model.max_output,
        "input_usd_per_million": per_million(price.input) if price.input is not None else None,
        "output_usd_per_million": per_million(price.output) if price.output is not None else None,
        "currency": price.rate.currency,
        "price_version": price.version,
        "capabilities": sorted(model.capabilities),
        "effort": model.effort,
        "pool": model.pool,
        "aliases": model.aliases,
        "limitations": limitations(model),
        "assumed": sorted(model.assumed),
    }
