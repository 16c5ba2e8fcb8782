"""The provider under torture: it speaks Chat Completions, and logs every token that it sent.

Law: nothing of the gateway is used here, so its log is a witness. The last message of a request says what to do:
`REQUEST.TRY TOKENS CHUNKS_PER_SECOND`. A token is four bytes, which is what the gateway takes for one where nobody
counts.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

WORD = "abc "
CHUNK = 16  # tokens


@dataclass
class Served:
    """One call, as it was answered."""

    tokens: int  # sent so far
    whole: bool = False
    prompt: int = 0


class Upstream:
    def __init__(self) -> None:
        self.port = 0
        self.served: dict[str, list[Served]] = {}  # by REQUEST.TRY
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        name, tokens, pace = body["messages"][-1]["content"].split()
        call = Served(0, prompt=8)
        self.served.setdefault(name, []).append(call)
        base = {"id": f"chatcmpl-{name}", "created": 1, "model": "upstream-model"}
        if body.get("stream"):
            return await self._stream(request, base, call, int(tokens), float(pace))
        call.tokens, call.whole = int(tokens), True
        message = {"role": "assistant", "content": WORD * int(tokens)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return web.json_response(
            {**base, "object": "chat.completion", "choices": [choice], "usage": _usage(call.prompt, int(tokens))}
        )

    async def _stream(
        self, request: web.Request, base: dict[str, Any], call: Served, tokens: int, pace: float
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)

        async def say(choices: list[Any], **more: Any) -> None:
            event = {**base, "object": "chat.completion.chunk", "choices": choices, **more}
            await response.write(f"data: {json.dumps(event)}\n\n".encode())

        with contextlib.suppress(ConnectionError):  # the gateway was killed
            await self._say_all(say, call, tokens, pace)
            await response.write(b"data: [DONE]\n\n")
        return response

    async def _say_all(self, say: Callable[..., Awaitable[None]], call: Served, tokens: int, pace: float) -> None:
        while call.tokens < tokens:
            size = min(CHUNK, tokens - call.tokens)
            call.tokens += size  # before it goes: what might have been sent counts as sent
            await say([{"index": 0, "delta": {"content": WORD * size}, "finish_reason": None}])
            await asyncio.sleep(1 / pace)
        await say([{"index": 0, "delta": {}, "finish_reason": "stop"}])
        await say([], usage=_usage(call.prompt, tokens))
        call.whole = True


def _usage(prompt: int, tokens: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": tokens, "total_tokens": prompt + tokens}
