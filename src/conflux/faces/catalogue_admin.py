"""What an admin can do about the catalogue while it runs: look at the providers' lists, decide what to believe.

Law: as operations.py: plain JSON in and out, ConfigErrors for mistakes, and what was changed counts when it returns.
A refresh changes nothing but which targets are tried last; prices and contexts wait for an admin. One look at a
provider at a time: whoever asks meanwhile gets the same answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.changes import ACCEPTED, OPEN, REJECTED, Change, in_force
from conflux.catalogue.importing import changes_of, read_rows, to_toml
from conflux.catalogue.proposals import Sighting, compare, facts, missing_targets, remarks, seen, suspicious, wanted
from conflux.catalogue.provider_lists import Found, Listing, ListRefused, read_file, read_list
from conflux.neutral.errors import ConfigError
from conflux.relay.snapshot import LiveProvider


class Book(Protocol):
    """Where it is kept."""

    async def sightings(self) -> list[Sighting]: ...
    async def see(self, sighting: Sighting) -> None: ...
    async def changes(self, *states: str) -> list[Change]: ...
    async def propose(self, proposed: Iterable[Change]) -> int: ...
    async def decide(self, ids: Iterable[int], state: str, by: str) -> None: ...
    async def add_accepted(self, changes: Iterable[Change], by: str) -> list[int]: ...


class Surroundings(NamedTuple):
    """What the catalogue's admin needs of the gateway around it."""

    files: Callable[[Iterable[Change]], Catalogue]  # as written, without margins, these changes over it
    live: Callable[[], Mapping[str, LiveProvider]]
    fetch: Callable[[LiveProvider], Awaitable[bytes]]
    take_over: Callable[[], Awaitable[None]]  # let what was decided count
    mark: Callable[[Mapping[str, str]], None]  # targets to try last, and why
    now: Callable[[], float]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class DiffOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    history: bool = False  # what was decided, too


class SyncOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    providers: list[str] = []  # none: all that are live
    dry_run: bool = False
    believe: bool = False  # take a list over that looks wrong


class FileOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    content: str
    provider: str | None = None
    dry_run: bool = False


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ids: list[int] = []
    all: bool = False
    by: str = "unknown"


class ImportOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    content: str
    store: bool = False
    effective_at: int | None = None  # Unix seconds; None: at once
    by: str = "unknown"


class _Look(NamedTuple):
    """A source as it is after one look at it."""

    sighting: Sighting
    before: Sighting
    notes: tuple[str, ...] = ()


class CatalogueAdmin:
    def __init__(self, book: Book, around: Surroundings) -> None:
        self._book = book
        self._around = around
        self._looking: dict[tuple[str, bool, bool], asyncio.Task[_Look]] = {}
        self._writing = asyncio.Lock()

    async def run(self, name: str, params: dict[str, Any]) -> Any:
        found = OPERATIONS.get(name)
        if found is None:
            raise ConfigError([f"there is no operation {name!r}; there are {', '.join(OPERATIONS)}"])
        type_, operation = found
        try:
            order = msgspec.convert(params, type_)
        except msgspec.ValidationError as error:
            raise ConfigError([f"{name.replace('.', ' ')}: {error}"]) from None
        return await operation(self, order)

    # --- looking

    async def sources(self, order: Nothing) -> Any:
        return {"providers": sorted(self._around.live())}

    async def sync(self, order: SyncOrder) -> Any:
        live = self._around.live()
        catalogue = await self._catalogue()
        strangers = [name for name in order.providers if name not in live]
        if strangers:
            there = f"there are {', '.join(sorted(live))}" if live else "none is"
            raise ConfigError([f"catalogue sync: {name}: no provider that can be called now; {there}"
                               for name in strangers])  # fmt: skip
        names = order.providers or sorted(live)
        looks = await asyncio.gather(*(self._look(live[name], catalogue, order) for name in dict.fromkeys(names)))
        return await self._result(looks, dry=order.dry_run)

    async def _look(self, live: LiveProvider, catalogue: Catalogue, order: SyncOrder) -> _Look:
        which = (live.provider.id, order.believe, order.dry_run)
        task = self._looking.get(which)
        if task is None:
            task = asyncio.ensure_future(self._look_alone(live, catalogue, order))
            self._looking[which] = task
            task.add_done_callback(lambda _: self._looking.pop(which, None))
        return await asyncio.shield(task)  # who asked first may leave; who asked with them stays

    async def _look_alone(self, live: LiveProvider, catalogue: Catalogue, order: SyncOrder) -> _Look:
        provider = live.provider.id
        try:
            listing: Listing | ListRefused = read_list(await self._around.fetch(live))
        except ListRefused as error:
            listing = error
        async with self._writing:
            look = _judged(await self._before(provider, "list"), listing, wanted(catalogue, provider),
                           int(self._around.now()), believe=order.believe)  # fmt: skip
            if not order.dry_run:
                await self._book.see(look.sighting)
        return look

    async def take_file(self, order: FileOrder) -> Any:
        """Facts from a file: they say what models cost and hold, and nothing of who is there."""
        catalogue = await self._catalogue()
        try:
            said = read_file(order.content.encode())
        except ListRefused as error:
            raise ConfigError([f"{order.name}: {error}"]) from None
        if order.provider is not None and order.provider not in catalogue.providers:
            known = ", ".join(sorted(catalogue.providers))
            raise ConfigError([f"--provider: there is no provider {order.provider!r}; there are {known}"])
        if isinstance(said, Listing):
            if order.provider is None:
                raise ConfigError([f"{order.name}: the list of one provider: say with --provider whose it is"])
            listings = {order.provider: said}
        else:
            names = [order.provider] if order.provider is not None else sorted(catalogue.providers)
            listings = {name: said[name] for name in names if name in said}
            if not listings:
                raise ConfigError([f"{order.name}: speaks of none of {', '.join(names)}"])
        looks = []
        async with self._writing:
            for provider, listing in listings.items():
                before = await self._before(provider, "file")
                after = seen(before, listing.models, (), int(self._around.now()))
                looks.append(_Look(replace(after, detail=order.name), before, listing.notes))
                if not order.dry_run:
                    await self._book.see(looks[-1].sighting)
        return await self._result(looks, dry=order.dry_run)

    async def _result(self, looks: list[_Look], *, dry: bool) -> Any:
        """What the looks changed: proposals, and which targets are tried last."""
        async with self._writing:
            catalogue = await self._catalogue()
            known = {(one.provider, one.kind): one for one in await self._book.sightings()}
            known |= {(look.sighting.provider, look.sighting.kind): look.sighting for look in looks}
            proposed = compare(catalogue, facts(known.values()))
            new = 0
            if not dry:
                new = await self._book.propose(proposed)
                self._mark(catalogue, known.values())
        shown: dict[str, Any] = {"dry_run": dry, "sources": [_look_view(look, catalogue) for look in looks]}
        shown["proposals"] = {"open": len(proposed), "new": new}
        if dry:
            shown["changes"] = [change_view(one) for one in proposed]
        else:
            shown["proposals"]["open"] = len(await self._book.changes(OPEN))
        return shown

    async def remember(self) -> None:
        """At the start: what was missing when the last process saw it still is."""
        self._mark(await self._catalogue(), await self._book.sightings())

    async def aclose(self) -> None:
        """What is being looked at is let go."""
        tasks = list(self._looking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def last_tried(self) -> int | None:
        return max((one.tried for one in await self._book.sightings() if one.kind == "list"), default=None)

    # --- deciding

    async def diff(self, order: DiffOrder) -> Any:
        catalogue, known = await self._propose_again()
        shown = await self._book.changes() if order.history else await self._book.changes(OPEN)
        return {
            "sources": [_sighting_view(one) for one in known],
            "changes": [change_view(one) for one in shown],
            "missing": [
                {"target": name, "since": since} for name, since in sorted(missing_targets(catalogue, known).items())
            ],
            "remarks": remarks(catalogue, facts(known)),
        }

    async def accept(self, order: Decision) -> Any:
        await self._propose_again()
        chosen = await self._chosen(order, (OPEN,), "accept")
        now = int(self._around.now())
        standing = in_force(await self._book.changes(ACCEPTED), now)
        self._around.files([*standing, *(replace(one, state=ACCEPTED, effective_at=now) for one in chosen)])
        return await self._decide(chosen, ACCEPTED, order.by)

    async def reject(self, order: Decision) -> Any:
        """An open proposal, which is then not made again; or one that was accepted, which is taken back."""
        chosen = await self._chosen(order, (OPEN,) if order.all else (OPEN, ACCEPTED), "reject")
        gone = {one.id for one in chosen}
        standing = in_force(await self._book.changes(ACCEPTED), self._around.now())
        if any(one.id in gone for one in standing):
            self._around.files([one for one in standing if one.id not in gone])
        return await self._decide(chosen, REJECTED, order.by)

    async def import_rows(self, order: ImportOrder) -> Any:
        # beside the loop: a big file takes seconds, and requests must not wait for it
        rows = await asyncio.to_thread(read_rows, order.name, order.content)
        now = int(self._around.now())
        begins = order.effective_at
        if begins is not None and begins <= now:
            raise ConfigError(["effective_at: this moment has gone by: leave it out, and it counts at once"])
        made = changes_of(rows, order.name, begins, now)
        await self._check(made, now)
        counts = {table: len(found) for table, found in rows.items()}
        if not order.store:
            return {"toml": to_toml(rows), "rows": counts, "ids": []}
        ids = await self._book.add_accepted(made, order.by)
        await self._around.take_over()
        return {"rows": counts, "ids": ids, "later": sum((one.effective_at or 0) > now for one in made)}

    async def _check(self, made: list[Change], now: int) -> None:
        """Raises ConfigError where the catalogue could not be read with these, today or with what begins later."""
        accepted = await self._book.changes(ACCEPTED)
        # in order of being told: these are the newest
        new = [replace(one, state=ACCEPTED, effective_at=one.effective_at or now) for one in made]
        if today := in_force(new, now):
            await asyncio.to_thread(self._around.files, [*in_force(accepted, now), *today])
        whole = sorted([*in_force(accepted, float("inf")), *new], key=lambda one: one.effective_at or 0)
        if any((one.effective_at or 0) > now for one in whole):
            await asyncio.to_thread(self._around.files, whole)

    async def _decide(self, chosen: list[Change], state: str, by: str) -> Any:
        await self._book.decide([one.id for one in chosen], state, by)
        if any(state == ACCEPTED or one.state == ACCEPTED for one in chosen):
            await self._around.take_over()
        await self._propose_again()
        return {state: [change_view(one) for one in chosen]}

    async def _chosen(self, order: Decision, states: tuple[str, ...], what: str) -> list[Change]:
        there = {one.id: one for one in await self._book.changes(*states)}
        if order.all:
            return list(there.values())
        if not order.ids:
            raise ConfigError([f"catalogue {what}: say which, or --all: `conflux catalogue diff` shows them"])
        unknown = [number for number in order.ids if number not in there]
        if unknown:
            raise ConfigError([f"catalogue {what}: there is no open proposal {number}: `conflux catalogue diff` shows "
                               "them" for number in unknown])  # fmt: skip
        return [there[number] for number in dict.fromkeys(order.ids)]

    async def _propose_again(self) -> tuple[Catalogue, list[Sighting]]:
        """Files may have changed since the last look: proposals are made from what the catalogue says now."""
        async with self._writing:
            catalogue, known = await self._catalogue(), await self._book.sightings()
            await self._book.propose(compare(catalogue, facts(known)))
        return catalogue, known

    async def _catalogue(self) -> Catalogue:
        return self._around.files(in_force(await self._book.changes(ACCEPTED), self._around.now()))

    async def _before(self, provider: str, kind: str) -> Sighting:
        for one in await self._book.sightings():
            if (one.provider, one.kind) == (provider, kind):
                return one
        return Sighting(provider=provider, kind=kind)

    def _mark(self, catalogue: Catalogue, known: Iterable[Sighting]) -> None:
        gone = missing_targets(catalogue, known)
        self._around.mark({name: f"not in its provider's list since {_day(since)}" for name, since in gone.items()})


OPERATIONS: dict[str, tuple[type[msgspec.Struct], Callable[[CatalogueAdmin, Any], Awaitable[Any]]]] = {
    "catalogue.sources": (Nothing, CatalogueAdmin.sources),
    "catalogue.sync": (SyncOrder, CatalogueAdmin.sync),
    "catalogue.file": (FileOrder, CatalogueAdmin.take_file),
    "catalogue.diff": (DiffOrder, CatalogueAdmin.diff),
    "catalogue.accept": (Decision, CatalogueAdmin.accept),
    "catalogue.reject": (Decision, CatalogueAdmin.reject),
    "catalogue.import": (ImportOrder, CatalogueAdmin.import_rows),
}


def _judged(
    before: Sighting, listing: Listing | ListRefused, targets: frozenset[str], now: int, *, believe: bool
) -> _Look:
    """A list that failed or cannot be believed leaves the last good one as it was."""
    if isinstance(listing, ListRefused):
        return _Look(replace(before, tried=now, outcome="failed", detail=str(listing)), before)
    why = None if believe else suspicious(before.models, listing.models, targets)
    if why is not None:
        detail = f"{why}: not believed, the last good list stays; --believe takes it over"
        return _Look(replace(before, tried=now, outcome="alarm", detail=detail), before, listing.notes)
    return _Look(seen(before, listing.models, targets, now), before, listing.notes)


def _look_view(look: _Look, catalogue: Catalogue) -> dict[str, Any]:
    now, before = look.sighting, look.before
    names: Mapping[str, Found] = now.models
    targets = wanted(catalogue, now.provider) if now.outcome == "ok" else ()
    return {
        **_sighting_view(now),
        "vanished": sorted(name for name in now.missing if name not in before.missing),
        "back": sorted(name for name in before.missing if name in names and name not in now.missing),
        "unlisted": sorted(name for name in targets if name not in names and name not in now.missing),
        "notes": list(look.notes),
    }


def _sighting_view(one: Sighting) -> dict[str, Any]:
    return {
        "provider": one.provider,
        "kind": one.kind,
        "outcome": one.outcome,
        "detail": one.detail,
        "tried": one.tried,
        "good": one.good,
        "models": len(one.models),
        "missing": dict(one.missing),
    }


def change_view(one: Change) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(one)
    shown["new"] = shown.pop("fields")
    return shown


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")
