"""The course of one request: admitted, held, settled or refused, whatever way its answer is made.

Law: admit, reserve, settle: in this order, each once. Nothing is sent before the hold is committed; nothing ends before
the settlement is; no cancellation reaches a settlement. How the answer is made, between the hold and the settlement, is
its subclass's: `_reserved`.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from conflux.billing.tags import tags_of
from conflux.dialects import DIALECTS
from conflux.dialects.base import AnswerWriter, Dialect, Lane
from conflux.dialects.openai_responses_wire import NAME as RESPONSES
from conflux.neutral.errors import GatewayError, IdTaken, Kind, StoreError
from conflux.neutral.fields import Refused, called, worded
from conflux.neutral.ledger import ID_CHANCES, Ending, Reservation, Settlement, new_request_id, request_id_text
from conflux.neutral.ports import Headers
from conflux.neutral.records import Storefront
from conflux.neutral.usage import Provenance
from conflux.policy.rates import Ticket
from conflux.relay.account import NO_ACCOUNT, Account, most_credits, quota_of, settlement
from conflux.relay.admit import let_in, tightened
from conflux.relay.admitted import Admitted, Fallback, expected_tokens
from conflux.relay.attempt import Attempt, Trial
from conflux.relay.flux import Fanout
from conflux.relay.flux_lanes import Replay
from conflux.relay.flux_view import calls
from conflux.relay.headers import JSON, identified
from conflux.relay.identify import identify, root_storefront
from conflux.relay.keep_alive import KeepAlive
from conflux.relay.observe import observe
from conflux.relay.parts import Exchange, Incoming, Outcome, Parts
from conflux.relay.stored import Recalled, recall

# A hold by bytes is refused where one by tokens may not be.
_SPENT = frozenset({Kind.PAYMENT_REQUIRED, Kind.RATE_LIMITED})
_DRAWS = 4  # ids for one request; a taken one is as rare as they come


class Course:
    """One request on its way. Its fields are what is true so far."""

    # As it begins. Defaults of the class: most requests change few of them.
    storefront: Storefront | None = None  # None until the key says which
    recalled: Recalled | None = None  # where responses are kept
    admitted: Admitted
    attempt: Attempt | Replay | None = None
    trials: Sequence[Trial] = ()
    begun = False  # the head of a stream went out
    headed: Fallback | None = None  # what it said
    spoken: Lane | AnswerWriter | None = None  # whose words, if any
    delivering = False
    left = False  # the client left, and the waiting was interrupted for it
    settling = False
    ended: Outcome | None = None
    waiting: asyncio.Task[None] | None = None
    keeper: KeepAlive | None = None
    ticket: Ticket | None = None  # of a caller with rate limits
    panel: Fanout | None = None  # of a request that several answer

    def __init__(self, parts: Parts, incoming: Incoming, exchange: Exchange, chance: int) -> None:
        self.parts = parts
        self.incoming = incoming
        self.exchange = exchange
        self.snapshot = parts.snapshot()
        self.began = parts.clock.monotonic()
        now = parts.clock.time()
        self.created_ms = int(now * 1000)
        if incoming.mount is not None:
            self.storefront = incoming.mount
        self._draw(now, chance)

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
            await self._reserve()
            outcome = await self._reserved()
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
        if self.parts.responses is not None and incoming.dialect == RESPONSES:
            self.recalled = await recall(self.parts.responses, caller.key_id, incoming)
            self.incoming = incoming = self.recalled.incoming
        self.admitted = await let_in(self.parts, self.snapshot, caller, self.storefront, dialect, incoming, self.number)
        if caller.limited:
            expected = expected_tokens(self.parts, self.admitted)
            self.ticket = self.parts.rates.take(caller.policies, expected, self._milliseconds())

    async def _reserve(self) -> None:
        """Where the server stops meanwhile nothing stays held: the id may even be another's by then, so it is not asked
        for any more."""
        for _ in range(_DRAWS):
            try:
                await self.parts.ledger.reserve(self._order())
            except asyncio.CancelledError:
                carry_on()
                text = "the gateway is restarting: try again"
                raise GatewayError(Kind.UNAVAILABLE, text, retry_after=2) from None
            except GatewayError as refused:
                tighter = await tightened(self.parts, self.admitted) if refused.kind in _SPENT else None
                if tighter is None:
                    raise
                self.admitted = tighter
            except IdTaken:  # by another process, which counts from elsewhere: nobody has heard of ours yet
                self._draw(self.parts.clock.time(), self.parts.below(ID_CHANCES))
            else:
                return
        raise StoreError("every id drawn was taken")

    def _order(self) -> Reservation:
        admitted = self.admitted
        caller = admitted.caller
        credits, floor = (0, 0) if admitted.storefront.billing == "usd" else most_credits(admitted)
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
            tags=tags_of(admitted.envelope.body),
            credits=credits,
            credit_floor=floor,
            quota=quota_of(admitted) if admitted.plan is not None else None,
        )

    async def _reserved(self) -> Outcome:
        """From the hold to the settlement. However this ends, it ends settled."""
        raise NotImplementedError

    async def _stopped(self) -> Outcome:
        """The server stops before the answer is whole: what was delivered is settled, and the client is told."""
        raise NotImplementedError

    async def _settle(self, ending: Ending, found: Account, *, status: int, reason: str | None = None) -> Outcome:
        parts, admitted, attempt = self.parts, self.admitted, self.attempt
        now = parts.clock.monotonic()
        seconds = now - self.began
        first_byte = attempt.first_byte - self.began if attempt is not None and attempt.first_byte else None
        self.settling = True
        if not isinstance(attempt, Replay):
            own = found if found.own is None else found.own
            observe(parts, admitted, attempt, self.trials, ending, own.usage, status)
        if self.keeper is not None:
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
            drafted=None if self.panel is None else calls(self.panel, now, paid=found is not NO_ACCOUNT),
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
        if found.provenance is Provenance.PROVIDER and self.panel is None:
            parts.sizes.learn(admitted.caller, admitted.model, admitted.envelope, admitted.counted, found.usage,
                              parts.clock.monotonic())  # fmt: skip
        if self.ticket is not None:
            self.ticket.close(found.usage.total)  # before the last byte: whoever has it all may ask again
        return outcome

    async def _committed(self, end: Settlement) -> int:
        """No cancellation reaches a settlement: it is asked for once more, which changes nothing where it was done."""
        while True:
            try:
                return await self.parts.ledger.settle(end)
            except asyncio.CancelledError:
                if not carry_on():
                    raise StoreError("the ledger went away") from None

    async def _hush(self) -> None:
        keeper, self.keeper = self.keeper, None
        if keeper is not None:
            await keeper.stop()

    def _dropped(self) -> tuple[str, ...]:
        """What was left out of the request, and so far of the answer."""
        admitted, attempt = self.admitted, self.attempt
        asked = admitted.dropped if attempt is None else admitted.dropped + attempt.dropped
        own = called(asked, admitted.dialect.words, admitted.envelope.body) if asked else asked
        lost = attempt.lane.tally.lost if attempt is not None else None
        return own + tuple(sorted(lost)) if lost else own

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
        storefront = self.storefront or root_storefront(self.snapshot)
        if isinstance(error, Refused):
            error = worded(error, dialect.words, _read(self.incoming.body))
        status, body = dialect.error(error, storefront.error_style)
        headers = [JSON, *identified(self.request_id.encode(), dialect), *error.told(), *self._rates()]
        await self.exchange.reply(status, headers, body)


def _read(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # pragma: no cover - it was read before
        return None


def carry_on() -> bool:
    """Takes back a cancellation of this task; False where it was something else that was cancelled."""
    task = asyncio.current_task()
    if task is None or not task.cancelling():
        return False
    task.uncancel()
    return True
