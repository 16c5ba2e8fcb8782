"""The load of the streamed measurements: so many streams at once, each read to its end, first bytes timed.

Law: counts what arrived. A stream without its protocol's last word is lost, and says so.
"""

import asyncio
import json
import sys
import time
from functools import partial

import uvloop


class Stream(asyncio.Protocol):
    def __init__(self, request: bytes, done: asyncio.Future[None]) -> None:
        self.request = request
        self.done = done
        self.sent = 0.0
        self.first: float | None = None
        self.chunks = 0
        self.whole = False
        self.tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.sent = time.perf_counter()
        transport.write(self.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if self.first is None and b"data: " in data:
            self.first = time.perf_counter() - self.sent
        self.chunks += data.count(b'"content"') + data.count(b'"text_delta"')
        self.tail = (self.tail + data)[-64:]
        if b"[DONE]" in self.tail or b'"message_stop"' in self.tail:
            self.whole = True
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def run(port: int, path: str, key: str, body: bytes, count: int, rounds: int) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode()
    firsts: list[float] = []
    chunks = lost = 0
    began = time.perf_counter()
    for _ in range(rounds):
        futures = []
        streams = []
        for _ in range(count):
            done: asyncio.Future[None] = loop.create_future()
            _, stream = await loop.create_connection(partial(Stream, head + body, done), "127.0.0.1", port)
            futures.append(done)
            streams.append(stream)
        await asyncio.gather(*futures)
        for stream in streams:
            chunks += stream.chunks
            lost += not stream.whole
            if stream.first is not None:
                firsts.append(stream.first)
    firsts.sort()
    return {
        "streams": count * rounds,
        "chunks": chunks,
        "lost": lost,
        "seconds": time.perf_counter() - began,
        "first_p50_ms": firsts[len(firsts) // 2] * 1000 if firsts else None,
        "first_p99_ms": firsts[int(len(firsts) * 0.99)] * 1000 if firsts else None,
    }


if __name__ == "__main__":
    port, path, key, count, rounds = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    body = sys.stdin.buffer.read()
    print(json.dumps(uvloop.run(run(port, path, key, body, count, rounds))))
