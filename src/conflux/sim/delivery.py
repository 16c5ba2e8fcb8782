"""A plan goes out: at its pace, with its fault, into the log.

Law: the log says at every moment how many tokens and bytes were handed over; what a fault or a leaving client cut off
is not counted. The return says how the request ended, in the log's words.
"""

import asyncio

from conflux.sim import faults
from conflux.sim.ask import Ask
from conflux.sim.dialect import Dialect, Rendering
from conflux.sim.line import Headers, Line
from conflux.sim.log import Record
from conflux.sim.plan import Plan

LABEL = (b"x-conflux-simulated", b"true")
JSON = (b"content-type", b"application/json")
_STREAM = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
_BATCH = 8 * 1024  # without a pace, events leave in blocks of this size
_BREATH_SECONDS = 0.01  # before a fault in a stream, so that what was said well arrives by itself
DONE = "done"


class Delivery:
    def __init__(self, line: Line, dialect: Dialect, ask: Ask, plan: Plan, record: Record, rate: float) -> None:
        self._line = line
        self._dialect = dialect
        self._plan = plan
        self._record = record
        self._stream = ask.stream
        self._rate = plan.rate or rate
        self._own: Headers = [LABEL, *dialect.headers(ask)]
        self._head: Headers = [*(_STREAM if ask.stream else [JSON]), *self._own]

    async def run(self, rendering: Rendering) -> str:
        plan = self._plan
        try:
            if plan.first_ms:
                await self._line.pause(plan.first_ms / 1000)
            if plan.fault is not None and plan.fault.isdecimal():
                return await self._refusal(int(plan.fault))
            if plan.fault in faults.BEFORE:
                return await self._strike(faults.BEFORE, rendering, b"")
            return await (self._events(rendering) if self._stream else self._whole(rendering))
        finally:
            self._record.bytes = self._line.sent

    async def _refusal(self, status: int) -> str:
        plan = self._plan
        head = [JSON, *self._own]
        if plan.retry_after is not None:
            head.append((b"retry-after", plan.retry_after.encode()))
        body = self._dialect.error_body(status, f"simulated failure {status}", plan.code)
        await self._line.reply(status, body, head)
        return f"status {status}"

    async def _whole(self, rendering: Rendering) -> str:
        body = rendering.whole()
        if self._plan.fault in faults.IN_ANSWER:
            return await self._strike(faults.IN_ANSWER, rendering, body)
        if self._rate:
            await self._line.pause(self._plan.tokens / self._rate)
        self._record.tokens = self._plan.tokens
        await self._line.reply(200, body, self._head)
        return DONE

    async def _events(self, rendering: Rendering) -> str:
        line, record, rate = self._line, self._record, self._rate
        strikes = self._strike_place()
        await line.head(200, self._head)
        clock = asyncio.get_running_loop().time
        began = clock()
        block, waiting, waiting_tokens = bytearray(), 0, 0
        for event, tokens in rendering.events():
            if strikes is not None and record.tokens + waiting_tokens >= strikes:
                await self._hand_over(block, waiting_tokens)
                if record.tokens:
                    await line.pause(_BREATH_SECONDS)
                return await self._strike(faults.IN_STREAM, rendering, event)
            if rate and tokens:
                await line.pause(began + (record.tokens + tokens) / rate - clock())
            block += event
            waiting, waiting_tokens = waiting + 1, waiting_tokens + tokens
            if rate or len(block) >= _BATCH:
                if line.lost:
                    return "client left"
                await self._hand_over(block, waiting_tokens)
                waiting, waiting_tokens = 0, 0
                if not rate:
                    await asyncio.sleep(0)  # a long stream leaves others their turn
        await self._hand_over(block, waiting_tokens)
        await line.write(b"", more=False)
        return DONE

    def _strike_place(self) -> int | None:
        """After how many tokens the fault strikes: at the end of what there is, if that is less."""
        if self._plan.fault not in faults.IN_STREAM:
            return None
        return 0 if self._plan.fault == "reset-after-head" else min(self._plan.fault_at, self._plan.tokens)

    async def _hand_over(self, block: bytearray, tokens: int) -> None:
        if block:
            await self._line.write(bytes(block))
            block.clear()
        self._record.tokens += tokens
        self._record.bytes = self._line.sent

    async def _strike(self, table: dict[str, faults.Fault], rendering: Rendering, data: bytes) -> str:
        name = self._plan.fault or ""
        message = "simulated error inside an answer"
        error = self._dialect.error_event(message) if self._stream else self._dialect.error_body(500, message)
        await table[name](faults.Hit(self._line, self._head, data, rendering.text_event, error))
        return name
