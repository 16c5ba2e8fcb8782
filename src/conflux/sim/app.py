"""The simulator as an ASGI application: which path speaks which dialect, and what it tells of itself.

Law: one line per dialect in a table; reading, deciding and delivering are elsewhere. Every answer is labelled.
"""

import time
from collections.abc import Callable
from typing import Any, cast

import msgspec

from conflux.sim import anthropic_messages, embeddings, gemini, openai_chat, openai_completions, openai_responses
from conflux.sim.answer import plan_for
from conflux.sim.ask import BadRequest
from conflux.sim.delivery import JSON, LABEL, Delivery
from conflux.sim.dialect import Dialect
from conflux.sim.line import ClientLeft, Line, Receive, Send
from conflux.sim.log import Record, SimLog
from conflux.sim.plan import seed_of
from conflux.sim.script import Script

_LINES = (b"content-type", b"application/x-ndjson")

# The end of a path -> who reads it.
DIALECTS: tuple[tuple[str, Dialect], ...] = (
    ("/chat/completions", cast(Dialect, openai_chat)),
    ("/completions", cast(Dialect, openai_completions)),
    ("/messages", cast(Dialect, anthropic_messages)),
    (":generateContent", cast(Dialect, gemini)),
    (":streamGenerateContent", cast(Dialect, gemini)),
    ("/responses", cast(Dialect, openai_responses)),
    ("/embeddings", cast(Dialect, embeddings)),
)


class SimApp:
    def __init__(
        self,
        script: Script | None = None,
        log: SimLog | None = None,
        pace: float = 0.0,
        *,
        clock: Callable[[], float] = time.time,
        seed: int = 0,
    ) -> None:
        self.script = script or Script()
        self.log = log or SimLog()
        self.pace = pace or self.script.pace  # tokens per second where a plan says none; 0: as fast as they go
        self._clock = clock
        self._seed = seed

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        line = Line(scope, receive, send)
        try:
            for ending, dialect in DIALECTS:
                if line.path.endswith(ending) and scope["method"] == "POST":
                    await self._generate(line, dialect)
                    return
            status, body, kind = self._told(line, scope["method"])
            await line.reply(status, body, [kind, LABEL])
        except ClientLeft:
            pass
        finally:
            line.close()

    async def _generate(self, line: Line, dialect: Dialect) -> None:
        raw = await line.body()
        quirks = self.script.quirks
        request_id, body_hash = line.headers.get("x-request-id", ""), f"{seed_of(raw):016x}"
        record = Record(request_id, line.path, "", False, body_hash, line.headers)
        try:
            target = f"{line.path}?{line.query}" if line.query else line.path
            ask = dialect.read(raw, target, self._seed, quirks)
        except BadRequest as error:
            self.log.began(record)
            await line.reply(400, dialect.error_body(400, str(error), None, error.param), [JSON, LABEL])
            record.bytes = line.sent
            self.log.ended(record, "status 400")
            return
        record.model, record.stream, record.prompt_tokens = ask.model, ask.stream, ask.prompt_tokens
        self.log.began(record)
        try:
            plan = plan_for(ask, self.script, line.headers)
            rendering = dialect.render(ask, plan, int(self._clock()), quirks)
            ended = await Delivery(line, dialect, ask, plan, record, self.pace).run(rendering)
            self.log.ended(record, ended)
        finally:
            self.log.ended(record, "client left")

    def _told(self, line: Line, method: str) -> tuple[int, bytes, tuple[bytes, bytes]]:
        """Paths that generate nothing."""
        path = line.path
        if method == "GET" and path.endswith("/models"):
            rows = [openai_chat.model_row(name, 0) for name in self.script.models]
            return 200, msgspec.json.encode({"object": "list", "data": rows}), JSON
        if method == "GET" and "/models/" in path:
            name = path.partition("/models/")[2]
            if name in self.script.models:
                return 200, msgspec.json.encode(openai_chat.model_row(name, 0)), JSON
            return 404, openai_chat.error_body(404, f"The model '{name}' does not exist", "model_not_found"), JSON
        if path == "/_sim/log" and method == "GET":
            return 200, self.log.lines(), _LINES
        if path == "/_sim/log" and method == "DELETE":
            self.log.clear()
            return 200, b"{}", JSON
        if path == "/_sim/state" and method == "GET":
            # The connection that asks is not counted.
            state = {"connections": line.connections() - 1, "open": self.log.open, "received": self.log.received}
            return 200, msgspec.json.encode(state), JSON
        return 404, openai_chat.error_body(404, f"the simulator has nothing at {method} {path}"), JSON


def build(
    script: Script | None = None, *, clock: Callable[[], float] = time.time, seed: int = 0, log: SimLog | None = None
) -> SimApp:
    """The simulator for any ASGI server. Resets need SimServer's."""
    return SimApp(script, log, clock=clock, seed=seed)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
