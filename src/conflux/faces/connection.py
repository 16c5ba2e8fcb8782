"""One client connection: uvicorn's, with ears for the hang-up.

Law: ASGI tells an application that its client left only if a task waits on receive(); that task would cost every
request. Here the connection itself calls whoever asked to know. Nothing else of uvicorn's protocol is changed.
"""

from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SCOPE_KEY = "conflux.connection"


class Connection(HttpToolsProtocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lost = False
        self._watchers: dict[int, Callable[[], None]] = {}

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast(dict[str, Any], self.scope)[SCOPE_KEY] = self

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.lost = True
        watchers, self._watchers = self._watchers, {}
        for call in watchers.values():
            call()

    def watch(self, call: Callable[[], None]) -> int:
        """Calls once when the connection is lost. The number is for unwatch()."""
        number = id(call)
        self._watchers[number] = call
        return number

    def unwatch(self, number: int) -> None:
        self._watchers.pop(number, None)


def connection_of(scope: Any) -> Connection | None:
    """The connection behind a scope; None under another server, which then only cancels late."""
    found = scope.get(SCOPE_KEY)
    return found if isinstance(found, Connection) else None
