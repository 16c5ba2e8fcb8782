"""What a gateway of these parts costs before it decides anything: `python -m bench.floor`.

Law: the product's own server, upstream client and ledger, and nothing between them: no key, no catalogue, no prices, no
routing, no receipt. Each step adds one thing the product cannot leave out; nginx is asked in the same rounds. What the
gateway takes beyond the last step is its own; what the last step takes beyond nginx no change above these parts saves.
"""

import json
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import uvloop

from bench.ledger import Maker
from bench.raw_ledger import now_ms
from bench.run import CHAT, bearer, measure_plain, nginx_conf, nginx_path, start_conflux
from bench.servers import Started, free_port, wait_for
from conflux.faces.connection import Connection
from conflux.faces.server import bind_tcp, make_server
from conflux.faces.short_way import ShortRequest
from conflux.neutral.errors import GatewayError
from conflux.neutral.ports import Headers, Outbound
from conflux.stores.sqlite_ledger import SqliteLedger
from conflux.upstream.client import Client

STEPS = {
    "forward": "read, ask the upstream, answer",
    "read": "and read both bodies as JSON",
    "account": "and reserve and settle, each committed",
}
ROUNDS = 5
_JSON = [(b"content-type", b"application/json")]


class _Answer(msgspec.Struct):
    """As much of an answer as is needed for a bill."""

    usage: dict[str, Any] | None = None


_read_request = msgspec.json.Decoder().decode
_read_answer = msgspec.json.Decoder(_Answer).decode


class Floor:
    """Implements ShortWays."""

    body_bytes = 1 << 20
    body_seconds = 60.0
    leaving = False

    def __init__(self, step: str, upstream: int, ledger: SqliteLedger) -> None:
        self._reads = step != "forward"
        self._ledger = ledger if step == "account" else None
        self._client = Client()
        self._origin = f"http://127.0.0.1:{upstream}"
        self._maker = Maker(1)

    def takes(self, method: bytes, url: bytes) -> bool:
        return method == b"POST"

    def short(self, request: ShortRequest, connection: Connection) -> Coroutine[Any, Any, None]:
        return self._answer(request, connection)

    async def _answer(self, request: ShortRequest, connection: Connection) -> None:
        if self._reads:
            _read_request(request.body)
        order = self._maker.order(now_ms(), 1)
        if self._ledger is not None:
            await self._ledger.reserve(order)
        call = Outbound(origin=self._origin, path=CHAT, head=b"content-type: application/json\r\n", body=request.body)
        inbound = await self._client.send(call)
        body = await inbound.read()
        inbound.finish()
        if self._reads:
            _read_answer(body)
        if self._ledger is not None:
            await self._ledger.settle(self._maker.end(order))
        connection.send_whole(200, _JSON, body)
        connection.finished()

    async def unwelcome(self, request: ShortRequest) -> GatewayError | None:
        return None

    def refusal(self, error: GatewayError, request: ShortRequest | None) -> tuple[int, Headers, bytes]:
        return 400, _JSON, error.message.encode()


async def _healthy(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _JSON})
    await send({"type": "http.response.body", "body": b"{}"})


async def serve(step: str, port: int, upstream: int, folder: Path) -> None:
    ledger = SqliteLedger.open(folder / f"{step}.db")
    try:
        server = make_server(_healthy, graceful=1, ways=Floor(step, upstream, ledger))
        await server.serve([bind_tcp("127.0.0.1", port)])
    finally:
        await ledger.aclose()


def measure(folder: Path, seconds: int) -> dict[str, list[float]]:
    """CPU per request in microseconds, round by round."""
    plain, proxy = free_port(), free_port()
    files = nginx_conf(folder, plain, proxy, free_port())
    nginx = [nginx_path(), "-p", str(folder), "-c"]
    started = [
        Started("upstream", [*nginx, str(files["upstream"])], 1),
        Started("nginx", [*nginx, str(files["proxy"])], 0),
    ]
    try:
        asked = {"nginx": (started[1], proxy, bearer("none"))}
        for step in STEPS:
            port = free_port()
            command = [sys.executable, "-m", "bench.floor", step, str(port), str(plain), str(folder)]
            started.append(Started(step, command, 0, cwd=str(Path(__file__).resolve().parent.parent)))
            asked[step] = (started[-1], port, bearer("none"))
        server, port, key = start_conflux(folder, "floor", plain)
        started.append(server)
        asked["conflux"] = (server, port, bearer(key))
        for _, port, _ in asked.values():
            wait_for(f"http://127.0.0.1:{port}/health/live")
        found: dict[str, list[float]] = {name: [] for name in asked}
        for _ in range(ROUNDS):
            for name, (server, port, headers) in asked.items():
                found[name].append(measure_plain(server, port, CHAT, headers, seconds, folder)["cpu_us"])
        return found
    finally:
        for one in started:
            one.stop()


def main() -> None:
    if len(sys.argv) == 5:
        step, port, upstream, folder = sys.argv[1:]
        uvloop.run(serve(step, int(port), int(upstream), Path(folder)))
        return
    with tempfile.TemporaryDirectory(prefix="conflux-floor-") as name:
        Path(name).chmod(0o755)
        found = measure(Path(name), 1)
    base = median(found["nginx"])
    rows = {name: {"µs": round(median(taken), 1), "least µs": round(min(taken), 1),
                   "× nginx": round(median(taken) / base, 2), "of": STEPS.get(name, "")}
            for name, taken in found.items()}  # fmt: skip
    print(json.dumps({"date": time.strftime("%Y-%m-%d"), "rows": rows}, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
