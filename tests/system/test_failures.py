"""A full disk and a lost database, through the whole server: 503 in the storefront's words, nothing free, an alarm, and
an end by itself. The simulator's own log says what was asked of it."""

import json
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conflux.sim.server import SimServer
from tests.system.fixtures import over, wires_config
from tests.system.serving import Answer, Served, eventually
from tests.system.upstreams import Background

MODEL = over("openai-chat")


class Gateway:
    """A served gateway over a simulator that counts, and its database, which can fail."""

    def __init__(self, folder: Path, kind: str, server: Any, template: str) -> None:
        self._background, self.sim = Background(), SimServer()
        self._background.run(self.sim.start())
        self._server = server if kind == "postgres" else None
        self._name = self._server.database(template) if self._server is not None else ""
        place = {"DATABASE_URL": self._server.url(self._name)} if self._server is not None else {}
        self.served = Served(folder, wires_config(self.sim.port), place).start()
        self._broken = False
        self.admin = self.served.admin_key
        self.key = self.served.key(name="k", budget_usd="5")
        self.other = self.served.key(name="never used")

    @property
    def calls(self) -> int:
        return self.sim.log.received

    def ask(self, words: str = "Hello", *, key: str | None = None, **fields: Any) -> Answer:
        return self.served.chat(key or self.key, words, model=MODEL, **fields)

    def break_down(self) -> None:
        self._broken = True
        if self._server is not None:
            self._server.stop()
            return
        self._limit(self._wal.stat().st_size)

    def mend(self) -> None:
        """Twice is once."""
        if not self._broken:
            return
        self._broken = False
        if self._server is not None:
            self._server.start()
        else:
            self._limit(resource.RLIM_INFINITY)

    @property
    def _wal(self) -> Path:
        return self.served.data / "conflux.db-wal"

    def _limit(self, size: int) -> None:
        """No file of the server may grow beyond it: what a full disk looks like to whoever writes."""
        resource.prlimit(self.served.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def ready(self) -> int:
        return self.served.get("/health/ready").status

    def gauge(self) -> str:
        answer = self.served.get("/metrics", key=self.admin)
        lines = answer.body.decode().splitlines()
        return next((line for line in lines if line.startswith("conflux_ready ")), f"{answer.status}: {answer.body!r}")

    def verified(self) -> bool:
        ended = self.served.run("ledger", "verify", "--json")
        assert ended.returncode == 0, ended.stdout
        return not json.loads(ended.stdout)["checked_open"]

    def close(self) -> None:
        self.served.stop()
        if self._server is not None:
            self._server.drop(self._name)
        self._background.run(self.sim.stop())
        self._background.close()


@pytest.fixture(params=["sqlite", "postgres"])
def gateway(request, tmp_path: Path) -> Iterator[Gateway]:
    server, template = None, ""
    if request.param == "postgres":
        server, template = (request.getfixturevalue(name) for name in ("postgres_server", "postgres_template"))
    made = Gateway(tmp_path, request.param, server, template)
    yield made
    made.mend()
    made.close()


def test_nothing_is_answered_while_nothing_can_be_written(gateway: Gateway) -> None:
    good = [gateway.ask() for _ in range(5)]
    assert {one.status for one in good} == {200} and gateway.gauge() == "conflux_ready 1.0"
    calls = gateway.calls
    gateway.break_down()
    try:
        eventually(lambda: gateway.ask().status == 503, "it is noticed")
        noticed = gateway.calls
        assert noticed - calls <= 1, "at most the one that was held before the trouble"
        for stream in (False, True):
            refused = gateway.ask(stream=stream)
            assert (refused.status, refused.headers["retry-after"]) == (503, "2")
            assert refused.json()["error"]["code"] == "unavailable" and "ledger" in refused.json()["error"]["message"]
        messages = {"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
        refused = gateway.served.call("POST", "/v1/messages", messages, key=gateway.key)
        assert refused.status == 503 and refused.json()["type"] == "error"
        assert gateway.calls == noticed, "nobody was asked for an answer that nobody would pay"
        assert gateway.ready() == 503
        unknown = gateway.served.get("/v1/models", key=gateway.other)
        if gateway._server is not None:  # the key is looked up in what is lost
            assert (unknown.status, unknown.headers["retry-after"]) == (503, "2"), unknown.body
        assert gateway.gauge() == "conflux_ready 0.0"
        assert "ALARM" in gateway.served.stderr and "503" in gateway.served.stderr
    finally:
        gateway.mend()
    eventually(lambda: gateway.ask().status == 200, "it goes on by itself")
    assert gateway.ready() == 200 and gateway.gauge() == "conflux_ready 1.0"
    assert "writes again" in gateway.served.stderr
    assert gateway.verified()


def test_what_was_under_way_is_neither_free_nor_lost(gateway: Gateway) -> None:
    """A plain answer that cannot be settled is withheld and free; of a stream what was delivered is paid."""
    found: dict[str, Answer] = {}

    def plain() -> None:
        found["plain"] = gateway.ask("[[slow-first: 1500]] [[say: never told]]")

    def stream() -> None:
        found["stream"] = gateway.ask("[[stream: 60 tokens at 40/s]]", stream=True)

    tasks = [threading.Thread(target=one) for one in (plain, stream)]
    calls = gateway.calls
    for task in tasks:
        task.start()
    eventually(lambda: gateway.calls == calls + 2, "both are dispatched")
    time.sleep(0.3)  # the stream's first content; were it late, it would be withheld, which is checked below as well
    gateway.break_down()
    try:
        eventually(lambda: gateway.ask().status == 503, "it is noticed")
        if gateway._server is None:  # settlements that may have reached a lost database are waited for
            for task in tasks:
                task.join()
    finally:
        time.sleep(2)
        gateway.mend()
    for task in tasks:
        task.join()
    eventually(lambda: gateway.ask().status == 200, "it goes on by itself")
    number = found["stream"].headers["x-request-id"]
    cost = float(gateway.served.settled(gateway.key, number)["cost_usd"])
    if found["stream"].status == 200:
        assert cost > 0, "what was delivered is paid"
    else:
        assert cost == 0
    answer = found["plain"]
    receipt = gateway.served.settled(gateway.key, answer.headers["x-request-id"])
    assert (float(receipt["cost_usd"]) > 0) is (answer.status == 200)
    assert (b"never told" in answer.body) is (answer.status == 200)
    assert gateway.verified()
