"""From an answer to its settlement: what was used, who said so, what it costs.

Law: pure. The upstream's own count where it can be true; else an estimate, marked as one; an absurd count is
quarantined and not billed. Nobody pays for what was not delivered.
"""

from msgspec import Raw, Struct
from msgspec.structs import replace

from conflux.billing.amounts import Unpriced, charge
from conflux.billing.credits import credits_for, tier_credits, tier_rate, token_credits
from conflux.billing.estimate import IMAGE_TOKENS, conversation_tokens, tokens_of
from conflux.billing.plans import plan_lines
from conflux.dialects.base import Tally
from conflux.neutral.ledger import Call, Ending, Line, Quota, Settlement
from conflux.neutral.money import PriceSheet, usd
from conflux.neutral.plans import Plan
from conflux.neutral.records import Tier
from conflux.neutral.request import Need
from conflux.neutral.usage import NOTHING, Provenance, Usage
from conflux.relay.admitted import Admitted
from conflux.relay.attempt import Attempt, Trial
from conflux.relay.flux_lanes import Replay
from conflux.relay.snapshot import LiveTarget

# Templates of a provider's own, and thinking that it counts beside the limit, are no lies.
_OVER = 2
_SLACK = 8192
_THOUGHT = 262_144  # tokens: some count it beside the limit of an answer, without one of its own
# What the provider reads for these is not counted here.
_FETCHED = frozenset({Need.FILES, Need.STORED_FILES, Need.WEB_SEARCH})


class Account(Struct, frozen=True):
    usage: Usage
    provenance: Provenance
    lines: tuple[Line, ...]
    charge: int
    sheet: PriceSheet | None = None  # the one it is charged by; None: the model's own
    own: "Account | None" = None  # of a panel's sum: the fuser's part
    credits: int | None = None  # of a panel's sum
    versions: str = ""  # of all prices in a panel's sum
    other: int | None = None  # of a model that stood in: the larger of the two totals


def measure(tally: Tally, admitted: Admitted, *, cut: bool) -> tuple[Usage, Provenance]:
    """The buckets to bill, and where they come from."""
    usage, absurd = tally.usage, tally.usage_absurd
    if usage is not None:
        if _possible(usage, admitted):
            return usage, Provenance.PROVIDER
        absurd = True
    asked = tally.prompt
    if asked is None:
        said = admitted.conversation
        if said is None:
            said = conversation_tokens(admitted.envelope.body, admitted.envelope.images)
        asked = Usage(input=said)
    estimate = replace(asked, output=tokens_of(tally.output_bytes), reasoning=0)
    if absurd:
        return estimate, Provenance.QUARANTINED
    return estimate, Provenance.PARTIAL if cut else Provenance.ESTIMATED


def _possible(usage: Usage, admitted: Admitted) -> bool:
    """Could it be true? A token is a byte at least, and a model stops where it is told to."""
    envelope = admitted.envelope
    fetched = envelope.fetches or not _FETCHED.isdisjoint(envelope.needs)
    if usage.prompt_total > envelope.size * _OVER + _SLACK and not fetched:
        return False
    limited = envelope.max_output is not None or admitted.model.max_output is not None
    if not limited or usage.completion_total <= admitted.max_output * envelope.choices * _OVER + _SLACK:
        return True
    thought = usage.reasoning <= _THOUGHT * envelope.choices
    return thought and usage.output <= admitted.max_output * envelope.choices * _OVER + _SLACK


def account(tally: Tally, admitted: Admitted, *, cut: bool) -> Account:
    usage, provenance = measure(tally, admitted, cut=cut)
    if provenance is Provenance.QUARANTINED:
        return Account(usage, provenance, (), 0)
    if admitted.plan is not None:
        return _planned(usage, provenance, admitted.plan, admitted.model.price)
    found = _charged(usage, provenance, admitted.model.price)
    if admitted.fallback is None:
        return found
    # Who is served by another model than asked for pays the smaller of the two totals.
    asked = _charged(usage, provenance, admitted.fallback.asked.price)
    less, more = (asked, found) if asked.charge < found.charge else (found, asked)
    return replace(less, other=more.charge)


def _planned(usage: Usage, provenance: Provenance, plan: Plan, sheet: PriceSheet) -> Account:
    return Account(usage, provenance, plan_lines(plan, usage), 0, sheet)


def most_credits(admitted: Admitted) -> tuple[int, int]:
    """What the request may cost in micro-credits, and the least that a started one costs whose process died."""
    if admitted.storefront.billing == "token_credits":
        return credits_for(admitted.hold.amount), credits_for(admitted.hold.input_floor)
    per_token = tier_rate(_tier(admitted))
    most, floor = _most_read(admitted) * per_token, (admitted.conversation or 0) * per_token
    if admitted.flux is not None:
        most += sum(most_credits(one)[0] for one in admitted.flux.legs)
    return most, floor


def _most_read(admitted: Admitted) -> int:
    return admitted.most_input + admitted.envelope.images * IMAGE_TOKENS


def quota_of(admitted: Admitted) -> Quota | None:
    """What is asked of the plan that pays."""
    subscription, plan = admitted.caller.subscription, admitted.plan
    if subscription is None or plan is None:
        return None
    tokens = admitted.most_input + admitted.max_output * admitted.envelope.choices
    return Quota(subscription=subscription.id, plan=plan, tokens=tokens)


def _tier(admitted: Admitted) -> Tier | None:
    model = admitted.model if admitted.fallback is None else admitted.fallback.asked
    return admitted.task.tier if admitted.task is not None else model.tier


def _charged(usage: Usage, provenance: Provenance, sheet: PriceSheet) -> Account:
    try:
        lines, total = charge(usage, sheet)
    except Unpriced:
        lines, total = (), 0  # only what posts nothing comes this far without a price
    return Account(usage, provenance, lines, total, sheet)


def cost_of(found: Account, admitted: Admitted) -> Raw | None:
    """What the answer itself says that it costs, in USD: exactly what its receipt will. None where its storefront's
    answers do not say."""
    if not admitted.storefront.usage_cost:
        return None
    charge = found.charge if admitted.simulated else min(found.charge, admitted.hold.amount)
    return Raw(usd(charge).encode())


# An enum's own `value` is a call.
_STATUS = {ending: ending.value for ending in Ending}
NO_ACCOUNT = Account(NOTHING, Provenance.UNKNOWN, (), 0)


def settlement(
    admitted: Admitted,
    request_id: int,
    ending: Ending,
    found: Account,
    *,
    attempt: Attempt | Replay | None,
    trials: tuple[Trial, ...],
    dropped: tuple[str, ...],
    status: int,
    seconds: float,
    first_byte: float | None,
    reason: str | None = None,
    drafted: tuple[Call, ...] | None = None,
) -> Settlement:
    """`drafted`: what a panel's other seats did; None: there is no panel."""
    role = "direct" if drafted is None else "fuser"
    calls = _failed(trials, role) if trials else ()
    latency = int(seconds * 1000)
    if drafted is not None:
        calls = drafted + calls
    if attempt is not None and not isinstance(attempt, Replay):
        own = found if found.own is None else found.own
        took = latency if drafted is None else int(attempt.seconds() * 1000)
        calls += (
            Call(role=role, model=admitted.model.id, status=_STATUS[ending], latency_ms=took, usage=own.usage,
                 cost=own.charge, reason=reason, target=attempt.target.key,
                 provider_cost=owed_for(attempt.target, own.usage),
                 upstream_id=attempt.lane.tally.upstream_id, other_cost=own.other),
        )  # fmt: skip
    return Settlement(
        request_id=request_id,
        ending=ending,
        charge=found.charge,
        served_model=admitted.model.id if attempt is not None else None,
        provider_cost=sum([call.provider_cost or 0 for call in calls]),
        usage=found.usage,
        provenance=found.provenance,
        price_version=found.versions or (found.sheet or admitted.model.price).version,
        credits=credits_of(admitted, found) if found.credits is None else found.credits,
        lines=found.lines,
        calls=calls,
        dropped=dropped,
        status=status,
        latency_ms=latency,
        first_byte_ms=None if first_byte is None else int(first_byte * 1000),
        task=admitted.task.name if admitted.task is not None else "",
    )


def _failed(trials: tuple[Trial, ...], role: str) -> tuple[Call, ...]:
    return tuple(
        Call(role=role, model=trial.model, status=trial.status, latency_ms=int(trial.seconds * 1000),
             usage=trial.usage, reason=trial.reason, target=trial.target.key,
             provider_cost=None if trial.usage is None else owed_for(trial.target, trial.usage),
             upstream_id=trial.upstream_id)
        for trial in trials
    )  # fmt: skip


def credits_of(admitted: Admitted, found: Account) -> int:
    """In micro-credits, never more than were held."""
    if admitted.storefront.billing == "usd" or found.provenance is Provenance.QUARANTINED:
        return 0
    scheme = admitted.storefront.billing
    model = admitted.model if admitted.fallback is None else admitted.fallback.asked
    if scheme == "tier_credits":
        tier = _tier(admitted)
        return min(tier_credits(found.usage, tier), _most_read(admitted) * tier_rate(tier))
    if scheme == "token_credits":
        return token_credits(found.lines, (found.sheet or model.price).rate, admitted.hold.amount)
    return 0


def owed_for(target: LiveTarget, usage: Usage) -> int | None:
    """What the house owes the provider, where its cost is known."""
    sheet = target.target.cost
    if sheet is None:
        return None
    try:
        return charge(usage, sheet)[1]
    except Unpriced:
        return None
