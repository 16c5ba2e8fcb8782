"""Upstreams of the tests' own, in a loop and thread of their own: simulators, and one that tells who it is.

Law: what they received and which connections they hold is read from their side, never from the gateway's.
"""

import asyncio
import json
import threading
from collections.abc import Coroutine
from typing import Any, ClassVar, TypeVar

from aiohttp import web

from conflux.sim.script import Rule, Script
from conflux.sim.server import SimServer

T = TypeVar("T")

# Words that must not reach a client. The canary says them wherever an upstream can say something.
CANARIES = ("canaryprovider", "canarymodel", "canaryhost", "canaryorg", "canaryid", "canarycost", "canarysecret")


class Background:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


class Upstreams:
    def __init__(self) -> None:
        self.background = Background()
        self.sim = SimServer(Script([Rule(model="bad-*", do="[[fail: 503]]")]))
        self.background.run(self.sim.start())
        self.canary = Canary()
        self.background.run(self.canary.start())

    @property
    def received(self) -> int:
        """Requests that any of them has seen."""
        return self.sim.log.received + self.canary.received

    def close(self) -> None:
        """Twice is once."""
        if self.background.loop.is_closed():
            return
        self.background.run(self.sim.stop())
        self.background.run(self.canary.stop())
        self.background.close()


class Canary:
    """Says its name in every place: headers, ids, models, fingerprints, notes, error texts."""

    HEADERS: ClassVar[dict[str, str]] = {
        "server": "canaryhost",
        "x-request-id": "canaryid-header",
        "openai-organization": "canaryorg",
        "openai-processing-ms": "17",
        "x-ratelimit-limit-requests": "canaryorg",
        "set-cookie": "session=canarysecret",
        "via": "1.1 canaryhost",
        "x-served-by": "canaryprovider",
        "x-canarymodel": "canarymodel-7b",
    }

    def __init__(self) -> None:
        self.port = 0
        self.received = 0
        self.heard: list[tuple[dict[str, str], Any]] = []  # headers and body of each request
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.received += 1
        body = await request.json()
        self.heard.append((dict(request.headers), body))
        text = body["messages"][-1]["content"]
        if text.startswith("status "):
            return self._error(int(text.split()[1]))
        if body.get("stream"):
            return await self._stream(request, broken="break" in text)
        return web.json_response({**self._base("chat.completion"), "choices": [self._choice("message")],
                                  "usage": self._usage()}, headers=self.HEADERS)  # fmt: skip

    def _error(self, status: int) -> web.Response:
        words = "canaryprovider: model canarymodel-7b at https://canaryhost/v1 refused key canarysecret of canaryorg"
        error = {"message": words, "type": "canaryprovider_error", "code": "canarymodel", "param": "canaryid"}
        return web.json_response({"error": error}, status=status, headers={**self.HEADERS, "retry-after": "1"})

    async def _stream(self, request: web.Request, *, broken: bool) -> web.StreamResponse:
        response = web.StreamResponse(headers={**self.HEADERS, "content-type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": CANARYPROVIDER PROCESSING canaryhost\n\n")
        chunk = {**self._base("chat.completion.chunk"), "choices": [self._choice("delta")]}
        await response.write(b"event: canaryprovider\nid: canaryid-7\ndata: " + json.dumps(chunk).encode() + b"\n\n")
        if broken:
            error = {"error": {"message": "canaryprovider broke at canaryhost", "code": "canarymodel"}}
            await response.write(b"data: " + json.dumps(error).encode() + b"\n\n")
            return response
        end = {**self._base("chat.completion.chunk"), "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        await response.write(b"data: " + json.dumps(end).encode() + b"\n\n")
        usage = {**self._base("chat.completion.chunk"), "choices": [], "usage": self._usage()}
        await response.write(b"data: " + json.dumps(usage).encode() + b"\n\n: canaryhost bye\n\ndata: [DONE]\n\n")
        return response

    def _base(self, kind: str) -> dict[str, Any]:
        return {
            "id": "canaryid-chatcmpl",
            "object": kind,
            "created": 1700000000,
            "model": "canarymodel-7b",
            "provider": "CanaryProvider",
            "system_fingerprint": "fp_canaryhost",
            "service_tier": "canaryorg",
            "x_groq": {"id": "canaryid"},
        }

    def _choice(self, field: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": "hello"}
        return {"index": 0, field: message, "finish_reason": "stop" if field == "message" else None,
                "native_finish_reason": "canaryprovider_end"}  # fmt: skip

    def _usage(self) -> dict[str, Any]:
        return {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "cost": 0.5,
                "cost_details": {"upstream_inference_cost": "canarycost"}, "is_byok": False}  # fmt: skip
