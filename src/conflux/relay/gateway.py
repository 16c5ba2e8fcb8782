"""The way of a request, from the first byte to the receipt.

Law: admit, reserve, attempt, start, deliver, settle: in this order, each once. Nothing is sent before the hold is
committed; no content is delivered before the start is; nothing ends before the settlement is. A client that leaves
interrupts the waiting on the upstream and nothing else.
"""

import asyncio
import itertools

from conflux.dialects import DIALECTS
from conflux.dialects.base import Dialect, Wanted
from conflux.neutral.errors import GatewayError, Kind, StoreError, TransportError
from conflux.neutral.ledger import (
    ID_CHANCES,
    Checkpoint,
    Ending,
    Reservation,
    new_request_id,
    request_id_text,
)
from conflux.relay.account import NO_ACCOUNT, Account, account, settlement
from conflux.relay.admit import Admitted, admit
from conflux.relay.attempt import Attempt, Failed, Trial
from conflux.relay.headers import JSON, plain, streamed
from conflux.relay.identify import identify, root_storefront
from conflux.relay.parts import Exchange, Incoming, Outcome, Parts

# A killed stream loses at most what came after its last checkpoint.
_CHECKPOINT_BYTES = 512  # some 128 tokens
_CHECKPOINT_SECONDS = 1.0


class Gateway:
    """One per process: holds the collaborators, makes a Passage per request."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        # Random low bits would meet within a millisecond every minute or so at full load; a count never does. It
        # starts anywhere and walks all values in odd steps, so an id does not tell how many requests there were.
        self._count = itertools.count(parts.below(ID_CHANCES))
        self._step = parts.below(ID_CHANCES) | 1

    async def generate(self, incoming: Incoming, exchange: Exchange) -> None:
        chance = next(self._count) * self._step % ID_CHANCES
        await Passage(self.parts, incoming, exchange, chance).run()


class _Left(Exception):
    """The client left while the upstream was waited for."""


class Passage:
    """One request on its way. Its fields are what is true so far."""

    __slots__ = (
        "admitted",
        "attempt",
        "began",
        "created",
        "created_ms",
        "delivering",
        "exchange",
        "incoming",
        "number",
        "parts",
        "request_id",
        "snapshot",
        "trials",
        "waiting",
    )

    def __init__(self, parts: Parts, incoming: Incoming, exchange: Exchange, chance: int) -> None:
        self.parts = parts
        self.incoming = incoming
        self.exchange = exchange
        self.snapshot = parts.snapshot()
        self.began = parts.clock.monotonic()
        now = parts.clock.time()
        self.created = int(now)
        self.created_ms = int(now * 1000)
        self.number = new_request_id(now, chance)
        self.request_id = request_id_text(self.number)
        self.admitted: Admitted
        self.attempt: Attempt | None = None
        self.trials: list[Trial] = []
        self.delivering = False
        self.waiting: asyncio.Task[None] | None = None

    async def run(self) -> None:
        parts = self.parts
        parts.meter.began()
        outcome: Outcome | None = None
        dialect = DIALECTS[self.incoming.dialect]
        try:
            await self._admit(dialect)
            await self._reserve()
            outcome = await self._reserved()
        except GatewayError as error:
            await self._refuse(dialect, error)
        except StoreError:
            # The ledger cannot promise to remember: no answer, rather than a free one.
            text = "the ledger cannot take this request now: try again in a moment"
            await self._refuse(dialect, GatewayError(Kind.UNAVAILABLE, text, retry_after=2))
        finally:
            parts.meter.ended(outcome)

    async def _admit(self, dialect: Dialect) -> None:
        incoming = self.incoming
        if incoming.mount is not None:
            self.exchange.serving(incoming.mount)
        caller, storefront = await identify(self.parts, self.snapshot, incoming.secret, incoming.mount)
        self.exchange.serving(storefront)
        self.admitted = admit(self.parts, self.snapshot, caller, storefront, dialect, incoming.body)

    async def _reserve(self) -> None:
        admitted = self.admitted
        caller = admitted.caller
        await self.parts.ledger.reserve(
            Reservation(
                request_id=self.number,
                created=self.created_ms,
                caller_key=caller.key_id,
                caller_user=caller.user_id,
                caller_workspace=caller.workspace_id,
                storefront=admitted.storefront.id,
                requested_model=admitted.requested,
                amount=admitted.hold.amount,
                scopes=caller.scopes,
                input_floor=admitted.hold.input_floor,
                simulated=admitted.simulated,
            )
        )

    async def _reserved(self) -> Outcome:
        """From the hold to the settlement. However this ends, it ends settled."""
        try:
            self.waiting = asyncio.current_task()
            self.exchange.on_gone(self._client_left)
            await self._attempts()
            if self.admitted.envelope.stream:
                return await self._stream()
            return await self._plain()
        except GatewayError as error:
            outcome = await self._settle(Ending.FAILED, NO_ACCOUNT, status=_status(self.admitted.dialect, error))
            await self._refuse(self.admitted.dialect, error)
            return outcome
        except _Left:
            return await self._settle_left()
        except asyncio.CancelledError:
            # The server stops: what was delivered is settled, and the client is told that it is not all.
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            return await self._stopped()
        finally:
            self.waiting = None
            if self.attempt is not None:
                self.attempt.close()

    def _client_left(self) -> None:
        """Interrupts whatever waits for the upstream; a drained provider is read to its end all the same."""
        task, self.waiting = self.waiting, None
        if task is None:
            return
        if self.attempt is not None and self.delivering and self.attempt.target.live.provider.drain:
            return
        task.cancel(_Left.__name__)

    def _left(self, error: asyncio.CancelledError) -> bool:
        """Is this cancellation our own, because the client left?"""
        task = asyncio.current_task()
        if _Left.__name__ in error.args and task is not None:
            task.uncancel()
            return True
        return False

    async def _attempts(self) -> None:
        """Try the targets in order until one is primed."""
        admitted = self.admitted
        wanted = Wanted(
            answer_id="chatcmpl-" + self.request_id[4:],
            model="" if admitted.storefront.model_echo == "upstream" else admitted.requested,
            created=self.created,
            include_usage=admitted.envelope.include_usage,
        )
        request_id = self.request_id.encode()
        last = len(admitted.targets) - 1
        for place, target in enumerate(admitted.targets):
            attempt = self.attempt = Attempt(self.parts, target)
            try:
                await attempt.prime(admitted, wanted, request_id)
                return
            except Failed as failed:
                attempt.close(good=False)
                self.attempt = None
                self.trials.append(Trial(target, failed.reason, attempt.seconds()))
                if place == last or not failed.retry:
                    raise failed.error from None
            except asyncio.CancelledError as error:
                if self._left(error):
                    raise _Left from None
                raise

    async def _plain(self) -> Outcome:
        attempt, admitted = self._leg(), self.admitted
        self.waiting = None  # the answer is here: from now on nothing is interrupted
        attempt.close(good=True)
        found = account(attempt.lane.tally, admitted, cut=False)
        outcome = await self._settle(Ending.DONE, found, status=200)
        headers = plain(admitted, self.snapshot, self._dropped(), outcome.charge, self.request_id.encode())
        await self.exchange.reply(200, headers, attempt.lane.last(found.usage))
        return outcome

    async def _stream(self) -> Outcome:
        attempt, admitted = self._leg(), self.admitted
        waiting, self.waiting = self.waiting, None
        await self.parts.ledger.start(self.number)
        if self.exchange.gone and not attempt.target.live.provider.drain:
            return await self._settle_left()
        self.delivering = True
        self.waiting = waiting
        try:
            await self.exchange.begin(200, streamed(admitted, self.snapshot, self._dropped(), self.request_id.encode()))
            if attempt.pending and not self.exchange.push(attempt.pending):
                await self.exchange.drained()
            await self._pump(attempt)
        except asyncio.CancelledError as error:
            if self._left(error):
                raise _Left from None
            raise
        except TransportError as error:
            return await self._cut(error.timeout)
        self.waiting = None
        tally = attempt.lane.tally
        if tally.fault is not None or not tally.finished:
            return await self._cut(timeout=False)
        attempt.close(good=True)
        found = account(tally, admitted, cut=False)
        outcome = await self._settle(Ending.DONE, found, status=200)
        await self.exchange.finish(attempt.lane.last(found.usage))
        return outcome

    async def _pump(self, attempt: Attempt) -> None:
        """Hand the answer on as it arrives: the upstream's reader pushes it through, this task only waits."""
        lane, exchange, clock = attempt.lane, self.exchange, self.parts.clock
        tally = lane.tally
        marked, marked_at = tally.output_bytes, clock.monotonic()

        def hand_on(data: bytes) -> bool:
            nonlocal marked, marked_at
            out = lane.feed(data)
            going = exchange.push(out) if out else True
            now = clock.monotonic()
            if tally.output_bytes - marked >= _CHECKPOINT_BYTES or now - marked_at >= _CHECKPOINT_SECONDS:
                marked, marked_at = tally.output_bytes, now
                self._checkpoint(attempt)
            return going and tally.fault is None and not tally.done

        while tally.fault is None and not tally.done:
            if not await attempt.stream(hand_on):
                exchange.push(lane.end())
                return
            await exchange.drained()

    def _checkpoint(self, attempt: Attempt) -> None:
        found = account(attempt.lane.tally, self.admitted, cut=True)
        self.parts.ledger.checkpoint(Checkpoint(request_id=self.number, amount=found.charge, usage=found.usage))

    async def _cut(self, timeout: bool) -> Outcome:
        """The upstream broke off after content was delivered: what was delivered is paid, and the client is told."""
        self.waiting = None
        attempt = self._leg()
        attempt.close(good=False)
        found = account(attempt.lane.tally, self.admitted, cut=True)
        outcome = await self._settle(Ending.CUT, found, status=200)
        kind = Kind.UPSTREAM_TIMEOUT if timeout else Kind.UPSTREAM_FAILED
        error = GatewayError(kind, "the model's answer broke off: what you have is incomplete")
        await self.exchange.finish(self.admitted.dialect.error_event(error))
        return outcome

    async def _stopped(self) -> Outcome:
        """The server stops before the answer is whole."""
        if self.delivering and self.attempt is not None:
            return await self._cut(timeout=False)
        outcome = await self._settle_left()
        text = "the gateway is restarting: try again"
        await self._refuse(self.admitted.dialect, GatewayError(Kind.UNAVAILABLE, text, retry_after=2))
        return outcome

    async def _settle_left(self) -> Outcome:
        """The client is gone: cancel upstream, account what it may have received."""
        self.waiting = None
        if self.attempt is not None:
            self.attempt.close()
        if not self.delivering or self.attempt is None:
            return await self._settle(Ending.CANCELLED, NO_ACCOUNT, status=499)
        found = account(self.attempt.lane.tally, self.admitted, cut=True)
        return await self._settle(Ending.CANCELLED, found, status=200)

    async def _settle(self, ending: Ending, found: Account, *, status: int) -> Outcome:
        parts, admitted, attempt = self.parts, self.admitted, self.attempt
        seconds = parts.clock.monotonic() - self.began
        first_byte = attempt.first_byte - self.began if attempt is not None and attempt.first_byte else None
        charge = await parts.ledger.settle(
            settlement(
                admitted,
                self.number,
                ending,
                found,
                attempt=attempt,
                trials=tuple(self.trials),
                dropped=self._dropped(),
                status=status,
                seconds=seconds,
                first_byte=first_byte,
            )
        )
        return Outcome(
            storefront=admitted.storefront.id,
            model=admitted.model.id,
            ending=ending,
            status=status,
            stream=admitted.envelope.stream,
            usage=found.usage,
            charge=charge,
            seconds=seconds,
            first_byte=first_byte,
        )

    def _leg(self) -> Attempt:
        assert self.attempt is not None, "an attempt was primed before its answer is handled"
        return self.attempt

    def _dropped(self) -> tuple[str, ...]:
        if self.attempt is None:
            return self.admitted.dropped
        return self.admitted.dropped + self.attempt.dropped

    async def _refuse(self, dialect: Dialect, error: GatewayError) -> None:
        mount = self.incoming.mount
        admitted: Admitted | None = getattr(self, "admitted", None)
        storefront = admitted.storefront if admitted is not None else mount or root_storefront(self.snapshot)
        if self.delivering:
            await self.exchange.finish(dialect.error_event(error))
            return
        status, body = dialect.error(error, storefront.error_style)
        headers = [JSON, (b"x-request-id", self.request_id.encode())]
        if error.retry_after is not None:
            headers.append((b"retry-after", str(max(1, round(error.retry_after))).encode()))
        await self.exchange.reply(status, headers, body)


def _status(dialect: Dialect, error: GatewayError) -> int:
    return dialect.error(error, "openai")[0]
