"""The direct way of a request: one answer, from its attempts to its last byte.

Law: attempt, start, deliver, settle: in this order, each once. No content is delivered before the start is committed.
A client that leaves interrupts the waiting on the upstream and nothing else.
"""

import asyncio
from typing import Any

from msgspec.structs import replace

from conflux.dialects.base import AnswerWriter, Dialect, Lane, Wanted
from conflux.dialects.flux_field import in_body, in_event, in_last
from conflux.neutral.errors import GatewayError, Kind, StoreError, TransportError
from conflux.neutral.ledger import Checkpoint, Ending
from conflux.neutral.ports import Headers
from conflux.relay.account import NO_ACCOUNT, Account, account, cost_of, credits_of
from conflux.relay.admitted import Fallback
from conflux.relay.aside import is_long
from conflux.relay.attempt import Attempt, Failed
from conflux.relay.course import Course, carry_on
from conflux.relay.fallback import wanted as may_stand_in
from conflux.relay.flux import CLIENTS_OWN, Fanout, Leg
from conflux.relay.flux_account import capped, total
from conflux.relay.flux_lanes import Replay
from conflux.relay.flux_view import encode, field, header, panel_event
from conflux.relay.headers import header_value, late_fallback, plain, streamed
from conflux.relay.hedging import Race, hedge_of
from conflux.relay.keep_alive import KeepAlive
from conflux.relay.lanes import prepared
from conflux.relay.marks import Marks, Told
from conflux.relay.parts import Outcome
from conflux.relay.stored import keep
from conflux.relay.tries import Tries

# Why an answer was cut, for admins, where nobody else gave a reason.
_UNFINISHED = "the upstream closed before its answer was finished"
_UNWRITTEN = "the ledger could not write how far the answer was"
_DEFECT = "a defect of the gateway: its log has it"


class Passage(Course):
    """One request, answered by one model."""

    __slots__ = ()

    held = b""  # of a stream: what came and may not go out yet
    held_size = 0  # how much the model wrote in it

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
            carry_on()
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
            if self.keeper is not None:
                await self._hush()

    async def _begin(self) -> None:
        """The head of a stream, once: with its first content, or with the first word that it is still to come."""
        if not self.begun:
            self.begun = True
            self.headed = self.admitted.fallback
            headers = streamed(self.admitted, self.snapshot, self._dropped(), self.request_id.encode())
            headers += self._rates() + self._panel_header(answered=self.delivering)
            await self.exchange.begin(200, headers)

    async def _keep_alive(self) -> None:
        voice = self._voice()
        if voice is None or self.exchange.gone or self.settling:
            return
        await self._begin()
        self.spoken = voice
        # A lane's own word would tell of what it has written and is held: a comment says nothing, to every client.
        self.exchange.push(b": wait\n\n" if self.held else voice.keep_alive())
        await self.exchange.drained()

    def _voice(self) -> Lane | AnswerWriter | None:
        """Whose words the connection is kept alive in."""
        if self.attempt is not None:
            return self.attempt.lane
        return self.panel.writer if self.panel is not None else None

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
        """Until there is an answer to deliver."""
        admitted = self.admitted
        wanted = Wanted(
            answer_id=admitted.dialect.id_prefix + self.request_id[4:],
            model="" if admitted.storefront.model_echo == "upstream" else admitted.requested,
            created=self.created_ms // 1000,
            include_usage=admitted.envelope.include_usage,
            stored=self.recalled is not None and self.recalled.input is not None,
            previous=self.recalled.previous if self.recalled is not None else None,
        )
        if admitted.flux is None:
            await self._ask(wanted)
        else:
            await self._fan_out(Fanout(self.parts, self.snapshot, admitted, self.incoming, self.number, wanted), wanted)

    async def _ask(self, wanted: Wanted) -> None:
        """Ask one target after the other until one is primed."""
        request_id = self.request_id.encode()
        tries = Tries(self.parts, self.snapshot, self.admitted, self.incoming)
        self.trials = tries.trials
        long = is_long(self.incoming.body)
        if not self.admitted.targets:
            await tries.measure()
        while True:
            target = tries.next()
            self.admitted = tries.admitted
            try:
                ready = await prepared(self.parts, self.admitted, target, wanted) if long else None
                attempt = self.attempt = Attempt(self.parts, target, self.admitted, wanted, ready)
            except GatewayError as error:
                tries.unfit(target, error)
                continue
            hedge = hedge_of(self.parts, self.snapshot, tries)
            race = None if hedge is None else Race(self.parts, tries, hedge, wanted, request_id)
            try:
                if race is None:
                    await attempt.prime(request_id)
                else:
                    attempt = self.attempt = await race.run(attempt)
                tries.answered(attempt.target)
                return
            except Failed as failed:
                if race is not None:
                    attempt = race.last
                    target = attempt.target
                attempt.close()
                self.attempt = None
                tries.failed(target, attempt.leg, failed, attempt.seconds())
                await tries.measure()
            except GatewayError:
                self.attempt = None  # of a race: it is over
                raise

    async def _fan_out(self, panel: Fanout, wanted: Wanted) -> None:
        """Ask the panel; then the one that fuses, or take a draft for the answer."""
        self.panel = panel
        await self._tell(panel_event(self.admitted))
        await panel.gather(self._tell)
        drafts = panel.drafts
        if not drafts:
            raise panel.nobody()
        if len(drafts) == 1 and not panel.fuser_only:
            self._take(panel, panel.best())
            return
        await panel.analyse(self._tell)
        self.admitted = panel.fused()
        await self._tell({"event": "fuser", "model": self.admitted.model.id, "status": "running"})
        try:
            await self._ask(wanted)
        except GatewayError as error:
            if error.kind in CLIENTS_OWN or not panel.replaceable or not may_stand_in(self.admitted, self.incoming):
                raise
            panel.degraded = error.message
            self._take(panel, panel.best(), reason=error.kind.value)

    def _take(self, panel: Fanout, leg: Leg, reason: str | None = None) -> None:
        """A draft as the answer. `reason`: why it stands in for the fuser."""
        assert leg.draft is not None and leg.attempt is not None, "a draft was drafted"
        served, instead = leg.admitted.model, None
        if reason is not None:
            before = self.admitted.fallback
            asked = self.admitted.model if before is None else before.asked
            chain = dict.fromkeys([asked.id, *(trial.model for trial in self.trials)])
            instead = Fallback(asked=asked, reason=reason, chain=(*chain, served.id))
        self.admitted = replace(self.admitted, model=served, fallback=instead)
        stream, now = self.admitted.envelope.stream, self.parts.clock.monotonic()
        events, target = panel.answer(leg), leg.attempt.target
        self.attempt = Replay(panel.writer, leg.draft.tally, events, target, now, stream=stream)

    async def _tell(self, event: dict[str, Any]) -> None:
        """How far the panel is, where the client asked to be told."""
        panel = self.panel
        if panel is None or self.keeper is None or self.exchange.gone:
            return
        manner = panel.panel.terms.progress
        if manner == "off":
            return
        await self._begin()
        said = encode(event)
        self.spoken = panel.writer
        out = in_event(panel.writer.keep_alive(), said) if manner == "chunk" else b": flux " + said + b"\n\n"
        self.keeper.spoke = self.parts.clock.monotonic()
        self.exchange.push(out)

    def _account(self, *, cut: bool) -> Account:
        """Of the answer as far as it is known, and of the panel behind it."""
        attempt, panel = self._leg(), self.panel
        if panel is None:
            return account(attempt.lane.tally, self.admitted, cut=cut)
        own = None
        if not isinstance(attempt, Replay):
            own = capped(account(attempt.lane.tally, self.admitted, cut=cut), self.admitted, panel.panel.fuser)
        seats = [(leg.admitted, leg.found) for leg in panel.seats if leg.found is not None]
        return total(seats, own, self.admitted)

    def _panel_header(self, *, answered: bool) -> Headers:
        panel = self.panel
        if panel is None:
            return []
        name = self.snapshot.names[self.admitted.storefront.id].flux
        return [(name, header_value(header(panel, self.admitted, answered=answered)))]

    def _flux_field(self, panel: Fanout, found: Account) -> bytes:
        now = self.parts.clock.monotonic()
        return field(panel, found, self.admitted, self._leg().seconds(), now, self.trials)

    async def _plain(self) -> Outcome:
        attempt, admitted = self._leg(), self.admitted
        self.waiting = None  # the answer is here: from now on nothing is interrupted
        attempt.close(good=True)
        found = self._account(cut=False)
        body = attempt.lane.last(found.usage, cost_of(found, admitted))  # nobody pays for what cannot be written
        if self.panel is not None:
            body = in_body(body, self._flux_field(self.panel, found))
        await self._store(body)
        outcome = await self._settle(Ending.DONE, found, status=200)
        headers = plain(
            admitted, self.snapshot, self._dropped(), outcome.charge, outcome.credits, self.request_id.encode()
        )
        headers += self._rates() + self._panel_header(answered=True)
        await self.exchange.reply(200, headers, body)
        return outcome

    async def _stream(self) -> Outcome:
        attempt, admitted = self._leg(), self.admitted
        waiting, self.waiting = self.waiting, None
        if self.panel is not None:
            self._checkpoint()  # whatever happens from here on, the drafts are paid
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
        found = self._account(cut=False)
        last = attempt.lane.last(found.usage, cost_of(found, admitted))
        if self.panel is not None:
            last = in_last(admitted.dialect.name, last, self._flux_field(self.panel, found), self.panel.wanted)
        if self.admitted.fallback is not self.headed:  # the head was too early to know
            last = late_fallback(self.admitted) + last
        last = self.held + last  # the settlement is the mark it waits for
        await self._store(last)
        outcome = await self._settle(Ending.DONE, found, status=200)
        await self.exchange.finish(last)
        return outcome

    async def _store(self, last: bytes) -> None:
        """Before the client has it all: whoever has it may come back to it."""
        store, recalled = self.parts.responses, self.recalled
        if store is not None and recalled is not None and recalled.input is not None:
            await keep(store, self.admitted.caller.key_id, recalled.input, last)

    async def _pump(self, attempt: Attempt | Replay) -> None:
        """Hand the answer on as it arrives: the upstream's reader pushes it through, this task only waits."""
        lane, exchange, keeper = attempt.lane, self.exchange, self.keeper
        tally, feed, push, monotonic = lane.tally, lane.feed, exchange.push, self.parts.clock.monotonic
        assert keeper is not None, "a stream has one until it is settled"
        marks = Marks(self.parts, tally, self._checkpoint)
        until = attempt.began + attempt.target.live.provider.total_timeout
        sent = 0

        def hand_on(data: bytes, ready: bytes | None = None) -> bool:
            """`ready`: what goes out, where it is known already."""
            nonlocal sent
            out = feed(data) if ready is None else ready
            keeper.spoke = now = monotonic()
            seen = tally.output_bytes
            if (seen >= marks.next or now >= marks.due) and not marks.reached(now):
                self.held, self.held_size = out, seen - sent
                return False
            sent = seen
            going = push(out) if out else True
            return going and tally.fault is None and not tally.done

        going = hand_on(b"", attempt.pending)
        await asyncio.sleep(0)  # the first words go out before more of them are read
        while tally.fault is None and not tally.done:
            if self.held:
                if not await marks.caught_up(until):
                    self._drop_held()
                    raise GatewayError(Kind.UPSTREAM_TIMEOUT, _UNWRITTEN)  # not the upstream's fault
                sent = tally.output_bytes
                out, self.held, self.held_size = self.held, b"", 0
                going = push(out)
            if not going:
                await exchange.drained()
            if not await attempt.stream(hand_on):
                hand_on(b"", lane.end())
                return
            going = False

    def _drop_held(self) -> None:
        """It will not go out, so nobody pays for it."""
        self._leg().lane.tally.output_bytes -= self.held_size
        self.held, self.held_size = b"", 0

    def _checkpoint(self, told: Told | None = None, *, hurry: bool = False) -> None:
        found = self._account(cut=True)
        credits = credits_of(self.admitted, found) if found.credits is None else found.credits
        mark = Checkpoint(request_id=self.number, amount=found.charge, usage=found.usage, credits=credits)
        self.parts.ledger.checkpoint(mark, told, hurry=hurry)

    async def _cut(self, reason: str, *, timeout: bool = False) -> Outcome:
        """The answer breaks off after content was delivered: what was delivered is paid, and the client is told."""
        self.waiting = None
        attempt = self._leg()
        attempt.close()
        found = self._account(cut=True)
        outcome = await self._settle(Ending.CUT, found, status=200, reason=reason)
        kind = Kind.UPSTREAM_TIMEOUT if timeout else Kind.UPSTREAM_FAILED
        error = GatewayError(kind, "the model's answer broke off: what you have is incomplete")
        await self.exchange.finish(self.held + attempt.lane.fail(error))  # what was held is paid by now
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
        self._drop_held()
        return some, self._account(cut=True)

    def _leg(self) -> Attempt | Replay:
        assert self.attempt is not None, "an attempt was primed before its answer is handled"
        return self.attempt


def _status(dialect: Dialect, error: GatewayError) -> int:
    return dialect.error(error, "openai")[0]
