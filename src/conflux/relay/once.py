"""A request that its client has named by an Idempotency-Key: done once, however often it is asked for.

Law: the name is looked up after the key and before anything else; it is taken with the hold, and its answer is kept
with the settlement. Only a whole answer is kept; what was refused, failed or broke off frees the name. A client that
leaves does not end such a request: it will come back for the answer.
"""

from hashlib import sha256

import msgspec
from msgspec.structs import replace

from conflux.dialects.base import Dialect
from conflux.neutral.errors import GatewayError, Kind, invalid, mismatch, under_way
from conflux.neutral.ledger import Ending, Kept, Once, Reservation, Settlement, request_id_text
from conflux.neutral.money import credits_text, usd
from conflux.neutral.ports import AnswerStore, Headers, KeptAnswer
from conflux.neutral.records import Caller, Storefront
from conflux.relay.headers import plain
from conflux.relay.identify import identify
from conflux.relay.parts import Exchange, Incoming, Parts
from conflux.relay.passage import Passage

REPLAYED = (b"idempotent-replayed", b"true")
DEFAULT_WORKSPACE = 1  # of keys that belong to none: they share nothing

_HEADER = "idempotency-key"
_MOST = 255


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What its client got."""

    streamed: bool
    headers: list[tuple[bytes, bytes]]
    body: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Answer).decode


class _Again(Exception):
    """It was answered before."""

    def __init__(self, found: KeptAnswer) -> None:
        super().__init__("answered before")
        self.found = found


def once_of(incoming: Incoming, caller: Caller, storefront: Storefront, now: float, seconds: int) -> Once:
    """Raises GatewayError for a key that cannot be one."""
    said = incoming.once or b""
    if not 0 < len(said) <= _MOST or not said.isascii() or not said.decode().isprintable():
        text = f"Idempotency-Key: 1 to {_MOST} printable ASCII characters are wanted"
        raise invalid(text, _HEADER)
    shared = caller.workspace_id != DEFAULT_WORKSPACE
    owner = ("workspace", caller.workspace_id) if shared else ("key", caller.key_id)
    place = incoming.place
    where = (incoming.dialect, place.model, place.stream, sorted(place.needs))
    return Once(
        name=sha256(_encode((*owner, storefront.id, caller.test, said))).digest(),
        body=sha256(_encode(where) + incoming.body).digest(),
        expires=int(now) + seconds,
    )


class Recorder:
    """Implements Exchange before another: remembers a stream, and knows nothing of its client's leaving."""

    __slots__ = ("_most", "_said", "headers", "inner", "too_large")

    def __init__(self, inner: Exchange, most: int) -> None:
        self.inner = inner
        self.headers: Headers = []
        self.too_large = False
        self._said = bytearray()
        self._most = most

    @property
    def gone(self) -> bool:
        return False

    @property
    def said(self) -> bytes:
        return bytes(self._said)

    def on_gone(self, call: object) -> None:
        """Never."""

    def serving(self, storefront: Storefront) -> None:
        self.inner.serving(storefront)

    async def reply(self, status: int, headers: Headers, body: bytes) -> None:
        await self.inner.reply(status, headers, body)

    async def begin(self, status: int, headers: Headers) -> None:
        self.headers = headers
        await self.inner.begin(status, headers)

    def push(self, data: bytes) -> bool:
        if len(self._said) + len(data) > self._most:
            self.too_large = True
            self._said.clear()
        if not self.too_large:
            self._said += data
        return self.inner.push(data)

    async def drained(self) -> None:
        await self.inner.drained()

    async def finish(self, data: bytes) -> None:
        await self.inner.finish(data)


class OncePassage(Passage):
    """As its parent, and kept."""

    def __init__(self, parts: Parts, store: AnswerStore, incoming: Incoming, exchange: Exchange, chance: int) -> None:
        self._store_of = store
        self._recorder = Recorder(exchange, store.most_bytes)
        self._once: Once
        self._last = b""
        super().__init__(parts, incoming, self._recorder, chance)

    async def run(self) -> None:
        try:
            await super().run()
        except _Again as again:
            await self._repeat(again.found)

    async def _admit(self, dialect: Dialect) -> None:
        incoming, store = self.incoming, self._store_of
        if incoming.mount is not None:
            self.exchange.serving(incoming.mount)
        caller, self.storefront = await identify(self.parts, self.snapshot, incoming.secret, incoming.mount)
        self.exchange.serving(self.storefront)
        self._once = once_of(incoming, caller, self.storefront, self.parts.clock.time(), store.seconds)
        found = await store.find(self._once.name)
        if found is not None:
            if found.body != self._once.body:
                raise mismatch()
            if found.sealed is None:
                raise under_way()
            if not found.sealed:
                raise _too_large(found)
            raise _Again(found)
        await super()._admit(dialect)

    def _order(self) -> Reservation:
        return replace(super()._order(), once=self._once)

    async def _store(self, last: bytes) -> None:
        await super()._store(last)
        self._last = last

    async def _committed(self, end: Settlement) -> int:
        sealed = self._sealed(end) if end.ending is Ending.DONE else None
        return await super()._committed(replace(end, kept=Kept(name=self._once.name, sealed=sealed)))

    def _sealed(self, end: Settlement) -> bytes:
        """The answer as it will have gone out; empty where it is too large."""
        store, admitted, recorder = self._store_of, self.admitted, self._recorder
        streamed = admitted.envelope.stream
        body = recorder.said + self._last
        if recorder.too_large or len(body) > store.most_bytes:
            return b""
        headers = recorder.headers
        if not streamed:
            request_id = self.request_id.encode()
            headers = plain(admitted, self.snapshot, self._dropped(), end.charge, end.credits, request_id)
            headers += self._panel_header(answered=True)
        moment = {name for name, _ in self._rates()}  # how it stood then is not how it stands when it is told again
        kept = [one for one in headers if one[0] not in moment]
        return store.seal(self._once.name, _encode(Answer(streamed, kept, body)))

    async def _repeat(self, found: KeptAnswer) -> None:
        """The same answer. What it cost is its receipt's word."""
        assert found.sealed is not None and self.storefront is not None, "it was answered"
        answer = _decode(self._store_of.open(self._once.name, found.sealed))
        names = self.snapshot.names[self.storefront.id]
        paid = {names.cost_usd: usd(found.cost).encode(), names.credits: credits_text(found.credits).encode()}
        headers = [(name, paid.get(name, value)) for name, value in answer.headers]
        headers.append(REPLAYED)
        exchange = self._recorder.inner
        if not answer.streamed:
            await exchange.reply(200, headers, answer.body)
            return
        await exchange.begin(200, headers)
        await exchange.finish(answer.body)


def _too_large(found: KeptAnswer) -> GatewayError:
    text = (
        "this Idempotency-Key was answered, and the answer was too large to be kept: its receipt is "
        f"{request_id_text(found.request_id)}; use another key to ask again"
    )
    return GatewayError(Kind.CONFLICT, text, code="idempotency_answer_not_kept")
