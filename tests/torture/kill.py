"""The torture run: requests without end, SIGKILL at random moments, then the reckoning.

Law: the gateway is never its own witness. The clients keep a log of every byte of content they received and the
simulator keeps one of what it delivered; receipts are held against those.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
MODEL = "conflux/deepseek-v4-pro"
READY_SECONDS = 30.0
TOKENS_LOST_MOST = 256  # per killed stream, between its last checkpoint and the kill


@dataclass
class Answer:
    """What one client saw of one request."""

    request_id: str
    stream: bool
    content_bytes: int = 0
    whole: bool = False
    status: int = 0


@dataclass
class Result:
    answers: list[Answer] = field(default_factory=list)
    refused: int = 0
    unreached: int = 0
    kills: int = 0
    ready_seconds: list[float] = field(default_factory=list)
    verify: dict[str, int] = field(default_factory=dict)
    unbilled: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    undercounted: list[str] = field(default_factory=list)
    open_receipts: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        drift = sum(count for name, count in self.verify.items() if not name.startswith("checked"))
        return not (drift or self.unbilled or self.missing or self.undercounted or self.open_receipts)

    def table(self) -> str:
        whole = sum(answer.whole for answer in self.answers)
        rows = [
            ("requests answered", len(self.answers)),
            ("of them whole", whole),
            ("cut by a kill", len(self.answers) - whole),
            ("tries while it was down", self.refused + self.unreached),
            ("kills", self.kills),
            ("slowest restart, s", round(max(self.ready_seconds, default=0.0), 2)),
            ("answered without a receipt", len(self.missing)),
            ("delivered but not billed", len(self.unbilled)),
            (f"undercounted by more than {TOKENS_LOST_MOST} tokens", len(self.undercounted)),
            ("still open after recovery", len(self.open_receipts)),
            *((f"verify: {name}", count) for name, count in self.verify.items()),
        ]
        return "\n".join(f"| {name} | {value} |" for name, value in rows)


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONFLUX_")}
    return {**kept, "PYTHONPATH": str(ROOT / "src")}


class Gateway:
    """The server under torture: started, killed, started again on the same data and port."""

    def __init__(self, folder: Path, upstream: int) -> None:
        self.folder = folder
        self.port = 0
        self.config = folder / "conflux.toml"
        self.config.write_text(
            f'[[provider]]\nid = "local"\ndialect = "openai-chat"\nbase_url = "http://127.0.0.1:{upstream}/v1"\n'
            '[[pool]]\nid = "deepseek-v4-pro"\n[[pool.target]]\nprovider = "local"\nmodel = "upstream-model"\n'
        )
        self.process: asyncio.subprocess.Process | None = None

    def flags(self) -> list[str]:
        return ["--config", str(self.config), "--data", str(self.folder / "data")]

    async def start(self) -> float:
        began = time.monotonic()
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "conflux", "serve", *self.flags(), "--port", str(self.port),
            stdout=asyncio.subprocess.PIPE, stderr=(self.folder / "serve.log").open("ab"), env=environment(),
        )  # fmt: skip
        assert self.process.stdout is not None
        while True:
            line = (await asyncio.wait_for(self.process.stdout.readline(), READY_SECONDS)).decode()
            if not line:
                raise RuntimeError("the gateway did not start: " + (self.folder / "serve.log").read_text()[-2000:])
            if "address" in line:
                self.port = int(line.rsplit(":", 1)[1])
                return time.monotonic() - began

    async def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await asyncio.wait_for(self.process.wait(), 60)

    async def command(self, *words: str) -> Any:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "conflux", *words, *self.flags(), "--json",
            stdout=asyncio.subprocess.PIPE, env=environment(),
        )  # fmt: skip
        out, _ = await process.communicate()
        return json.loads(out)


async def one_request(session: aiohttp.ClientSession, gateway: Gateway, key: str, number: int, result: Result) -> None:
    """Ask until somebody answers: while the server is down nobody does."""
    stream = number % 2 == 0
    tokens = random.randrange(20, 400)
    pace = f" at {random.randrange(200, 2000)}/s" if stream else ""
    content = f"[[stream: {tokens} tokens{pace}]] request {number}"
    body = {"model": MODEL, "stream": stream, "messages": [{"role": "user", "content": content}]}
    while True:
        answer = Answer("", stream)
        try:
            await _ask(session, gateway.port, key, body, answer)
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            result.unreached += not answer.status
            await asyncio.sleep(0.05)
        if answer.content_bytes or answer.whole:
            result.answers.append(answer)
            return
        result.refused += answer.status not in (0, 200)


async def _ask(session: aiohttp.ClientSession, port: int, key: str, body: dict[str, Any], answer: Answer) -> None:
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    async with session.post(url, json=body, headers={"authorization": f"Bearer {key}"}) as response:
        answer.status = response.status
        if response.status != 200:
            await asyncio.sleep(0.05)
            return
        answer.request_id = response.headers["x-request-id"]
        if not answer.stream:
            found = await response.json()
            answer.content_bytes = len((found["choices"][0]["message"]["content"] or "").encode())
            answer.whole = True
            return
        async for line in response.content:
            if line.startswith(b"data: [DONE]"):
                answer.whole = True
            elif line.startswith(b"data: "):
                for choice in json.loads(line[6:]).get("choices", ()):
                    answer.content_bytes += len((choice["delta"].get("content") or "").encode())


async def reckon(session: aiohttp.ClientSession, gateway: Gateway, key: str, result: Result) -> None:
    """Each answer against its receipt."""
    for answer in result.answers:
        url = f"http://127.0.0.1:{gateway.port}/v1/receipts/{answer.request_id}"
        async with session.get(url, headers={"authorization": f"Bearer {key}"}) as response:
            if response.status != 200:
                result.missing.append(answer.request_id)
                continue
            receipt = await response.json()
        if receipt["status"] in ("open", "reserved", "started"):
            result.open_receipts.append(answer.request_id)
        if answer.content_bytes and receipt["cost_usd"] == "0":
            result.unbilled.append(answer.request_id)
        received = answer.content_bytes // 4
        if receipt["usage"]["output"] + TOKENS_LOST_MOST < received:
            result.undercounted.append(f"{answer.request_id}: received {received}, {receipt['usage']['output']} billed")


async def torture(folder: Path, requests: int, kills: int, at_once: int, upstream: int, seed: int) -> Result:
    random.seed(seed)
    result = Result()
    gateway = Gateway(folder, upstream)
    await gateway.start()
    key = (await gateway.command("keys", "create", "--storefront", "conflux", "--name", "torture"))["key"]
    numbers = iter(range(requests))
    # Where in the run a kill strikes, in requests begun.
    strikes = sorted(random.sample(range(requests // 10, requests), kills), reverse=True)
    begun = 0

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:

        async def caller() -> None:
            nonlocal begun
            for number in numbers:
                begun += 1
                await one_request(session, gateway, key, number, result)

        callers = [asyncio.create_task(caller()) for _ in range(at_once)]
        while strikes and not all(task.done() for task in callers):
            if begun >= strikes[-1]:
                strikes.pop()
                await asyncio.sleep(random.random() * 0.05)
                await gateway.kill()
                result.kills += 1
                result.ready_seconds.append(await gateway.start())
            await asyncio.sleep(0.002)
        await asyncio.gather(*callers)
        # A last kill with nothing under way, so that everything left open meets recovery.
        await gateway.kill()
        result.kills += 1
        result.ready_seconds.append(await gateway.start())
        await reckon(session, gateway, key, result)
    result.verify = await gateway.command("ledger", "verify")
    await gateway.stop()
    return result
