"""What each request teaches the choice of models for the next.

Law: once per request, as it is settled, in a few steps: nothing waits, nothing is stored. Only what was seen counts: a
client that left says nothing of the model, nor does a request that was to blame itself.
"""

from collections.abc import Sequence

from conflux.billing.estimate import tokens_of
from conflux.neutral.ledger import Ending
from conflux.neutral.usage import Usage
from conflux.relay.admitted import Admitted
from conflux.relay.attempt import Attempt, Trial
from conflux.relay.parts import Parts
from conflux.relay.routed import measured_as
from conflux.routing.measures import Answer, Measured
from conflux.routing.tasks import UNNAMED

_MODELS_FAULT = frozenset({429, 500, 502, 503, 504, 529})


def observe(
    parts: Parts,
    admitted: Admitted,
    attempt: Attempt | None,
    trials: Sequence[Trial],
    ending: Ending,
    usage: Usage,
    status: int,
) -> None:
    now = parts.clock.monotonic()
    task = admitted.task or UNNAMED
    if admitted.fallback is not None:
        _failed(parts, admitted, trials, now)
    if attempt is None or ending is Ending.FAILED:
        if trials and status in _MODELS_FAULT:
            _measured(parts, admitted, now).answered(Answer(False, task.name, task.length), now)
        return
    if ending is not Ending.DONE and ending is not Ending.CUT:
        return
    first = attempt.first_byte
    good = ending is Ending.DONE
    _measured(parts, admitted, now).answered(
        Answer(
            good,
            task.name,
            task.length,
            admitted.envelope.stream,
            None if first is None else first - attempt.began,
            now - attempt.began,
            usage.completion_total // admitted.envelope.choices,
            usage.prompt_total,
            usage.cache_read,
        ),
        now,
    )
    if good and admitted.route is not None and admitted.route.conversation is not None:
        homes = parts.health.measures.homes
        homes.keep(admitted.route.conversation, admitted.model.id, tokens_of(admitted.envelope.size), now)


def _measured(parts: Parts, admitted: Admitted, now: float) -> Measured:
    return parts.health.measures.of(measured_as(admitted.model, simulated=admitted.simulated), now)


def _failed(parts: Parts, admitted: Admitted, trials: Sequence[Trial], now: float) -> None:
    """The models before the one that served."""
    models = parts.snapshot().catalogue.models
    task = admitted.task or UNNAMED
    for name in {trial.model for trial in trials} - {admitted.model.id}:
        model = models.get((admitted.storefront.id, name))
        if model is not None:
            found = parts.health.measures.of(measured_as(model, simulated=admitted.simulated), now)
            found.answered(Answer(False, task.name, task.length), now)
