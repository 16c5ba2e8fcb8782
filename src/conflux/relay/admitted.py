"""What a request has become once it is allowed: resolved, fitted and priced.

Law: frozen, complete. From here on nobody asks again whether it may run, what it asks for, or what it can cost.
"""

from collections.abc import Callable

import msgspec

from conflux.billing.amounts import Ceiling, Hold, Unpriced, hold
from conflux.dialects.base import AnswerReader, Dialect, Lane
from conflux.neutral.flux import FluxTerms
from conflux.neutral.plans import Plan
from conflux.neutral.records import Caller, Model, Storefront
from conflux.neutral.request import Envelope, Need, Request
from conflux.policy.context import ROOM_FOR_ANSWER
from conflux.relay.parts import Parts
from conflux.relay.snapshot import LiveTarget
from conflux.routing.board import Routed
from conflux.routing.gauge import Counted
from conflux.routing.tasks import Task


class Uncounted(Exception):
    """Whether this request fits is not settled by its bytes."""

    def __init__(self, envelope: Envelope) -> None:
        super().__init__("to be counted")
        self.envelope = envelope


class Fallback(msgspec.Struct, frozen=True, kw_only=True):
    """Another model serves than the one that was to."""

    asked: Model
    reason: str
    chain: tuple[str, ...]  # of ids, the model asked for first, the one that serves last


class Rewritten(msgspec.Struct, frozen=True):
    """A request in nobody's dialect, and how its answer is taken."""

    request: Request
    lane: Callable[[AnswerReader, bool], Lane]  # of the upstream's answer, and whether it streams what is read whole


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    caller: Caller
    storefront: Storefront
    dialect: Dialect
    envelope: Envelope
    model: Model
    requested: str  # what the client named: a model id, an alias, or the task type's choice
    task: Task | None
    targets: tuple[LiveTarget, ...]
    max_output: int
    temperature: float | None
    hold: Hold
    simulated: bool
    conversation: int | None = None  # its tokens by our own estimate; None: not made, since only a stream needs it now
    counted: Counted | None = None  # by a tokenizer, where its bytes left open whether it fits
    substituted: bool = False  # a rule for coding agents chose another model than the one named
    route: Routed | None = None  # how the model was chosen, for a task
    fallback: Fallback | None = None
    dropped: tuple[str, ...] = ()
    tight: bool = False  # the hold goes by counted tokens
    most_input: int = 0  # tokens, as held
    plan: Plan | None = None  # who pays instead of money
    flux: "Panel | None" = None  # who drafts before the model answers
    rewritten: Rewritten | None = None  # what goes out instead of the envelope


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a request is fanned out to; the one it was admitted as fuses what they draft."""

    terms: FluxTerms
    quorum: int
    sources: tuple[Admitted, ...]  # each ready to be asked, with its own share of the hold
    fuser: Hold  # its share
    analysis: Admitted | None  # the comparing stage, where it is wanted
    draft_bytes: int  # what the fuser's context leaves for all drafts
    analysis_bytes: int  # and for the comparison
    left_out: tuple[tuple[str, str], ...] = ()  # of the recipe, and why

    @property
    def legs(self) -> tuple[Admitted, ...]:
        """All that are asked before the fuser is."""
        return self.sources if self.analysis is None else (*self.sources, self.analysis)


def expected_tokens(parts: Parts, admitted: Admitted) -> int:
    """What a request will about use, for rate limits: its input, and what it asks for or an answer's usual room."""
    wanted = admitted.envelope.max_output or ROOM_FOR_ANSWER
    asked = parts.sizes.guess(admitted.model, admitted.envelope, admitted.counted)
    output = min(wanted, admitted.max_output) * admitted.envelope.choices
    if admitted.flux is not None:
        output += sum(expected_tokens(parts, one) for one in admitted.flux.legs)
    return asked + output


# What is no text, so nobody counts it before it is read.
_MEDIA = frozenset({Need.FILES, Need.AUDIO})


def most_read(parts: Parts, model: Model, envelope: Envelope, counted: Counted | None = None) -> int:
    """The tokens to hold for as input, by bytes or as counted: what was said, files by their bytes, and what the
    provider may read by itself; no more than the model ever reads."""
    most = envelope.size
    if counted is not None:
        media = 0 if envelope.needs.isdisjoint(_MEDIA) else counted.media
        most = min(most, parts.sizes.bound(model, envelope, counted) + media)
    if not envelope.fetches and envelope.needs.isdisjoint(_MEDIA):
        return most
    most += envelope.fetches
    return most if model.context is None else min(most, model.context)


def hold_for(
    most: Ceiling | None, envelope: Envelope, max_output: int, most_input: int, least_input: int, *, free: bool
) -> Hold:
    """`most`: the model's; None where it has no price."""
    try:
        if most is None:
            raise Unpriced("the model has no price")
        return hold(
            most,
            input_tokens=most_input,
            output_tokens=max_output,
            choices=envelope.choices,
            images=envelope.images,
            searches=envelope.searches or Need.WEB_SEARCH in envelope.needs,
            least_input=least_input,
        )
    except Unpriced:
        if free:
            return Hold(0, 0)
        raise
