"""The way from the public door to the admin API.

Law: the framework is loaded with the first request for it, so a gateway that nobody administers by HTTP is as light as
before. A body has a limit; what breaks is told to the client as one line and to the owner with its trace.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from typing import Any

from conflux.dialects.openai_errors import body as openai_error
from conflux.neutral.errors import GatewayError, Kind

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

BELOW = "/admin/"
_BODY_MOST = 8 * 1024 * 1024
_BODY_SECONDS = 30.0


class AdminDoor:
    """`desk`: what the API works with, made when it is first needed."""

    def __init__(self, desk: Callable[[], Any], report: Callable[[Exception, str], None]) -> None:
        self._desk = desk
        self._report = report
        self._app: Any = None
        self._building = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send, request_id: bytes) -> None:
        began = False

        async def told(message: Any) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                message = {**message, "headers": [*message["headers"], (b"x-request-id", request_id)]}
            await send(message)

        try:
            if "\0" in scope["path"] or b"%00" in scope.get("query_string", b""):
                raise GatewayError(Kind.NOT_FOUND, "there is nothing at this path")
            app = await self._built()
            await app({**scope}, _limited(receive), told)
        except GatewayError as error:
            if not began:
                await _refuse(error, told)
        except Exception as error:  # noqa: BLE001 edge: nobody above can answer the client
            self._report(error, scope["path"])
            if not began:
                await _refuse(GatewayError(Kind.INTERNAL, "the gateway failed on this request; it was noted"), told)

    async def _built(self) -> Any:
        if self._app is None:
            async with self._building:
                if self._app is None:
                    # Half a second of imports: not while others wait.
                    module = await asyncio.to_thread(importlib.import_module, "conflux.faces.admin.app")
                    self._app = await asyncio.to_thread(module.build, self._desk())
        return self._app


def _limited(receive: Receive) -> Receive:
    size = 0

    async def limited() -> Any:
        nonlocal size
        try:
            message = await asyncio.wait_for(receive(), _BODY_SECONDS)
        except TimeoutError:
            raise GatewayError(Kind.REQUEST_TIMEOUT, "the request took too long to arrive") from None
        size += len(message.get("body", b""))
        if size > _BODY_MOST:
            raise GatewayError(Kind.TOO_LARGE, f"the body is over the limit of {_BODY_MOST} bytes")
        return message

    return limited


async def _refuse(error: GatewayError, send: Send) -> None:
    status, content = openai_error(error, "openai")
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
