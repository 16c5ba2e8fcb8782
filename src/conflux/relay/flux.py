"""A panel at work: its sources asked at once, waited for as long as it pays, and let go.

Law: whoever is late is cancelled and costs the customer nothing; what has drafted is paid, if any answer goes out.
No seat is left running when this is over, however it is over. What a draft says is only ever quoted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from conflux.billing.estimate import IMAGE_TOKENS, conversation_tokens, tokens_of
from conflux.dialects.base import AnswerWriter, Wanted
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.events import Event, Finished, Stop
from conflux.neutral.ledger import request_id_text
from conflux.neutral.request import Request
from conflux.neutral.usage import Provenance
from conflux.relay.account import Account, account
from conflux.relay.admitted import Admitted, Panel, Rewritten
from conflux.relay.aside import is_long
from conflux.relay.attempt import Attempt, Failed, Trial
from conflux.relay.flux_account import capped
from conflux.relay.flux_lanes import DraftLane, FusedLane, within
from conflux.relay.lanes import prepared
from conflux.relay.parts import Incoming, Parts
from conflux.relay.snapshot import Snapshot
from conflux.relay.tries import Tries
from conflux.routing.flux_gather import Gathering
from conflux.routing.flux_plan import best_first
from conflux.routing.flux_prompt import analysing, cut, drafting, fusing, shuffled, text_bytes

Told = Callable[[dict[str, Any]], Awaitable[None]]

# What is wrong with the request itself: no draft answers that, and no other source takes it.
CLIENTS_OWN = frozenset({Kind.INVALID, Kind.UNSUPPORTED, Kind.CONTEXT_LENGTH})

_EMPTY = "the draft was empty"
_LATE = "late: the others had drafted, and the grace was over"
_TOO_LATE = "the deadline came first"
_UNFINISHED = "not waited for"
_SHORTENED = "the draft was longer than the request lets an answer be: it is cut about there"
_UNTRUE = "its count of tokens cannot be true: not billed"


class Leg:
    """One seat but the fuser's, on its way."""

    __slots__ = ("admitted", "attempt", "began", "draft", "ended", "error", "found", "note", "role", "status", "task",
                 "trials")  # fmt: skip

    def __init__(self, admitted: Admitted, role: str, now: float) -> None:
        self.admitted = admitted
        self.role = role
        self.status = "running"
        self.began = now
        self.ended: float | None = None
        self.trials: list[Trial] = []
        self.attempt: Attempt | None = None
        self.draft: DraftLane | None = None
        self.found: Account | None = None
        self.error: GatewayError | None = None
        self.note: str | None = None  # what is to be said of it, in our own words
        self.task: asyncio.Task[None] | None = None

    @property
    def text(self) -> str:
        return self.draft.text if self.draft is not None else ""

    @property
    def told(self) -> str | None:
        """Why it gave no draft, as a client may hear it."""
        return self.error.message if self.error is not None else self.note

    def seconds(self, now: float) -> float:
        return (now if self.ended is None else self.ended) - self.began


class Fanout:
    """One request's panel. What it has to say is asked for when all is over."""

    def __init__(
        self, parts: Parts, snapshot: Snapshot, admitted: Admitted, incoming: Incoming, number: int, wanted: Wanted
    ) -> None:
        """`number`: the request's."""
        assert admitted.flux is not None, "only what was admitted as a panel is fanned out"
        self.parts = parts
        self.panel: Panel = admitted.flux
        self.admitted = admitted  # as the fuser
        self._snapshot = snapshot
        self._incoming = incoming
        self._number = number
        self.wanted = wanted
        self._request: Request = admitted.dialect.read_request(admitted.envelope)
        self.writer: AnswerWriter = admitted.dialect.writer(wanted, self._request)
        self._nonce = f"{parts.below(1 << 62):016x}{parts.below(1 << 62):016x}"
        self._wake = asyncio.Event()
        self.legs: list[Leg] = []
        self.analysis: Leg | None = None
        self.degraded: str | None = None  # why a draft stands in the fuser's place
        self.quoted: list[tuple[Leg, str]] = []  # in the order of their letters, as the fuser gets them

    @property
    def drafts(self) -> list[Leg]:
        return [leg for leg in self.legs if leg.status == "done"]

    @property
    def seats(self) -> list[Leg]:
        return self.legs if self.analysis is None else [*self.legs, self.analysis]

    @property
    def fuser_only(self) -> bool:
        """Asks the request for what no draft can be: a call of a tool, a form, several answers, how likely each was?"""
        return bool(self._request.tools) or not self._plain

    @property
    def replaceable(self) -> bool:
        """May a draft stand in the fuser's place? Tools that may be left unused can be."""
        choice = self._request.tool_choice
        return self._plain and (choice is None or choice.mode in ("auto", "none"))

    @property
    def _plain(self) -> bool:
        """Is one text what is asked for?"""
        sampling = self._request.sampling
        logprobs = sampling.logprobs or sampling.top_logprobs is not None
        return self._request.output.kind == "text" and self.admitted.envelope.choices == 1 and not logprobs

    def best(self) -> Leg:
        """The best model's draft; of equals one that its model ended by itself."""
        drafts = self.drafts
        order = [drafts[place] for place in best_first([leg.admitted.model for leg in drafts])]
        return next((leg for leg in order if leg.draft is not None and leg.draft.whole_one), order[0])

    def answer(self, leg: Leg) -> list[Event]:
        """A draft as the answer: its source was told of no limits, so it ends where the request's do."""
        assert leg.draft is not None and leg.found is not None, "a draft was drafted"
        most, tally, text = self.admitted.envelope.max_output, leg.draft.tally, leg.text
        untrue = leg.found.provenance is Provenance.QUARANTINED
        written = tokens_of(tally.output_bytes) if untrue else leg.found.usage.output
        room = len(text) * most // written if most is not None and written > most else None
        events = within(leg.draft.events, room, self._request.sampling.stop)
        if room is not None and self.degraded is None and events[-1] == Finished(stop=Stop.LENGTH):
            self.degraded = _SHORTENED
        return events

    def nobody(self) -> GatewayError:
        """There is no draft: why, for each source. What all of them say is said as it is of one model."""
        errors = [leg.error for leg in self.legs if leg.error is not None]
        kinds = {error.kind for error in errors} if len(errors) == len(self.legs) else set()
        if kinds and kinds <= CLIENTS_OWN:
            return errors[0]
        kind, wait = Kind.UPSTREAM_FAILED, None
        if kinds == {Kind.UPSTREAM_RATE_LIMITED}:
            kind, wait = Kind.UPSTREAM_RATE_LIMITED, min(error.retry_after or 1 for error in errors)
        reasons = [{"model": leg.admitted.model.id, "reason": leg.told or _UNFINISHED} for leg in self.legs]
        said = "; ".join(f"{one['model']}: {one['reason']}" for one in reasons)
        text = f"no source of the panel drafted an answer: {said}"
        return GatewayError(kind, text, retry_after=wait, details={"sources": reasons})

    # -- asking

    async def gather(self, told: Told) -> None:
        """Returns when it is known which drafts there are."""
        panel, terms = self.panel, self.panel.terms
        now = self.parts.clock.monotonic()
        self.legs = [Leg(self._rewritten(one), "source", now) for one in panel.sources]
        gathering = Gathering(
            began=now,
            sources=len(self.legs),
            quorum=panel.quorum,
            deadline=terms.deadline_ms / 1000,
            grace=None if terms.grace_ms is None else terms.grace_ms / 1000,
        )
        await self._run(self.legs, gathering, told)

    async def analyse(self, told: Told) -> None:
        """The comparing stage; where it fails the fuser goes without it."""
        seat = self.panel.analysis
        if seat is None:
            return
        drafts = [text for _, text in self._quote()]
        request = analysing(drafting(self._request, seat.max_output), drafts, self._nonce, seat.max_output)
        now = self.parts.clock.monotonic()
        self.analysis = Leg(self._with(seat, request), "analysis", now)
        gathering = Gathering(began=now, sources=1, quorum=1, deadline=self.panel.terms.deadline_ms / 1000, grace=None)
        await self._run([self.analysis], gathering, told)

    def fused(self) -> Admitted:
        """The request as the fuser gets it."""
        self.quoted = self._quote()
        analysis = None
        if self.analysis is not None and self.analysis.status == "done":
            (analysis,) = cut([self.analysis.text], self.panel.analysis_bytes)
        drafts = [text for _, text in self.quoted]
        request = fusing(self._request, drafts, self._nonce, analysis)
        added = text_bytes(request) - text_bytes(self._request)
        envelope = self.admitted.envelope
        return replace(
            self.admitted,
            rewritten=Rewritten(request, partial(FusedLane, self.writer)),
            conversation=conversation_tokens(envelope.body, envelope.images) + tokens_of(added),
        )

    def _quote(self) -> list[tuple[Leg, str]]:
        drafts = self.drafts
        order = [drafts[place] for place in shuffled(self._number, len(drafts))]
        return list(zip(order, cut([leg.text for leg in order], self.panel.draft_bytes), strict=True))

    def _rewritten(self, source: Admitted) -> Admitted:
        return self._with(source, drafting(self._request, source.max_output))

    def _with(self, seat: Admitted, request: Request) -> Admitted:
        said = tokens_of(text_bytes(request)) + seat.envelope.images * IMAGE_TOKENS
        return replace(seat, rewritten=Rewritten(request, DraftLane), conversation=said)

    async def _run(self, legs: Sequence[Leg], gathering: Gathering, told: Told) -> None:
        clock = self.parts.clock
        try:
            for leg in legs:
                await told(self._state(leg))
                leg.task = asyncio.create_task(self._ask(leg))
                leg.task.add_done_callback(self._woken)
            open_ = list(legs)
            while (left := gathering.left(clock.monotonic())) is not None:
                timer = self.parts.later(left, self._wake.set)
                try:
                    await self._wake.wait()
                finally:
                    timer.cancel()
                self._wake.clear()
                for leg in [one for one in open_ if one.task is not None and one.task.done()]:
                    open_.remove(leg)
                    self._ended(leg)
                    gathering.ends(clock.monotonic(), draft=leg.status == "done")
                    await told(self._state(leg))
            late = _LATE if gathering.drafts >= gathering.quorum else _TOO_LATE
            for leg in open_:
                leg.status, leg.note, leg.ended = "cancelled", late, clock.monotonic()
                await told(self._state(leg))
        finally:
            await self._let_go(legs)

    def _woken(self, _: Any) -> None:
        self._wake.set()

    def _ended(self, leg: Leg) -> None:
        assert leg.task is not None, "an asked leg has a task"
        leg.ended = self.parts.clock.monotonic()
        leg.task.result()  # raises what is a defect of ours: reported at the edge, like any
        if leg.error is None and not leg.text.strip():
            leg.error = GatewayError(Kind.UPSTREAM_FAILED, _EMPTY)
        if leg.error is not None:
            leg.status = "failed"
        else:
            assert leg.draft is not None, "a leg that ended well has drafted"
            leg.status = "done"
            leg.found = capped(account(leg.draft.tally, leg.admitted, cut=False), leg.admitted, leg.admitted.hold)
            if leg.found.provenance is Provenance.QUARANTINED:
                leg.note = _UNTRUE

    async def _ask(self, leg: Leg) -> None:
        try:
            await self._draft(leg)
        except GatewayError as error:
            leg.error = error

    async def _draft(self, leg: Leg) -> None:
        """Its model's targets, one after the other; no other model. Raises GatewayError where none answers."""
        request_id = request_id_text(self._number).encode()
        tries = Tries(self.parts, self._snapshot, leg.admitted, self._incoming, iter(()))
        leg.trials = tries.trials
        long = is_long(self._incoming.body)
        while True:
            target = tries.next()
            try:
                ready = await prepared(self.parts, leg.admitted, target, self.wanted) if long else None
                attempt = Attempt(self.parts, target, leg.admitted, self.wanted, ready)
            except GatewayError as error:
                tries.unfit(target, error)
                continue
            leg.attempt = attempt
            good = False
            try:
                await attempt.prime(request_id)
                good = True
            except Failed as failed:
                attempt.close()
                leg.attempt = None
                tries.failed(target, attempt.leg, failed, attempt.seconds())
            finally:
                attempt.close(good=good)
            if good:
                tries.answered(target)
                assert isinstance(attempt.lane, DraftLane), "a source's answer is a draft"
                leg.draft = attempt.lane
                return

    async def _let_go(self, legs: Sequence[Leg]) -> None:
        """Every connection is closed when this returns; whoever cancels us meanwhile is heard afterwards."""
        tasks = [leg.task for leg in legs if leg.task is not None and not leg.task.done()]
        for task in tasks:
            task.cancel()
        cancelled: asyncio.CancelledError | None = None
        while pending := [task for task in tasks if not task.done()]:
            try:
                await asyncio.wait(pending)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled

    def _state(self, leg: Leg) -> dict[str, Any]:
        """One event of the progress."""
        state: dict[str, Any] = {"event": leg.role, "model": leg.admitted.model.id, "status": leg.status}
        if leg.role == "source":
            state["index"] = self.legs.index(leg)
        if leg.status != "running":
            state["latency_ms"] = int(leg.seconds(self.parts.clock.monotonic()) * 1000)
        if leg.told is not None:
            state["reason"] = leg.told
        return state
