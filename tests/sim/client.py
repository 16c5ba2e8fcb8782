"""The simplest client there is: a socket, a request as text, whatever comes back as bytes.

Law: knows nothing of the simulator and repairs nothing: a reset, a cut body and a bad byte are all seen as they are.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

PATH = "/v1/chat/completions"


@dataclass
class Answer:
    raw: bytes = b""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False  # the body ended as its head promised
    reset: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json["choices"][0]["message"]
        return found

    @property
    def content(self) -> str:
        return str(self.message["content"])

    @property
    def lines(self) -> list[bytes]:
        return [event.removeprefix(b"data: ") for event in self.body.split(b"\n\n") if event]

    @property
    def chunks(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines if line != b"[DONE]"]


def chat(text: str = "hello", **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **fields}


def request(body: bytes, path: str = PATH, method: str = "POST", headers: dict[str, str] | None = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: sim", "connection: close", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def ask(port: int, body: Any, **more: Any) -> Answer:
    """Send and read until the other side ends it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = Answer()
    try:
        async with asyncio.timeout(20):
            writer.write(request(raw, **more))
            while part := await reader.read(65536):
                answer.raw += part
    except ConnectionResetError:
        answer.reset = True
    finally:
        writer.close()
    parse(answer)
    return answer


async def say(port: int, text: str, **fields: Any) -> Answer:
    return await ask(port, chat(text, **fields))


async def get(port: int, path: str, method: str = "GET") -> Answer:
    return await ask(port, b"", path=path, method=method)


def parse(answer: Answer) -> None:
    head, gap, rest = answer.raw.partition(b"\r\n\r\n")
    if not gap:
        return
    first, *fields = head.decode("latin-1").split("\r\n")
    answer.status = int(first.split()[1])
    answer.headers = dict(line.split(": ", 1) for line in fields)
    if answer.headers.get("transfer-encoding") == "chunked":
        answer.body, answer.whole = unchunked(rest)
    else:
        answer.body, answer.whole = rest, len(rest) == int(answer.headers["content-length"])


def unchunked(rest: bytes) -> tuple[bytes, bool]:
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        count = int(size, 16)
        if not count:
            return body, True
        body, rest = body + rest[:count], rest[count + 2 :]
    return body, False


async def until(true: Callable[[], bool]) -> None:
    """Waits for what another task of this loop does."""
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.001)
