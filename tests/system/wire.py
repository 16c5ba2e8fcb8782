"""A client that sends exactly the bytes it is given, and reads answers one by one.

Law: what goes out is the test's word; what comes in is parsed by llhttp, so that an answer that is no HTTP is an error.
"""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httptools

from tests.system.serving import PATIENCE, Answer


class Wire:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._parser = httptools.HttpResponseParser(self)
        self._answers: list[Answer] = []
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._open = False  # an answer is not whole yet
        self.interim = 0  # answers such as 100 Continue
        self.received = bytearray()  # all of it

    # httptools' callbacks

    def on_message_begin(self) -> None:
        self._headers, self._body, self._open = {}, bytearray(), True

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._open = False
        if self._parser.get_status_code() == 100:
            self.interim += 1
        else:
            self._answers.append(Answer(self._parser.get_status_code(), self._headers, bytes(self._body)))

    # what a test does

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read(self) -> bytes:
        """Some bytes; b"" at the end, an abrupt one too."""
        try:
            data = await asyncio.wait_for(self.reader.read(65536), PATIENCE)
        except ConnectionError:
            data = b""
        self.received += data
        if data:
            self._parser.feed_data(data)
        elif self._open and not {"content-length", "transfer-encoding"} & set(self._headers):
            self.on_message_complete()  # an answer that says no length ends with the connection
        return data

    async def answer(self) -> Answer:
        while not self._answers:
            assert await self.read(), f"closed without an answer: {self.received[-500:]!r}"
        return self._answers.pop(0)

    async def until(self, word: bytes) -> None:
        """Read until the answers so far hold `word`."""
        while word not in self.received:
            assert await self.read(), f"closed before {word!r}: {self.received[-500:]!r}"

    async def rest(self) -> list[Answer]:
        """All answers until the server closes."""
        while await self.read():
            pass
        found, self._answers = self._answers, []
        return found

    async def closed(self) -> bool:
        """Does the server close without saying anything more?"""
        return await self.read() == b""

    def leave(self) -> None:
        self.writer.transport.abort()


@asynccontextmanager
async def wire(port: int, *, small: bool = False) -> AsyncIterator[Wire]:
    """`small`: with a receive buffer that holds back the server soon."""
    client = socket.socket()
    client.setblocking(False)
    if small:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=client, limit=4096 if small else 65536)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()


def request(key: str, text: str = "hello", *, version: str = "1.1", extra: bytes = b"", **fields: Any) -> bytes:
    """A chat completion as it goes out."""
    body = chat(text, **fields)
    return (
        f"POST /v1/chat/completions HTTP/{version}\r\nhost: gateway\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    ).encode() + extra + b"\r\n" + body  # fmt: skip


def chat(text: str = "hello", *, model: str = "gpt-4o-mini", **fields: Any) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}], **fields}).encode()


async def happens(true: Any, what: str, patience: float = PATIENCE) -> float:
    """Wait, in a loop, for something that another process does; how long it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < patience, f"never happened: {what}"
        await asyncio.sleep(0.005)
    return time.monotonic() - began
