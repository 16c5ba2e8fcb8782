"""The simulator as an ASGI application: paths, pacing, and every way to misbehave.

Law: a fault strikes where its plan says and looks on the wire like the real one: a reset aborts the connection, a stall
sends nothing, a broken stream breaks in the middle. What was delivered before is in the log.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from conflux.sim import openai_chat
from conflux.sim.log import Record, SimLog
from conflux.sim.plan import Plan, seed_of
from conflux.sim.script import Script

Send = Callable[[Any], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]

ABORT = "conflux.sim.abort"  # in the scope: closes the connection hard
_STALL_SECONDS = 3600.0
_JSON = (b"content-type", b"application/json")
_LABEL = (b"x-conflux-simulated", b"true")
_MODELS = ("simulated-model",)


class SimApp:
    def __init__(self, script: Script | None = None, log: SimLog | None = None, pace: float = 0.0) -> None:
        self.script = script or Script()
        self.log = log or SimLog()
        self.pace = pace  # tokens per second where a plan says none; 0: as fast as they go

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        path, method = scope["path"], scope["method"]
        if path.endswith("/chat/completions") and method == "POST":
            await self._chat(scope, receive, send)
        elif path.endswith("/models") and method == "GET":
            rows = [{"id": name, "object": "model", "created": 0, "owned_by": "simulator"} for name in _MODELS]
            await _reply(send, 200, msgspec.json.encode({"object": "list", "data": rows}))
        elif path == "/_sim/log" and method == "GET":
            await _reply(send, 200, self.log.lines())
        elif path == "/_sim/log" and method == "DELETE":
            self.log.clear()
            await _reply(send, 200, b"{}")
        else:
            await _reply(send, 404, openai_chat.error_body(404, f"the simulator has nothing at {path}"))

    async def _chat(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        raw = await _body(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            chat = openai_chat.read(raw)
        except openai_chat.BadRequest as error:
            await _reply(send, 400, openai_chat.error_body(400, str(error)))
            return
        plan = openai_chat.plan_for(chat, self.script, headers)
        record = Record(headers.get("x-request-id", ""), scope["path"], chat.model, chat.stream,
                        f"{seed_of(raw):016x}", headers, chat.prompt_tokens)  # fmt: skip
        self.log.began(record)
        try:
            if plan.first_ms:
                await asyncio.sleep(plan.first_ms / 1000)
            rendering = openai_chat.Rendering(chat, plan)
            if await self._before(scope, plan, send):
                self.log.ended(record, plan.fault or "fault")
            elif chat.stream:
                await self._stream(scope, rendering, plan, record, receive, send)
            else:
                await self._whole(scope, rendering, plan, record, send)
        finally:
            self.log.ended(record, "client left")

    async def _before(self, scope: dict[str, Any], plan: Plan, send: Send) -> bool:
        """Faults that strike before any answer."""
        fault = plan.fault
        if fault is None:
            return False
        if fault.isdigit():
            extra = [(b"retry-after", str(plan.retry_after).encode())] if plan.retry_after is not None else []
            body = openai_chat.error_body(int(fault), f"simulated failure {fault}")
            await _reply(send, int(fault), body, extra)
        elif fault == "reset-before":
            scope[ABORT]()
        elif fault == "stall-before":
            await asyncio.sleep(_STALL_SECONDS)
        elif fault == "html":
            await _reply(send, 200, b"<html><body>502 Bad Gateway</body></html>", [(b"content-type", b"text/html")])
        elif fault == "empty":
            await _reply(send, 200, b"")
        else:
            return False
        return True

    async def _whole(
        self, scope: dict[str, Any], rendering: openai_chat.Rendering, plan: Plan, record: Record, send: Send
    ) -> None:
        body = rendering.whole()
        match plan.fault:
            case "truncated-json" | "malformed-sse":
                body = body[: len(body) // 2]
            case "bad-utf8":
                body = body.replace(b'"content":"', b'"content":"\xff\xfe', 1)
            case "error-event":
                body = openai_chat.error_body(500, "simulated error inside an answer")
            case "reset-after-head" | "reset-mid" | "close-mid":
                head = [_JSON, _LABEL, (b"content-length", str(len(body)).encode())]
                await send({"type": "http.response.start", "status": 200, "headers": head})
                await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
                await asyncio.sleep(0.01)
                scope[ABORT]()
                self.log.ended(record, plan.fault)
                return
            case "stall-mid":
                head = [_JSON, _LABEL, (b"content-length", str(len(body)).encode())]
                await send({"type": "http.response.start", "status": 200, "headers": head})
                await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
                await asyncio.sleep(_STALL_SECONDS)
            case _:
                pass
        rate = plan.rate or self.pace
        if rate:
            await asyncio.sleep(rendering.completion / rate)
        record.tokens, record.bytes = rendering.completion, len(body)
        await _reply(send, 200, body)
        self.log.ended(record, plan.fault or "done")

    async def _stream(
        self,
        scope: dict[str, Any],
        rendering: openai_chat.Rendering,
        plan: Plan,
        record: Record,
        receive: Receive,
        send: Send,
    ) -> None:
        head = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache"), _LABEL]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        left = asyncio.ensure_future(receive())  # completes only when the client leaves
        rate = plan.rate or self.pace
        place = 0
        try:
            began = asyncio.get_running_loop().time()
            for place, (event, tokens) in enumerate(rendering.chunks()):
                if plan.fault is not None and place == plan.fault_at and await self._strike(scope, plan, send):
                    self.log.ended(record, plan.fault)
                    return
                if rate and tokens:
                    due = began + (record.tokens + tokens) / rate
                    await asyncio.sleep(max(due - asyncio.get_running_loop().time(), 0))
                if left.done():
                    return
                await send({"type": "http.response.body", "body": event, "more_body": True})
                record.tokens += tokens
                record.bytes += len(event)
                if not rate and place % 64 == 63:
                    await asyncio.sleep(0)  # a long stream leaves others their turn
            await send({"type": "http.response.body", "body": b""})
            self.log.ended(record, "done")
        finally:
            left.cancel()

    async def _strike(self, scope: dict[str, Any], plan: Plan, send: Send) -> bool:
        """A fault in the middle of a stream. True: the stream is over."""

        async def write(data: bytes, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": more})

        match plan.fault:
            case "reset-mid" | "reset-after-head":
                await asyncio.sleep(0.01)  # what was sent so far leaves first
                scope[ABORT]()
            case "close-mid":
                await write(b"", more=False)
            case "stall-mid":
                await asyncio.sleep(_STALL_SECONDS)
            case "malformed-sse":
                await write(b"data: {not json\n\n")
                await write(b"", more=False)
            case "truncated-json":
                await write(b'data: {"id":"x","choices":[{"index":0,"del')
                await write(b"", more=False)
            case "bad-utf8":
                await write(b'data: {"choices":[{"index":0,"delta":{"content":"\xff\xfe"}}]}\n\n')
                await write(b"", more=False)
            case "error-event":
                await write(b"data: " + openai_chat.error_body(500, "simulated error inside a stream") + b"\n\n")
                await write(b"", more=False)
            case "endless":
                while not scope["conflux.sim.lost"]():
                    await write(b"data: " + b"x" * 65536)
                    await asyncio.sleep(0)
            case _:
                return False
        return True


async def _reply(send: Send, status: int, body: bytes, extra: list[tuple[bytes, bytes]] | None = None) -> None:
    headers = [*(extra or []), _LABEL, (b"content-length", str(len(body)).encode())]
    if not any(name == b"content-type" for name, _ in headers):
        headers.append(_JSON)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
