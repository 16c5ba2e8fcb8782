"""What is asked for one request, one after the other, until something answers.

Law: another target only where the failure lets it, never more than a few different ones, never beyond the pool's
budget for retries; then another model, where that is wanted. What happened first is what the client is told.
"""

from collections.abc import Collection, Iterator

from msgspec.structs import replace

from conflux.neutral.errors import GatewayError, Kind
from conflux.relay.admitted import Admitted
from conflux.relay.attempt import Attempt, Failed, Trial
from conflux.relay.conversation import Conversation, conversation_of
from conflux.relay.fallback import stand_ins, wanted
from conflux.relay.parts import Incoming, Parts
from conflux.relay.snapshot import LiveTarget, Snapshot
from conflux.routing.choice import MOST_ATTEMPTS, pick
from conflux.routing.health import Leg, bucket_of

_OUTRUN = "late: another target answered first"
_LET_GO = "not waited for"
_LONG = 16_384  # bytes: below, they fit nearly every model whatever the tokens


class Tries:
    # As it begins. Defaults of the class: most requests end with the first try.
    _conversation: Conversation | None = None
    _tried: Collection[str] = ()
    _again: LiveTarget | None = None  # the same once more, with another credential
    _error: GatewayError | None = None  # the first: what the client is told
    _nobody: GatewayError | None = None  # why no other model may answer
    _unfit: GatewayError | None = None  # no failure: a dialect that cannot say this
    _others: Iterator[Admitted] | None = None
    _free = True  # the next one is no retry, or one that we caused ourselves

    def __init__(
        self,
        parts: Parts,
        snapshot: Snapshot,
        admitted: Admitted,
        incoming: Incoming,
        others: Iterator[Admitted] | None = None,
    ) -> None:
        """`others`: what is asked where this model does not answer; None: the stand-ins of the catalogue."""
        self._parts = parts
        self._snapshot = snapshot
        self._incoming = incoming
        self.admitted = admitted
        self.trials: list[Trial] = []
        self._pool = parts.health.budget(admitted.model.pool)
        self._pool.request(parts.clock.monotonic())
        self._bucket = bucket_of(admitted.envelope.size, admitted.envelope.stream)
        if others is not None:
            self._others = others

    def next(self) -> LiveTarget:
        """Raises GatewayError where nothing is left."""
        found, self._again = self._again, None
        if found is None and len(self.trials) < MOST_ATTEMPTS:
            found = self._choose(desperate=False) or self._other_model()
            if found is None and not self.trials:  # what is shut is worth a first try, and no second one
                found = self._choose(desperate=True)
        if found is None or not (self._free or self._pool.retry(self._parts.clock.monotonic())):
            raise self._error or self._unfit or self._nobody or self._busy()
        return found

    def unfit(self, target: LiveTarget, error: GatewayError) -> None:
        """What this target's dialect cannot say, another's may."""
        self._tried = {*self._tried, target.key}
        self._unfit = error

    def failed(self, target: LiveTarget, leg: Leg, failed: Failed, seconds: float) -> None:
        """Raises what the client is told where nothing else may be tried."""
        self.trials.append(Trial(target, self.admitted.model.id, failed.reason, seconds, told=failed.error.message))
        self._tried = {*self._tried, target.key}
        if self._error is None:
            self._error = self._nobody or failed.error
        if not failed.retry:
            raise failed.error
        # A probe was our wish, not the client's: that it failed costs nobody a retry.
        self._free = leg is Leg.PROBE
        if failed.again and sum(one.target is target for one in self.trials) < len(target.live.credentials):
            self._again = target

    def another(self, first: LiveTarget) -> LiveTarget | None:
        """One that is ready, beside the one that is late."""
        parts, now = self._parts, self._parts.clock.monotonic()
        found = pick(self.admitted.targets, parts.health.of, now, parts.below, bucket=self._bucket,
                     tried={*self._tried, first.key}, desperate=False)  # fmt: skip
        return found if found is not None and parts.health.of(found.key).ready(now, self._bucket) else None

    def let_go(self, attempt: Attempt, *, outrun: bool) -> None:
        """Nobody waits for it any more; what it reported is the house's to pay. `outrun`: another was quicker."""
        if outrun:
            attempt.outrun()
        tally, why = attempt.lane.tally, _OUTRUN if outrun else _LET_GO
        self.trials.append(Trial(attempt.target, self.admitted.model.id, why, attempt.seconds(), "cancelled", why,
                                 tally.usage or tally.prompt, tally.upstream_id))  # fmt: skip

    def answered(self, target: LiveTarget) -> None:
        if self._conversation is not None:
            self._conversation.keep(self._parts, target)

    async def measure(self) -> None:
        """Whether a long conversation fits another model must be certain, so it is counted before one is looked for."""
        admitted = self.admitted
        if admitted.counted is None and admitted.envelope.size > _LONG and wanted(admitted, self._incoming):
            counted = await self._parts.sizes.count(admitted.caller, admitted.envelope)
            self.admitted = replace(admitted, counted=counted)

    def _choose(self, *, desperate: bool) -> LiveTarget | None:
        parts, targets = self._parts, self.admitted.targets
        now = parts.clock.monotonic()
        found = pick(targets, parts.health.of, now, parts.below, bucket=self._bucket, tried=self._tried,
                     desperate=desperate)  # fmt: skip
        if found is None or len(targets) == 1 or self._tried:
            return found
        self._conversation = conversation_of(self.admitted)
        if self._conversation is None:
            return found
        return self._conversation.place(parts, targets, found, self._bucket, now)

    def _other_model(self) -> LiveTarget | None:
        if self._others is None:
            if not wanted(self.admitted, self._incoming):
                return None
            error = self._error or self._unfit or self._busy()
            try:
                self._others = stand_ins(self._parts, self._snapshot, self.admitted, self._incoming, error)
            except GatewayError as none:
                self._others, self._nobody = iter(()), none
                if self._error is not None or not self.admitted.targets:
                    self._error = none
                return None
        for admitted in self._others:
            before, self.admitted = self.admitted, admitted
            found = self._choose(desperate=False)
            if found is not None:
                return found
            self.admitted = before
        return None

    def _busy(self) -> GatewayError:
        model = self.admitted.model
        if not self.admitted.targets:
            text = f"{model.id} has no live target now: try another model, or later"
            return GatewayError(Kind.UNAVAILABLE, text, param="model")
        return GatewayError(Kind.UNAVAILABLE, f"{model.id} does not answer now: try again in a moment", retry_after=1)
