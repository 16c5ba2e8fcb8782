"""From a call for a panel to an admitted one: who drafts, who fuses, whether all of them may, and what it can cost.

Law: as in admit.py: nothing here waits, and what is refused has cost nobody anything. Every seat is judged by the same
policies as a request of its own would be. What is wrong inside `flux` is a 400 by name; what was left to the gateway is
chosen among what this key may run, what is priced and what fits. The hold is the sum of the worst case of every seat.
"""

from collections.abc import Callable, Iterator
from math import ceil
from typing import Any, NamedTuple

from msgspec.structs import replace

from conflux.billing.amounts import Hold
from conflux.dialects.base import Dialect
from conflux.neutral.errors import GatewayError, invalid
from conflux.neutral.flux import SOURCES, FluxTerms, check_quorum, read_terms, wrong, wrong_seat
from conflux.neutral.money import usd
from conflux.neutral.ports import Headers
from conflux.neutral.records import Caller, Model, Storefront
from conflux.neutral.request import BY_ADDRESS, Envelope, Need
from conflux.policy.context import ROOM_FOR_ANSWER, room
from conflux.policy.permitted import unknown_model
from conflux.relay.admitted import Admitted, Panel, Uncounted, hold_for, most_read
from conflux.relay.parts import Parts
from conflux.relay.snapshot import Snapshot
from conflux.relay.standing import Standing, standing_of, verdict_of
from conflux.relay.terms import Terms, check_rules, priced, terms_of
from conflux.routing.flux_plan import Seat, choose_fuser, choose_sources, may_draft, may_fuse
from conflux.routing.flux_prompt import DRAFT_FRAME_BYTES, FRAME_BYTES, PART_FRAME_BYTES
from conflux.routing.gauge import PLAIN_MOST, Counted

FIELD = "flux"
_DRAFT_TOKENS = 4096  # that a source may write, where the client wants no less
_LEAST_DRAFT_TOKENS = 1024
_BYTES_PER_DRAFT_TOKEN = 4
_FRAME_BYTES_PER_TOKEN = 2  # at least: our own words are English
_LEAST_QUOTED_BYTES = 512  # of each draft: what the fuser's context must have room for
_LONG = 16_384  # bytes: below, a conversation fits nearly every model whatever its tokens
_ANALYSIS_TOKENS = 1024
# What of a request's needs its sources have to meet; the others are the fuser's alone.
_DRAFT_NEEDS = frozenset({Need.VISION, Need.FILES, Need.AUDIO, Need.STORED_FILES})


class Asked(NamedTuple):
    """A call for a panel."""

    recipe: FluxTerms
    said: Any  # the request's own words
    requested: str
    fuser: str | None = None  # named as the model


def panel_asked(
    snapshot: Snapshot, caller: Caller, storefront: Storefront, envelope: Envelope, headers: Headers
) -> Asked | None:
    """None: one model is to answer. Written for that."""
    said = envelope.body.get(FIELD)
    named = envelope.model
    model = snapshot.catalogue.resolve(storefront.id, named) if named is not None else None
    if said is None and not caller.overridden and (model is None or model.flux is None):
        return None
    if envelope.task_type is not None and (said is not None or named is not None):
        if said is None:
            return None  # refused like any request with both
        raise invalid("send flux or task_type, not both", param="task_type")
    standing = standing_of(snapshot, caller, storefront, headers)
    if named is None:
        return None if said is None else _of_house(standing, said)
    served = verdict_of(standing, snapshot, caller, storefront, named).served
    if served is None:
        raise unknown_model(named)
    if served.flux is not None:
        return Asked(served.flux, said, named)
    if said is None:
        return None
    house = _of_house(standing, said)
    return house._replace(requested=named, fuser=served.id)


def _of_house(standing: Standing, said: Any) -> Asked:
    """A panel without a name is the storefront's first: whoever may not run that has no Flux at all."""
    panels = [verdict.served for verdict in standing.verdicts.values() if verdict.served is not None]
    for model in panels:
        if model.flux is not None:
            return Asked(FluxTerms(), said, model.id)
    raise wrong("", "this key may not run Flux here: name one model")


def admit_panel(
    parts: Parts,
    snapshot: Snapshot,
    caller: Caller,
    storefront: Storefront,
    dialect: Dialect,
    headers: Headers,
    envelope: Envelope,
    asked: Asked,
    counted: Counted | None = None,
) -> Admitted:
    """Raises Uncounted for a conversation that is long enough to be worth it."""
    if envelope.kind != "chat":
        raise wrong("", f"a panel writes text, it makes no {envelope.kind}: name one model")
    if counted is None and envelope.size > _LONG:
        raise Uncounted(envelope)
    body = {name: value for name, value in envelope.body.items() if name != FIELD}
    # A completion is a message to a panel: no seat has to advertise the protocol.
    plain = replace(envelope, body=body, needs=envelope.needs - {Need.COMPLETIONS})
    standing = standing_of(snapshot, caller, storefront, headers)
    return _Seating(parts, snapshot, caller, storefront, dialect, plain, asked, standing, counted).admitted()


class _Seating:
    """One panel being put together. A seat is the terms of a name, as for a request of its own."""

    def __init__(
        self,
        parts: Parts,
        snapshot: Snapshot,
        caller: Caller,
        storefront: Storefront,
        dialect: Dialect,
        envelope: Envelope,
        asked: Asked,
        standing: Standing,
        counted: Counted | None,
    ) -> None:
        self._parts = parts
        self._snapshot = snapshot
        self._caller = caller
        self._storefront = storefront
        self._dialect = dialect
        self._envelope = envelope
        self._asked = asked
        self._standing = standing
        self._counted = counted
        self._left_out: list[tuple[str, str]] = []
        self._terms = terms = read_terms(asked.said, asked.recipe)
        if asked.fuser is not None and terms.fuser not in (None, asked.fuser):
            raise wrong("fuser", f"is {terms.fuser}, and model is {asked.fuser}: the model named is the fuser, "
                                 "so leave one of them out")  # fmt: skip
        said = asked.said if isinstance(asked.said, dict) else {}
        self._fuser_named = asked.fuser or said.get("fuser")
        # What a source is sent tells uses of tools in words, and has a line of ours.
        self._draft_frame = FRAME_BYTES + PART_FRAME_BYTES * _parts_of(envelope)
        self._draft = replace(
            envelope,
            needs=envelope.needs & _DRAFT_NEEDS,
            size=envelope.size + self._draft_frame,
            widest=None,
            stream=False,
            include_usage=False,
            choices=1,
            searches=False,
            fetches=envelope.fetches - envelope.fetches % BY_ADDRESS,  # a source gets the files, and no tools
            effort=None,
            max_output=min(max(envelope.max_output or _DRAFT_TOKENS, _LEAST_DRAFT_TOKENS), _DRAFT_TOKENS),
        )

    def admitted(self) -> Admitted:
        named = [self._named(f"sources[{at}]", name, may_draft) for at, name in enumerate(self._terms.sources)]
        sources = [seat for seat in named if seat is not None]
        fuser = self._named_fuser()
        simulated = self._kind_of(sources, fuser)
        if fuser is None:
            fuser = self._choose_fuser(simulated, len(sources) or SOURCES)
        if not sources:
            sources = self._choose_sources(simulated)
        for at, seat in enumerate(sources):
            _check_alike(f"sources[{at}]", seat, simulated)
        _check_alike("fuser", fuser, simulated)
        quorum = check_quorum(self._terms, len(sources))
        return self._fused(fuser, tuple(self._source(seat) for seat in sources), quorum)

    # -- who was named

    def _named_fuser(self) -> Terms | None:
        if self._fuser_named is not None:
            place = "fuser" if self._asked.fuser is None else ""
            return self._named(place, self._fuser_named, may_fuse, strict=True)
        name = self._terms.fuser
        return self._named("fuser", name, may_fuse, strict=False) if name is not None else None

    def _named(
        self, place: str, name: str, may_sit: Callable[[Model], bool], *, strict: bool | None = None
    ) -> Terms | None:
        """None: a recipe names it, and this caller cannot have it now."""
        try:
            return self._seated(place, name, may_sit)
        except GatewayError as error:
            if not (self._terms.recipe if strict is None else not strict):
                raise
            if self._seat(name) is not None:  # of whom this key may not have nothing is told
                self._left_out.append((name, error.message))
            return None

    def _seated(self, place: str, name: str, may_sit: Callable[[Model], bool]) -> Terms:
        seat = self._seat(name)
        if seat is None:
            raise wrong(place, unknown_model(name).message)
        model = seat.model
        if model.flux is not None:
            raise wrong(place, f"{model.id} is a panel itself, and there is no Flux inside Flux")
        if not may_sit(model):
            role = "no role in Flux" if model.role is None else f"the role {model.role.value}"
            raise wrong(place, f"{model.id} has {role}: it cannot {'draft' if may_sit is may_draft else 'fuse'}")
        if not seat.live:
            raise wrong(place, f"{model.id} has no live target now: name another model")
        try:
            self._check(seat, drafts=may_sit is may_draft)
        except GatewayError as error:
            raise wrong_seat(place, error) from None
        return seat

    def _seat(self, name: str) -> Terms | None:
        return terms_of(self._standing, self._snapshot, self._caller, self._storefront, name)

    def _check(self, seat: Terms, *, drafts: bool) -> None:
        """As if it were a request of its own. Raises what that would be told."""
        envelope = self._draft if drafts else self._envelope
        check_rules(seat, self._caller, self._storefront, envelope, self._parts.clock.time())
        if drafts:
            self._draft_room(seat.model)

    # -- who is chosen

    def _kind_of(self, sources: list[Terms], fuser: Terms | None) -> bool:
        """Simulated or real: no panel is both, since one of them posts and the other does not."""
        first = fuser or next(iter(sources), None)
        if first is not None:
            return first.simulated
        return all(seat.simulated for seat in self._own(lambda model: may_draft(model) or may_fuse(model)))

    def _own(self, may_sit: Callable[[Model], bool]) -> Iterator[Terms]:
        for model in self._standing.own:
            seat = self._seat(model.id) if may_sit(model) else None
            if seat is not None:
                yield seat

    def _choose_sources(self, simulated: bool) -> list[Terms]:
        chosen = choose_sources(self._seats(simulated, drafts=True), SOURCES)
        if not chosen:
            raise wrong("sources", "no model this key may run can draft this request: name them, or name one model")
        return [seat for model in chosen if (seat := self._seat(model.id)) is not None]

    def _choose_fuser(self, simulated: bool, sources: int) -> Terms:
        fit = []
        last: GatewayError | None = None
        for seat in self._seats(simulated, drafts=False):
            try:
                self._room(seat.model, None, sources)
                fit.append(seat)
            except GatewayError as error:
                last = error
        chosen = choose_fuser(fit)
        found = self._seat(chosen.id) if chosen is not None else None
        if found is None:
            text = "no model this key may run can fuse, or serve what this request needs: name one model"
            raise last or wrong("fuser", text)
        return found

    def _seats(self, simulated: bool, *, drafts: bool) -> Iterator[Seat]:
        for seat in self._own(may_draft if drafts else may_fuse):
            if seat.simulated is not simulated:
                continue
            try:
                self._check(seat, drafts=drafts)
            except GatewayError:
                continue
            yield Seat(seat.model, self._about(seat), self._ready(seat))

    def _about(self, seat: Terms) -> int:
        tokens = self._parts.sizes.guess(seat.model, self._envelope, self._counted)
        return hold_for(seat.ceiling, self._envelope, ROOM_FOR_ANSWER, tokens, 0, free=True).amount

    def _ready(self, seat: Terms) -> bool:
        now, health = self._parts.clock.monotonic(), self._parts.health
        return any(health.of(one.key).open(now) for one in seat.live)

    # -- what each may write and cost

    def _tokens(self, model: Model) -> int:
        """No more than this is in the conversation."""
        return self._parts.sizes.bound(model, self._envelope, self._counted)

    def _draft_room(self, model: Model) -> int:
        tokens = self._tokens(model) + self._draft_frame
        return room(model, input_tokens=tokens, wanted=self._draft.max_output, default=None).max_output

    def _source(self, seat: Terms) -> Admitted:
        return self._leg(seat, self._draft, self._draft_room(seat.model))

    def _leg(self, seat: Terms, envelope: Envelope, max_output: int) -> Admitted:
        most = most_read(self._parts, seat.model, envelope)
        return Admitted(
            caller=self._caller,
            storefront=self._storefront,
            dialect=self._dialect,
            envelope=replace(envelope, model=seat.model.id),
            model=seat.model,
            requested=seat.model.id,
            task=None,
            targets=seat.live,
            max_output=max_output,
            most_input=most,
            temperature=None,
            hold=hold_for(seat.ceiling, envelope, max_output, most, 0, free=seat.free),
            simulated=seat.simulated,
        )

    def _room(self, model: Model, default: int | None, sources: int) -> tuple[int, bool, int | None]:
        """What the fuser may write, whether that is less than wanted, and the bytes left for drafts; None: no limit."""
        base = self._tokens(model) + FRAME_BYTES + DRAFT_FRAME_BYTES * sources
        least = base + _LEAST_QUOTED_BYTES * sources
        fitted = room(model, input_tokens=least, wanted=self._envelope.max_output, default=default)
        if model.safe_context is None:
            return fitted.max_output, fitted.clamped, None
        return fitted.max_output, fitted.clamped, model.safe_context - base - fitted.max_output

    def _fused(self, fuser: Terms, sources: tuple[Admitted, ...], quorum: int) -> Admitted:
        terms, model = self._terms, fuser.model
        max_output, clamped, left = self._room(model, fuser.default_output, len(sources))
        written = sum(one.max_output for one in sources) * _BYTES_PER_DRAFT_TOKEN
        compares = min(_ANALYSIS_TOKENS, max_output) if terms.analysis else 0
        drafts = written if left is None else min(written, left)
        # The comparison takes its part of what is left for the drafts, so that both fit together.
        compared = min(compares * _BYTES_PER_DRAFT_TOKEN, drafts // 4)
        added = FRAME_BYTES + DRAFT_FRAME_BYTES * len(sources) + drafts
        fused = replace(self._envelope, size=self._envelope.size + added, model=model.id)
        most = most_read(self._parts, model, fused)
        share = hold_for(fuser.ceiling, fused, max_output, most, 0, free=fuser.free)
        analysis = None
        if compares:
            judged = replace(self._draft, size=self._draft.size + added, max_output=compares)
            analysis = self._leg(fuser, judged, compares)
        panel = Panel(terms=terms, quorum=quorum, sources=sources, fuser=share, analysis=analysis,
                      draft_bytes=drafts - compared, analysis_bytes=compared,
                      left_out=tuple(self._left_out))  # fmt: skip
        total = share.amount + sum(one.hold.amount for one in panel.legs)
        if terms.max_cost is not None and total > terms.max_cost:
            raise wrong(
                "max_cost_usd",
                f"this panel can cost up to {usd(total)} USD, and no more than {usd(terms.max_cost)} is allowed: raise "
                "it, lower the output asked for, or name fewer or cheaper models",
            )
        known = self._counted or Counted(self._envelope.size, "")
        return Admitted(
            caller=self._caller,
            storefront=self._storefront,
            dialect=self._dialect,
            envelope=fused,
            model=model,
            requested=self._asked.requested,
            task=None,
            targets=fuser.live,
            max_output=max_output,
            most_input=most,
            temperature=fuser.temperature,
            hold=Hold(total, share.input_floor),
            # Drafts come on top of what was counted, by their bytes: whether another fuser has room is certain then.
            counted=replace(known, beside=known.beside + added),
            simulated=fuser.simulated,
            dropped=("max_tokens",) if clamped else (),
            flux=panel,
        )


def tightened_panel(parts: Parts, admitted: Admitted, counted: Counted) -> Admitted:
    """The same with a hold by tokens instead of bytes: what was said as counted, drafts by what may be written."""
    panel = admitted.flux
    assert panel is not None, "only a panel is held as one"
    frame = FRAME_BYTES + PART_FRAME_BYTES * _parts_of(admitted.envelope)
    quoted = FRAME_BYTES + DRAFT_FRAME_BYTES * len(panel.sources)

    def tight(seat: Admitted, ours: int, read: tuple[Admitted, ...]) -> Admitted:
        drafts = min(ceil(sum(one.max_output for one in read) * PLAIN_MOST), panel.draft_bytes + panel.analysis_bytes)
        added = ceil(ours / _FRAME_BYTES_PER_TOKEN) + drafts
        most = most_read(parts, seat.model, seat.envelope, replace(counted, beside=counted.beside + added))
        hold = hold_for(priced(seat.model), seat.envelope, seat.max_output, most, 0, free=seat.simulated)
        return replace(seat, hold=hold, most_input=most, tight=True)

    fuser = tight(admitted, quoted, panel.legs)
    analysis = None if panel.analysis is None else tight(panel.analysis, frame + quoted, panel.sources)
    found = replace(panel, sources=tuple(tight(one, frame, ()) for one in panel.sources), fuser=fuser.hold,
                    analysis=analysis)  # fmt: skip
    total = fuser.hold.amount + sum(one.hold.amount for one in found.legs)
    return replace(fuser, flux=found, hold=Hold(total, fuser.hold.input_floor))


def _check_alike(place: str, seat: Terms, simulated: bool) -> None:
    if seat.simulated is not simulated:
        raise wrong(place, f"{seat.model.id} is {'not ' if simulated else ''}simulated, the others of the panel are"
                           f"{'' if simulated else ' not'}")  # fmt: skip


def _parts_of(envelope: Envelope) -> int:
    """At most so many uses of tools are told in words: turns of a conversation, and what is in them."""
    found = 0
    for name in ("messages", "input", "contents"):
        turns = envelope.body.get(name)
        for turn in turns if isinstance(turns, list) else ():
            found += 1
            for inner in ("content", "parts", "tool_calls"):
                value = turn.get(inner) if isinstance(turn, dict) else None
                found += len(value) if isinstance(value, list) else 0
    return found
