"""Asking targets what they can, and telling what is known.

Law: a finding never changes what the catalogue states. Where the two differ, both are shown, and what the finding
stands on: an owner decides. What the catalogue leaves open follows the finding. One target is asked at a time.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from conflux.faces.asked import asked
from conflux.faces.operations import Work
from conflux.neutral.errors import ConfigError, NoSuch
from conflux.neutral.money import usd
from conflux.neutral.probes import Finding, ProbeBook
from conflux.neutral.records import Capability, Model, Storefront
from conflux.relay.found_out import stated
from conflux.relay.snapshot import LiveTarget, Snapshot
from conflux.routing.probing import EXAMINATIONS

Examine = Callable[[Storefront, Model, LiveTarget, Capability], Awaitable[Finding]]


class ProbeAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    storefront: str | None = None
    capability: str | None = None


class ProbeAdmin:
    def __init__(
        self,
        book: ProbeBook,
        snapshot: Callable[[], Snapshot],
        examine: Examine | None,
        now: Callable[[], float] = time.time,
        refresh: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._book = book
        self._snapshot = snapshot
        self._examine = examine  # None: no server runs, so nothing can be called
        self._now = now
        self._refresh = refresh  # what a finding may change counts when the call returns

    def table(self) -> dict[str, Work]:
        return {"probe.run": self.run, "probe.list": self.list}

    async def run(self, params: dict[str, Any]) -> Any:
        wish = asked("probe", params, ProbeAsked)
        if self._examine is None:
            raise ConfigError(["probe: no server runs here: start it with `conflux serve`, then ask again"])
        capabilities = examinable(wish.capability)
        front, model = self._model(wish)
        if model.flux is not None or model.kind != "chat":
            what = "a panel, which has no target of its own: probe the models it names" if model.flux is not None else (
                f"of the kind {model.kind}, and only chat models are asked questions")  # fmt: skip
            raise ConfigError([f"probe: {model.id} is {what}"])
        snapshot = self._snapshot()
        targets = [one for one in snapshot.targets(model, test=False) if not one.live.provider.simulated]
        if not targets:
            raise ConfigError([f"probe: {model.id} has no live target but the simulator: there is nothing to ask"])
        rows = []
        for target in targets:
            for capability in capabilities:
                found = await self._examine(front, model, target, capability)
                kept = await self._book.keep(found)
                rows.append({**view(kept, model, self._now()), "asked": _word(found.holds),
                             "evidence": list(found.evidence)})  # fmt: skip
        if self._refresh is not None:
            await self._refresh()
        return {"model": model.id, "storefront": front.id, "probes": rows}

    async def list(self, params: dict[str, Any]) -> Any:
        """Of all targets, or of those of the model that is named: beside what the catalogue says of that one."""
        catalogue = self._snapshot().catalogue
        if params:
            _, model = self._model(asked("probe.list", params, ProbeAsked))
            pool = catalogue.pools.get(model.pool)
            keys = {target.key for target in pool.targets} if pool is not None else set()
            found = [one for one in await self._book.findings() if one.target in keys]
            return {"probes": [view(one, model, self._now()) for one in found]}
        pools = {target.key: pool.id for pool in catalogue.pools.values() for target in pool.targets}
        models = {model.pool: model for name in catalogue.storefronts for model in catalogue.models_of(name)}
        return {"probes": [view(one, models.get(pools.get(one.target, "")), self._now())
                           for one in await self._book.findings()]}  # fmt: skip

    def _model(self, wish: ProbeAsked) -> tuple[Storefront, Model]:
        catalogue = self._snapshot().catalogue
        for name, front in catalogue.storefronts.items():
            if wish.storefront in (None, name):
                model = catalogue.resolve(name, wish.id)
                if model is not None:
                    return front, model
        raise NoSuch([f"probe: there is no model {wish.id[:200]!r}: `conflux models list --all` shows them"])


def view(finding: Finding, model: Model | None, now: float) -> dict[str, Any]:
    says = None if model is None else stated(model, finding.capability)
    return {
        "target": finding.target,
        "capability": finding.capability.value,
        "holds": _word(finding.holds),
        "stated": _word(says),
        "usable": _word(None if model is None else finding.capability in model.capabilities),
        "questioned": finding.holds is not None and says is not None and finding.holds != says,
        "age_seconds": max(0, int(now - finding.found / 1000)) if finding.found else None,
        "tried_seconds": max(0, int(now - finding.tried / 1000)) if finding.tried else None,
        "evidence": list(finding.evidence),
        "cost_usd": usd(finding.cost),
    }


def examinable(name: str | None) -> list[Capability]:
    """Those that are meant: all where none is named."""
    if name is None:
        return list(EXAMINATIONS)
    there = {one.value: one for one in EXAMINATIONS}
    if name not in there:
        raise ConfigError([f"capability: {name[:80]!r} cannot be probed; there are {', '.join(there)}"])
    return [there[name]]


def _word(holds: bool | None) -> str:
    return "unknown" if holds is None else "yes" if holds else "no"
