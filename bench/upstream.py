"""The upstream of the streamed measurements: 100 chunks of about 200 bytes, 20 ms apart, by a plain uvloop protocol.

Law: as cheap as can be, and the same for everybody that is measured.
"""

import asyncio
import json
import sys
from functools import partial

import httptools
import uvloop

CHUNKS = 100
GAP = 0.02  # seconds; the second argument overrules it, the third the number of chunks


def chunk(content: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": content} if content else {}, "finish_reason": finish}
    body = {"id": "chatcmpl-benchmark0001", "object": "chat.completion.chunk", "created": 1700000000,
            "model": "deepseek-v4-pro-260425", "choices": [choice]}  # fmt: skip
    data = b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(data), data)


USAGE = {"prompt_tokens": 70, "completion_tokens": 100, "total_tokens": 170}


def last_chunks() -> bytes:
    body = {"id": "chatcmpl-benchmark0001", "object": "chat.completion.chunk", "created": 1700000000,
            "model": "deepseek-v4-pro-260425", "choices": [], "usage": USAGE}  # fmt: skip
    data = b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\ndata: [DONE]\n\n"
    return chunk("", "stop") + b"%x\r\n%b\r\n" % (len(data), data) + b"0\r\n\r\n"


class Upstream(asyncio.Protocol):
    def __init__(self, gap: float, chunks: int) -> None:
        self.gap = gap
        self.chunks = chunks
        self.parser = httptools.HttpRequestParser(self)
        self.transport: asyncio.Transport | None = None
        self.gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        assert self.transport is not None
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        self.send(0)

    def send(self, number: int) -> None:
        if self.gone or self.transport is None:
            return
        if number == self.chunks:
            self.transport.write(last_chunks())
            return
        self.transport.write(chunk("word " * 12))
        asyncio.get_running_loop().call_later(self.gap, self.send, number + 1)


async def main(port: int, gap: float, chunks: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(Upstream, gap, chunks), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    port, gap, chunks = [*sys.argv[1:], *("0", str(GAP), str(CHUNKS))[len(sys.argv) - 1 :]]
    uvloop.run(main(int(port), float(gap), int(chunks)))
