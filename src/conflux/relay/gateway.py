"""The way of a request, from the first byte to the receipt.

Law: admit, reserve, attempt, start, deliver, settle: in this order, each once. Nothing is sent before the hold is
committed; no content is delivered before the start is; nothing ends before the settlement is. A client that leaves
interrupts the waiting on the upstream and nothing else.
"""

import asyncio
import itertools

from conflux.dialects import DIALECTS
from conflux.dialects.base import Dialect, Lane, Wanted
from conflux.neutral.errors import GatewayError, IdTaken, Kind, StoreError, TransportError
from conflux.neutral.ledger import (
    ID_CHANCES,
    Checkpoint,
    Ending,
    Reservation,
    Settlement,
    new_request_id,
    request_id_text,
)
from conflux.neutral.ports import Headers
from conflux.neutral.records import Storefront
from conflux.policy.rates import Ticket
from conflux.relay.account import NO_ACCOUNT, Account, account, cost_of, settlement
from conflux.relay.admit import Admitted, Fallback, admit, count, expected_tokens
from conflux.relay.attempt import Attempt, Failed, Trial
from conflux.relay.headers import JSON, identified, late_fallback, plain, streamed
from conflux.relay.identify import identify, root_storefront
from conflux.relay.keep_alive import KeepAlive
from conflux.relay.parts import Exchange, Incoming, Outcome, Parts
from conflux.relay.stored import Recalled, keep, recall
from conflux.relay.tries import Tries

# A killed stream loses at most what came after its last checkpoint.
_CHECKPOINT_BYTES = 512  # some 128 tokens
_CHECKPOINT_SECONDS = 1.0

# Why an answer was cut, for admins, where nobody else gave a reason.
_UNFINISHED = "the upstream closed before its answer was finished"
_DEFECT = "a defect of the gateway: its log has it"

_DRAWS = 3  # ids for one request; a taken one is as rare as they come


class Gateway:
    """One per process: holds the collaborators, makes a Passage per request."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        # Random low bits would meet within a millisecond every minute or so at full load; a count never does. It
        # starts anywhere and walks all values in odd steps, so an id does not tell how many requests there were.
        self._count = itertools.count(parts.below(ID_CHANCES))
        self._step = parts.below(ID_CHANCES) | 1

    async def count(self, incoming: Incoming) -> tuple[Storefront, int]:
        return await count(self.parts, incoming)

    async def generate(self, incoming: Incoming, exchange: Exchange) -> None:
        chance = next(self._count) * self._step % ID_CHANCES
        await Passage(self.parts, incoming, exchange, chance).run()


class Passage:
    """One request on its way. Its fields are what is true so far."""

    __slots__ = (
        "admitted",
        "attempt",
        "began",
        "begun",
        "created",
        "created_ms",
        "delivering",
        "ended",
        "exchange",
        "headed",
        "incoming",
        "keeper",
        "left",
        "number",
        "parts",
        "recalled",
        "request_id",
        "settling",
        "snapshot",
        "spoken",
        "storefront",
        "ticket",
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
        self._draw(now, chance)
        self.storefront = incoming.mount or root_storefront(self.snapshot)  # until the key says which
        self.recalled: Recalled | None = None  # where responses are kept
        self.admitted: Admitted
        self.attempt: Attempt | None = None
        self.trials: list[Trial] = []
        self.begun = False  # the head of a stream went out
        self.headed: Fallback | None = None  # what it said
        self.spoken: Lane | None = None  # whose words, if any
        self.delivering = False
        self.left = False  # the client left, and the waiting was interrupted for it
        self.settling = False
        self.ended: Outcome | None = None
        self.waiting: asyncio.Task[None] | None = None
        self.keeper: KeepAlive | None = None
        self.ticket: Ticket | None = None  # of a caller with rate limits

    def _draw(self, now: float, chance: int) -> None:
        self.number = new_request_id(now, chance)
        self.request_id = request_id_text(self.number)

    async def run(self) -> None:
        parts = self.parts
        parts.meter.began()
        outcome: Outcome | None = None
        dialect = DIALECTS[self.incoming.dialect]
        try:
            await self._admit(dialect)
            outcome = await self._reserved() if await self._reserve() else await self._stopped()
        except GatewayError as error:
            await self._refuse(dialect, error)
        except StoreError:
            # The ledger cannot promise to remember: no answer, rather than a free one.
            text = "the ledger cannot take this request now: try again in a moment"
            await self._refuse(dialect, GatewayError(Kind.UNAVAILABLE, text, retry_after=2))
        finally:
            if self.ticket is not None:
                self.ticket.close()
            parts.meter.ended(outcome)

    async def _admit(self, dialect: Dialect) -> None:
        incoming = self.incoming
        if incoming.mount is not None:
            self.exchange.serving(incoming.mount)
        caller, self.storefront = await identify(self.parts, self.snapshot, incoming.secret, incoming.mount)
        self.exchange.serving(self.storefront)
        if self.parts.responses is not None:
            self.recalled = await recall(self.parts.responses, caller.key_id, incoming)
            self.incoming = incoming = self.recalled.incoming
        self.admitted = admit(self.parts, self.snapshot, caller, self.storefront, dialect, incoming)
        if caller.limited:
            self.ticket = self.parts.rates.take(caller.policies, expected_tokens(self.admitted), self._milliseconds())

    async def _reserve(self) -> bool:
        """False where the server stops meanwhile: the hold may be there or not, so it must be settled."""
        for _ in range(_DRAWS):
            try:
                await self.parts.ledger.reserve(self._order())
            except asyncio.CancelledError:
                _carry_on()
                return False
            except IdTaken:  # by another process, which counts from elsewhere: nobody has heard of ours yet
                self._draw(self.parts.clock.time(), self.parts.below(ID_CHANCES))
            else:
                return True
        raise StoreError("every id drawn was taken")

    def _order(self) -> Reservation:
        admitted = self.admitted
        caller = admitted.caller
        return Reservation(
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

    async def _reserved(self) -> Outcome:
        """From the hold to the settlement. However this ends, it ends settled."""
        try:
            if self.exchange.gone:
                return await self._settle_left()
            self.waiting = asyncio.current_task()
            self.exchange.on_gone(self._client_left)
            if not self.admitted.envelope.stream:
                await self._attempts()
                return await self._plain()
            self.keeper = KeepAlive(self.parts, self._keep_alive)
            await self._attempts()
            return await self._stream()
        except GatewayError as error:
            return await self._fail(error)
        except asyncio.CancelledError:
            _carry_on()
            if self.ended is not None:
                return self.ended  # settled and, as far as it went, delivered
            return await (self._settle_left() if self.left else self._stopped())
        except StoreError:
            if not self.settling:
                await self._settle(Ending.FAILED, NO_ACCOUNT, status=503)
            raise
        except Exception:
            # A defect of ours, reported at the edge. The hold must not outlive it, and what went out is paid.
            if not self.settling:
                await self._settle(*self._delivered(Ending.FAILED, Ending.CUT), status=500, reason=_DEFECT)
            raise
        finally:
            self.waiting = None
            if self.attempt is not None:
                self.attempt.close()
            await self._hush()

    async def _begin(self) -> None:
        """The head of a stream, once: with its first content, or with the first word that it is still to come."""
        if not self.begun:
            self.begun = True
            self.headed = self.admitted.fallback
            headers = streamed(self.admitted, self.snapshot, self._dropped(), self.request_id.encode())
            headers += self._rates()
            await self.exchange.begin(200, headers)

    async def _keep_alive(self) -> None:
        attempt = self.attempt
        if attempt is None or self.exchange.gone or self.settling:
            return
        await self._begin()
        self.spoken = attempt.lane
        self.exchange.push(attempt.lane.keep_alive())
        await self.exchange.drained()

    async def _hush(self) -> None:
        keeper, self.keeper = self.keeper, None
        if keeper is not None:
            await keeper.stop()

    def _client_left(self) -> None:
        """Interrupts whatever waits for the upstream; a drained provider is read to its end all the same."""
        task, self.waiting = self.waiting, None
        if task is None:
            return
        if self.attempt is not None and self.delivering and self.attempt.target.live.provider.drain:
            return
        self.left = True
        task.cancel()

    async def _attempts(self) -> None:
        """Ask one target after the other until one is primed."""
        admitted = self.admitted
        wanted = Wanted(
            answer_id=admitted.dialect.id_prefix + self.request_id[4:],
            model="" if admitted.storefront.model_echo == "upstream" else admitted.requested,
            created=self.created,
            include_usage=admitted.envelope.include_usage,
            stored=self.recalled is not None and self.recalled.input is not None,
            previous=self.recalled.previous if self.recalled is not None else None,
        )
        request_id = self.request_id.encode()
        tries = Tries(self.parts, self.snapshot, admitted, self.incoming)
        self.trials = tries.trials
        while True:
            target = tries.next()
            self.admitted = tries.admitted
            try:
                attempt = self.attempt = Attempt(self.parts, target, self.admitted, wanted)
            except GatewayError as error:
                tries.unfit(target, error)
                continue
            try:
                await attempt.prime(request_id)
                tries.answered(target)
                return
            except Failed as failed:
                attempt.close()
                self.attempt = None
                tries.failed(target, attempt.leg, failed, attempt.seconds())

    async def _plain(self) -> Outcome:
        attempt, admitted = self._leg(), self.admitted
        self.waiting = None  # the answer is here: from now on nothing is interrupted
        attempt.close(good=True)
        found = account(attempt.lane.tally, admitted, cut=False)
        body = attempt.lane.last(found.usage, cost_of(found, admitted))  # nobody pays for what cannot be written
        await self._store(body)
        outcome = await self._settle(Ending.DONE, found, status=200)
        headers = plain(
            admitted, self.snapshot, self._dropped(), outcome.charge, outcome.credits, self.request_id.encode()
        )
        headers += self._rates()
        await self.exchange.reply(200, headers, body)
        return outcome

    async def _stream(self) -> Outcome:
        attempt, admitted = self._leg(), self.admitted
        waiting, self.waiting = self.waiting, None
        await self.parts.ledger.start(self.number)
        if self.exchange.gone:
            return await self._settle_left()  # nothing went out
        self.delivering = True
        self.waiting = waiting
        try:
            await self._begin()
            self.spoken = attempt.lane
            await self._pump(attempt)
        except TransportError as error:
            attempt.broke()
            return await self._cut(str(error), timeout=error.timeout)
        self.waiting = None
        tally = attempt.lane.tally
        if tally.fault is not None or not tally.finished:
            attempt.broke()
            return await self._cut(tally.fault.message[:200] if tally.fault is not None else _UNFINISHED)
        attempt.close(good=True)
        found = account(tally, admitted, cut=False)
        last = attempt.lane.last(found.usage, cost_of(found, admitted))
        await self._store(last)
        if self.admitted.fallback is not self.headed:  # the head was too early to know
            last = late_fallback(self.admitted) + last
        outcome = await self._settle(Ending.DONE, found, status=200)
        await self.exchange.finish(last)
        return outcome

    async def _store(self, last: bytes) -> None:
        """Before the client has it all: whoever has it may come back to it."""
        store, recalled = self.parts.responses, self.recalled
        if store is not None and recalled is not None and recalled.input is not None:
            await keep(store, self.admitted.caller.key_id, recalled.input, last)

    async def _pump(self, attempt: Attempt) -> None:
        """Hand the answer on as it arrives: the upstream's reader pushes it through, this task only waits."""
        lane, exchange, clock = attempt.lane, self.exchange, self.parts.clock
        tally, keeper = lane.tally, self.keeper
        assert keeper is not None, "a stream has one until it is settled"
        marked, marked_at = 0, clock.monotonic()

        def deliver(out: bytes) -> bool:
            nonlocal marked, marked_at
            keeper.spoke = now = clock.monotonic()
            if tally.output_bytes - marked >= _CHECKPOINT_BYTES or now - marked_at >= _CHECKPOINT_SECONDS:
                marked, marked_at = tally.output_bytes, now
                self._checkpoint(attempt)
            going = exchange.push(out) if out else True
            return going and tally.fault is None and not tally.done

        def hand_on(data: bytes) -> bool:
            return deliver(lane.feed(data))

        if not deliver(attempt.pending):
            await exchange.drained()
        while tally.fault is None and not tally.done:
            if not await attempt.stream(hand_on):
                deliver(lane.end())
                return
            await exchange.drained()

    def _checkpoint(self, attempt: Attempt) -> None:
        found = account(attempt.lane.tally, self.admitted, cut=True)
        self.parts.ledger.checkpoint(Checkpoint(request_id=self.number, amount=found.charge, usage=found.usage))

    async def _cut(self, reason: str, *, timeout: bool = False) -> Outcome:
        """The answer breaks off after content was delivered: what was delivered is paid, and the client is told."""
        self.waiting = None
        attempt = self._leg()
        attempt.close()
        found = account(attempt.lane.tally, self.admitted, cut=True)
        outcome = await self._settle(Ending.CUT, found, status=200, reason=reason)
        kind = Kind.UPSTREAM_TIMEOUT if timeout else Kind.UPSTREAM_FAILED
        error = GatewayError(kind, "the model's answer broke off: what you have is incomplete")
        await self.exchange.finish(attempt.lane.fail(error))
        return outcome

    async def _fail(self, error: GatewayError) -> Outcome:
        """No target answered, or none can be asked so."""
        if self.delivering:
            return await self._cut(error.message)
        outcome = await self._settle(Ending.FAILED, NO_ACCOUNT, status=_status(self.admitted.dialect, error))
        await self._refuse(self.admitted.dialect, error)
        return outcome

    async def _stopped(self) -> Outcome:
        """The server stops before the answer is whole: what was delivered is settled, and the client is told."""
        return await self._fail(GatewayError(Kind.UNAVAILABLE, "the gateway is restarting: try again", retry_after=2))

    async def _settle_left(self) -> Outcome:
        """The client is gone: cancel upstream, account what it may have received."""
        self.waiting = None
        if self.attempt is not None:
            self.attempt.close()
        return await self._settle(
            *self._delivered(Ending.CANCELLED, Ending.CANCELLED), status=200 if self.delivering else 499
        )

    def _delivered(self, nothing: Ending, some: Ending) -> tuple[Ending, Account]:
        """What an answer that ends early costs: what went out of it."""
        if not self.delivering or self.attempt is None:
            return nothing, NO_ACCOUNT
        return some, account(self.attempt.lane.tally, self.admitted, cut=True)

    async def _settle(self, ending: Ending, found: Account, *, status: int, reason: str | None = None) -> Outcome:
        parts, admitted, attempt = self.parts, self.admitted, self.attempt
        seconds = parts.clock.monotonic() - self.began
        first_byte = attempt.first_byte - self.began if attempt is not None and attempt.first_byte else None
        self.settling = True
        await self._hush()
        end = settlement(
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
            reason=reason,
        )
        self.ended = outcome = Outcome(
            storefront=admitted.storefront.id,
            model=admitted.model.id,
            ending=ending,
            status=status,
            stream=admitted.envelope.stream,
            usage=found.usage,
            charge=await self._committed(end),
            credits=end.credits,
            seconds=seconds,
            first_byte=first_byte,
        )
        if self.ticket is not None:
            self.ticket.close(found.usage.total)  # before the last byte: whoever has it all may ask again
        return outcome

    async def _committed(self, end: Settlement) -> int:
        """No cancellation reaches a settlement: it is asked for once more, which changes nothing where it was done."""
        while True:
            try:
                return await self.parts.ledger.settle(end)
            except asyncio.CancelledError:
                if not _carry_on():
                    raise StoreError("the ledger went away") from None

    def _leg(self) -> Attempt:
        assert self.attempt is not None, "an attempt was primed before its answer is handled"
        return self.attempt

    def _dropped(self) -> tuple[str, ...]:
        if self.attempt is None:
            return self.admitted.dropped
        return self.admitted.dropped + self.attempt.dropped

    def _milliseconds(self) -> int:
        return int(self.parts.clock.monotonic() * 1000)

    def _rates(self) -> Headers:
        return self.ticket.headers(self._milliseconds()) if self.ticket is not None else []

    async def _refuse(self, dialect: Dialect, error: GatewayError) -> None:
        error.request_id = self.request_id
        if self.begun:
            await self.exchange.finish(self.spoken.fail(error) if self.spoken else dialect.error_event(error))
            return
        if self.ticket is not None:
            self.ticket.close()
        status, body = dialect.error(error, self.storefront.error_style)
        headers = [JSON, *identified(self.request_id.encode(), dialect), *error.headers, *self._rates()]
        if error.retry_after is not None:
            headers.append((b"retry-after", str(max(1, round(error.retry_after))).encode()))
        await self.exchange.reply(status, headers, body)


def _status(dialect: Dialect, error: GatewayError) -> int:
    return dialect.error(error, "openai")[0]


def _carry_on() -> bool:
    """Takes back a cancellation of this task; False where it was something else that was cancelled."""
    task = asyncio.current_task()
    if task is None or not task.cancelling():
        return False
    task.uncancel()
    return True
