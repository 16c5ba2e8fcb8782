"""The only file that knows everyone: it builds a gateway from its parts and runs it.

Law: order is everything here. Configuration and catalogue first (nothing is opened for a broken one), then the store
(its lock says that we are alone), recovery, the simulator, the snapshot, and the doors last. Stopping is the reverse.
"""

import asyncio
import contextlib
import gc
import logging
import random
import ssl
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from conflux import __version__
from conflux.accounts.keyfile import open_keys
from conflux.accounts.passwords import Verifier
from conflux.accounts.sealing import Sealer
from conflux.accounts.token_mint import TokenMint
from conflux.catalogue.changes import Change
from conflux.chores import chores
from conflux.configured import (
    accepted,
    check,
    entered,
    live_providers,
    make_snapshot,
    own_file,
    read_catalogue,
    until_next_change,
)
from conflux.faces.admin.desk import Desk, Lately
from conflux.faces.admin.door import AdminDoor
from conflux.faces.administration import administration
from conflux.faces.audited import Audited
from conflux.faces.catalogue_admin import CatalogueAdmin, Surroundings
from conflux.faces.control import ControlFace, server_runs
from conflux.faces.credential_admin import CredentialAdmin
from conflux.faces.explaining import answer as explain
from conflux.faces.feedback import FeedbackDesk
from conflux.faces.http import HttpFace, Limits
from conflux.faces.jobs import Jobs
from conflux.faces.metrics import Metrics, MetricsFace
from conflux.faces.operations import Operations
from conflux.faces.public import Public
from conflux.faces.retention_admin import RetentionAdmin
from conflux.faces.server import QuietServer, allow_files, make_server
from conflux.faces.signals import Signals
from conflux.faces.web import Web
from conflux.following import Follower
from conflux.neutral.errors import ConfigError
from conflux.neutral.keys import KeyOrder
from conflux.policy.rates import RateBook
from conflux.relay.aside import Aside
from conflux.relay.counting import Sizes
from conflux.relay.gateway import Gateway
from conflux.relay.live import simulator_provider, with_statuses
from conflux.relay.parts import Parts
from conflux.relay.probing import examine
from conflux.relay.snapshot import Snapshot
from conflux.routing.health import HealthBook
from conflux.settings import Config, changed_at_start, redacted
from conflux.sim.server import SimServer
from conflux.stores.answers import kept_answers
from conflux.stores.backup import backup
from conflux.stores.conversations import Box
from conflux.stores.data_dir import InUse
from conflux.stores.opening import Books, Store, open_shared, open_store
from conflux.stores.responses import kept_responses
from conflux.stores.retention import Retention
from conflux.upstream.client import Client
from conflux.upstream.client import Limits as ClientLimits
from conflux.upstream.model_list import fetch_list
from conflux.workers import LOCK_PATIENCE, Doors, Place, bind_public, bind_rest


class Running:
    """A gateway with its doors open. Built by `open_gateway`, closed once."""

    def __init__(self, config: Config, reread: Callable[[], Config], store: Store, simulator: SimServer) -> None:
        self.config = config
        self._reread = reread
        self.store = store
        self.simulator = simulator
        self.follower = Follower(self.catch_up, _log, lambda: until_next_change(self.store))
        self.configured: Snapshot  # as configuration and catalogue have it
        self.snapshot: Snapshot  # with what an admin has switched on and off
        self.gateway: Gateway
        self.feedback: FeedbackDesk
        self.metrics = Metrics(self._gauges)
        self.client: Client
        self.face: HttpFace | None = None
        self.operations: Audited
        self.jobs: Jobs
        self.catalogue: CatalogueAdmin
        self.chores: list[asyncio.Task[None]]
        self.retention: Retention
        self.place: Place | None = None
        self.sealer: Sealer
        self._accepted: list[Change] = []
        self._entered: dict[str, dict[str, str]] = {}
        self.servers: list[tuple[QuietServer, asyncio.Task[None]]] = []
        self.address = ""
        self.started = time.time()
        self.stopping = False
        self._began_with = config.settings
        self._renewing = asyncio.Lock()

    def current(self) -> Snapshot:
        return self.snapshot

    def problems(self) -> dict[str, str]:
        """Why this gateway should not be sent requests now; empty when it should."""
        found: dict[str, str] = {}
        if self.stopping:
            found["server"] = "stopping"
        if self.store.trouble is not None:
            found["ledger"] = f"nothing can be written: {self.store.trouble}"
        return found

    async def reload(self) -> dict[str, Any]:
        """Read configuration and catalogue again; a broken one changes nothing."""
        async with self._renewing:
            config = await asyncio.to_thread(self._reread)
            if self.config.file is not None and config.file is None:
                raise ConfigError([f"{self.config.file} is gone: put it back, or start again without it"])
            await self._renew(config)
            self.gateway.parts.health.forgive()
            return {
                "version": self.snapshot.version,
                "models": len(self.snapshot.catalogue.models),
                "restart": changed_at_start(self._began_with, config.settings),
            }

    async def take_over(self) -> None:
        """Let what was accepted count, with the configuration as it was read last."""
        async with self._renewing:
            await self._renew(self.config)
        self.follower.hear()  # when the next of them begins may be another moment now

    async def catch_up(self) -> None:
        """Another process has changed something."""
        await self.feedback.learn()
        async with self._renewing:
            if await self._learnt() == (self._accepted, self._entered):
                await self._switch()
            else:
                await self._renew(self.config)

    async def _learnt(self) -> tuple[list[Change], dict[str, dict[str, str]]]:
        """What the store adds to the configuration."""
        return await accepted(self.store), await entered(self.store, self.sealer, _log)

    async def reload_all(self) -> dict[str, Any]:
        """As `reload`, in every worker."""
        done = await self.reload()
        if self.place is not None:
            self.place.spread()
        return done

    async def _renew(self, config: Config) -> None:
        """Beside the loop: to read and check a catalogue takes as long as a hundred requests."""
        changes, credentials = await self._learnt()
        simulator = simulator_provider(self.simulator.port)
        self.configured = await asyncio.to_thread(make_snapshot, config, simulator, 0, changes, credentials)
        self.config = config
        self._accepted, self._entered = changes, credentials
        await self._switch()

    async def refresh(self) -> None:
        """What an admin has switched on and off counts from now; requests under way end as they began."""
        async with self._renewing:  # whoever reads last has the last word
            await self._switch()

    async def _switch(self) -> None:
        statuses, findings = await self.store.policies.statuses(), await self.store.probes.findings()
        self.snapshot = with_statuses(self.configured, statuses, self.snapshot.version + 1, findings)

    def status(self) -> dict[str, Any]:
        return {
            "version": __version__,
            "address": self.address,
            "uptime_seconds": int(time.time() - self.started),
            "in_flight": self.metrics.in_flight,
            "simulated": self.snapshot.simulated,
            "problems": self.problems(),
            "refused_credentials": self.gateway.parts.health.refused(),
            "missing_targets": self.gateway.parts.health.missing(),
            "upstreams": msgspec.to_builtins(self.client.stats()),
        }

    def _gauges(self) -> dict[str, float]:
        stats = self.client.stats().values()
        return {
            "upstream_connections": float(sum(one.open for one in stats)),
            "upstream_waiting": float(sum(one.waiting for one in stats)),
            "ready": 0.0 if self.problems() else 1.0,
        }

    def leave(self) -> None:
        """Not ready from now on; who comes is still served, and not kept."""
        self.stopping = True
        if self.face is not None:
            self.face.leaving = True

    async def shut_doors(self, hurry: asyncio.Event | None = None) -> None:
        """What is under way is finished first, up to its deadline; or up to `hurry`."""
        self.leave()
        for server, _ in self.servers:
            server.should_exit = True
        cut = asyncio.create_task(self._cut(hurry)) if hurry is not None else None
        for _, task in self.servers:
            await task
        if cut is not None:
            cut.cancel()

    async def _cut(self, hurry: asyncio.Event) -> None:
        await hurry.wait()
        _log("stopping at once: answers under way are cut")
        for server, _ in self.servers:
            server.hurry()

    async def close(self, hurry: asyncio.Event | None = None) -> None:
        """Doors first, then what stands behind them."""
        for chore in self.chores:
            chore.cancel()
        await self.shut_doors(hurry)
        await asyncio.wait(self.chores)
        await self.jobs.aclose()
        await self.follower.aclose()
        await self.catalogue.aclose()
        await self.client.aclose()
        await self.simulator.stop()
        await self.store.aclose()


Hook = Callable[[Running], None]


async def open_gateway(
    config: Config, reread: Callable[[], Config], place: Place | None = None, *, hook: Hook | None = None
) -> Running:
    """Everything but waiting: the gateway answers when this returns. `place`: what a worker among others stands on.
    `hook`: tests put themselves between the parts here; the program gives none."""
    for name in ("uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False
    tls = check(config)
    allow_files()
    async with contextlib.AsyncExitStack() as undo:
        listener = place.doors.public if place is not None else bind_public(config)
        undo.enter_context(contextlib.closing(listener))
        store = await _own_store(config, place)
        undo.push_async_callback(store.aclose)
        sealer = Sealer(open_keys(config.data_dir))  # made now, with the pepper: every backup needs it
        await store.recover()
        simulator = SimServer()
        undo.push_async_callback(simulator.stop)
        await simulator.start()
        running = Running(config, reread, store, simulator)
        running.place = place
        store.heard = running.follower.hear
        store.ledger.tell_alarms(_log)
        running.sealer = sealer
        running._accepted, running._entered = await running._learnt()
        played = simulator_provider(simulator.port)
        running.configured = make_snapshot(config, played, 0, running._accepted, running._entered)
        statuses, findings = await store.policies.statuses(), await store.probes.findings()
        running.snapshot = with_statuses(running.configured, statuses, 0, findings)
        _wire(running, tls)
        await running.feedback.learn()
        if hook is not None:
            hook(running)
        await running.catalogue.remember()
        host, port = listener.getsockname()[:2]
        running.address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        undo.push_async_callback(running.shut_doors)
        await _open_doors(running, place.doors if place is not None else bind_rest(config, listener))
        running.follower.begin()
        running.chores = [asyncio.create_task(chore) for chore in chores(running, _log)]
        undo.pop_all()  # it is whole: from now on its owner closes it
    return running


async def _own_store(config: Config, place: Place | None) -> Store:
    """The store, as its only owner. A command that has it for a moment is waited for; another server is not."""
    path, url = config.data_dir, config.settings.postgres_url
    end = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            if url is None:
                return open_store(path)
            return await open_shared(path, url, data=place.data if place is not None else None)
        except InUse:
            if server_runs(path) or time.monotonic() > end:
                raise
        await asyncio.sleep(0.05)


def _wire(running: Running, tls: ssl.SSLContext) -> None:
    settings, store = running.config.settings, running.store
    limits = ClientLimits(per_origin=settings.limits.connections_per_origin, body_bytes=settings.limits.answer_bytes)
    running.client = Client(limits, lambda: tls)
    parts = Parts(
        clock=time,
        ledger=store.ledger,
        keys=store.keys,
        transport=running.client,
        tokens=TokenMint(running.client, time.time),
        snapshot=running.current,
        health=HealthBook(),
        sizes=Sizes(),
        aside=Aside(),
        below=random.randrange,
        meter=running.metrics,
        rates=RateBook(),
        later=lambda seconds, call: asyncio.get_running_loop().call_later(seconds, call),
        responses=kept_responses(store.ledger, **msgspec.structs.asdict(settings.responses)),
        answers=kept_answers(
            store.ledger, Box(running.sealer.seal, running.sealer.open), **msgspec.structs.asdict(settings.idempotency)
        ),
        keep_alive=settings.limits.keep_alive_seconds,
    )
    running.gateway = Gateway(parts)
    running.retention = store.retention(**msgspec.structs.asdict(settings.retention))
    running.feedback = FeedbackDesk(store.feedback, parts)
    running.catalogue = CatalogueAdmin(
        store.catalogue,
        Surroundings(
            files=lambda changes: read_catalogue(running.config, changes),
            live=lambda: live_providers(running.snapshot),
            fetch=lambda live: fetch_list(running.client, live),
            take_over=running.take_over,
            mark=parts.health.miss,
            now=time.time,
        ),
    )
    operations = Operations(
        store.key_admin,
        running.current,
        running.reload_all,
        running.status,
        store.verify,
        {
            **administration(
                store, running.current, running.refresh, time.time, partial(examine, parts), partial(explain, parts)
            ),
            **CredentialAdmin(
                store.credentials, running.sealer.seal, lambda: running.snapshot.catalogue.providers, running.take_over
            ).table(),
            **RetentionAdmin(running.retention).table(),
        },
        running.catalogue,
    )
    running.operations = Audited(operations, store.audit.add)
    running.jobs = Jobs(store.audit.add, _report, time.time, running.config.data_dir / "jobs")


def _desk(running: Running) -> Desk:
    return Desk(
        operations=running.operations,
        store=running.store,
        parts=running.gateway.parts,
        verifier=Verifier(),
        report=_report,
        sealer=running.sealer,
        lately=Lately(running.store.receipts.recent),
        conversations=lambda: running.config.settings.web.conversations,
        jobs=running.jobs,
        books=lambda: Books(running.config.data_dir, running.config.settings.postgres_url),
        backups=running.config.data_dir / "backups",
        backup=lambda file, tell: backup(own_file(running.config, "backup", "pg_dump"), file, tell),
        config=lambda: redacted(running.config),
    )


async def _open_doors(running: Running, bound: Doors) -> None:
    settings = running.config.settings
    graceful = settings.limits.graceful_seconds
    own_port = settings.metrics.port is not None
    public = Public(
        running.gateway.parts,
        running.store.spending,
        running.problems,
        None if own_port else running.metrics.render,
        running.store.usage,
        running.feedback,
        running.store.dues,
    )
    limits = Limits(body_bytes=settings.limits.body_bytes, body_seconds=settings.limits.body_seconds)
    admin = AdminDoor(lambda: _desk(running), _report)
    face = running.face = HttpFace(running.gateway, public, limits, _report, Web(), admin)
    doors: list[tuple[Any, Any]] = [(face, bound.public)]
    if bound.metrics is not None:
        doors.append((MetricsFace(running.metrics), bound.metrics))
    # The last: whoever finds this one finds all of them.
    doors.append((ControlFace(running.operations), bound.control))
    for app, door in doors:
        proxies, ways = (settings.trusted_proxies, face) if app is face else (None, None)
        server = make_server(app, graceful=graceful, trusted_proxies=proxies, ways=ways)
        task = asyncio.create_task(server.serve([door]))
        running.servers.append((server, task))
        while not server.started:
            if task.done():
                await task
                raise ConfigError(["a server did not start"])
            await asyncio.sleep(0.001)


async def serve(
    config: Config,
    reread: Callable[[], Config],
    say: Callable[[Running, str | None], None],
    place: Place | None = None,
    *,
    hook: Hook | None = None,
) -> None:
    """Run until a signal says stop. `say` is told when the doors are open, with the first admin key if it is new."""
    running = await open_gateway(config, reread, place, hook=hook)
    signals = Signals(lambda: _reload(running))
    try:
        signals.listen()
        if place is not None:
            asyncio.get_running_loop().add_reader(place.lifeline, signals.stop.set)
        if place is None or place.worker == 0:
            say(running, await first_admin_key(running))
        # What is loaded by now stays: collections need not look at it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        await _until_stopped(running, signals)
    finally:
        await running.close(signals.hurry)


async def first_admin_key(running: Running) -> str | None:
    """A store that never had an admin's key gets one, shown once."""
    if any(row.admin for row in await running.store.key_admin.list()):
        return None
    root = running.snapshot.catalogue.root
    prefix = next(one for one in root.key_prefixes if one not in root.test_prefixes)
    order = KeyOrder(prefix=prefix, storefront=root.id, name="admin", admin=True)
    secret: str = (await running.store.key_admin.create(order))[1]
    return secret


async def _reload(running: Running) -> None:
    try:
        done = await running.reload()
    except ConfigError as error:
        _log("configuration not taken over, the old one stays:\n  " + "\n  ".join(error.problems))
        return
    _log(f"configuration read again: {done['models']} models")
    if done["restart"]:
        _log(f"changed, but only a restart takes it over: {', '.join(done['restart'])}")


async def _until_stopped(running: Running, signals: Signals) -> None:
    """Not ready from the signal on; but who has not heard of that is still let in for a moment."""
    waiting = [asyncio.ensure_future(signals.stop.wait()), *(task for _, task in running.servers)]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    waiting[0].cancel()
    running.leave()
    _log("stopping: answers under way are finished first")
    await signals.grace(running.config.settings.limits.drain_seconds)


def _report(error: Exception, path: str) -> None:
    """A failure of our own, with its trace, for whoever looks after this gateway."""
    _log(f"failed on {path}:\n" + "".join(traceback.format_exception(error)))


def _log(text: str) -> None:
    print(f"conflux: {text}", file=sys.stderr, flush=True)
