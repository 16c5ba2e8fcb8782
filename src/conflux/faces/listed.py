"""A stream as one JSON list, for clients that did not ask for server-sent events.

Law: each event becomes one item, as soon as it comes; what ends the stream ends the list, so it is valid JSON however
it ends, unless the connection breaks. Nothing is decoded: an event's data is one line of JSON.
"""

from collections.abc import Callable

from conflux.neutral.ports import Headers
from conflux.neutral.records import Storefront
from conflux.relay.headers import JSON
from conflux.relay.parts import Exchange

_START, _BETWEEN, _END = b"[", b"\n,\r\n", b"\n]"


class ListedExchange:
    """Implements relay's Exchange before another: events in, items out."""

    __slots__ = ("_inner", "_some")

    def __init__(self, inner: Exchange) -> None:
        self._inner = inner
        self._some = False

    @property
    def gone(self) -> bool:
        return self._inner.gone

    def on_gone(self, call: Callable[[], None]) -> None:
        self._inner.on_gone(call)

    def serving(self, storefront: Storefront) -> None:
        self._inner.serving(storefront)

    async def reply(self, status: int, headers: Headers, body: bytes) -> None:
        await self._inner.reply(status, headers, body)

    async def begin(self, status: int, headers: Headers) -> None:
        await self._inner.begin(status, [JSON if name == b"content-type" else (name, value) for name, value in headers])

    def push(self, data: bytes) -> bool:
        return self._inner.push(self._items(data))

    async def drained(self) -> None:
        await self._inner.drained()

    async def finish(self, data: bytes) -> None:
        items = self._items(data)
        await self._inner.finish(items + (_END if self._some else _START + _END))

    def _items(self, data: bytes) -> bytes:
        out: list[bytes] = []
        for event in data.split(b"\n\n"):
            if event and not event.startswith(b":"):  # a comment is no item
                out += (_BETWEEN if self._some else _START, event.removeprefix(b"data: "))
                self._some = True
        return b"".join(out)
