"""Twin of chores.py: what a gateway does by itself, whole: a provider over HTTP whose pictures nobody was told of."""

import asyncio
import http.server
import json
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from conflux.alone import operate
from conflux.chores import House, probing, refreshing
from conflux.neutral.records import Capability
from conflux.settings import Config, load
from conflux.wiring import Running, open_gateway
from tests.system.test_probe import Provider

SEES = Capability.VISION


@pytest.fixture
def provider() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def config(tmp_path: Path, provider: int) -> Config:
    """Two models at one target: of one the owner states what it can, of the other nobody does."""
    text = f"""
[probing]
vision = true
[[provider]]
id = "acme"
base_url = "http://127.0.0.1:{provider}/v1"
dialect = "openai-chat"
[[pool]]
id = "acme"
[[pool.target]]
provider = "acme"
model = "m"
cost = {{ input = "1", output = "1" }}
[[model]]
storefront = "conflux"
id = "acme/open"
pool = "acme"
price = {{ input = "1", output = "2" }}
[[model]]
storefront = "conflux"
id = "acme/stated"
pool = "acme"
capabilities = ["text", "tools"]
price = {{ input = "1", output = "2" }}
"""
    file = tmp_path / "given.toml"
    file.write_text(text)
    return load({"port": 0, "data": str(tmp_path / "data")}, {}, str(file))


@pytest.fixture
async def running(config: Config, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setattr("conflux.probing.EVERY", 0.01)
    found = await open_gateway(config, lambda: config)
    yield found
    await found.close()


async def until(sees: bool, running: Running) -> None:
    async with asyncio.timeout(20):
        while (SEES in running.snapshot.catalogue.models["conflux", "acme/open"].capabilities) is not sees:
            await asyncio.sleep(0.01)


async def shown(ask: Any, name: str) -> dict[str, Any]:
    (found,) = (await ask("models.show", {"id": name}))["models"]
    (probe,) = [one for one in found["probes"] if one["capability"] == "vision"]
    return {
        "vision": "vision" in found["capabilities"],
        **{key: probe[key] for key in ("holds", "stated", "questioned")},
    }


async def test_a_yes_makes_usable_what_nobody_stated_and_doubt_takes_it_back(running: Running, config: Config) -> None:
    await until(True, running)
    run = running.operations.run
    open_one = {"vision": True, "holds": "yes", "stated": "unknown", "questioned": False}
    assert await shown(run, "acme/open") == open_one
    assert await shown(run, "acme/stated") == open_one | {"vision": False, "stated": "no", "questioned": True}
    assert SEES not in running.snapshot.catalogue.models["conflux", "acme/stated"].capabilities
    (row,) = (await run("probe.list", {}))["probes"]
    assert (row["target"], row["cost_usd"]) == ("acme/m/cloud", "0.000412") and row["tried_seconds"] < 60

    def blind(_: Provider, body: dict[str, Any]) -> dict[str, Any]:
        return {"error": {"message": "down"}}

    doubts = running.gateway.parts.health.doubts
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Provider, "answer", blind)
        doubts.refused("acme/m/cloud", 1)
        doubts.refused("acme/m/cloud", 2)
        await until(False, running)
    await running.close()
    assert json.dumps(await operate(config, "probe.list", {})).count('"unknown"') >= 1


def test_of_several_workers_the_first_asks_others() -> None:
    settings = SimpleNamespace(refresh=SimpleNamespace(enabled=True, seconds=60.0),
                               probing=SimpleNamespace(vision=True, cents_per_day=5))  # fmt: skip
    parts = SimpleNamespace(health=SimpleNamespace(doubts=None))
    base = {
        "config": SimpleNamespace(settings=settings),
        "store": SimpleNamespace(probes=None),
        "gateway": SimpleNamespace(parts=parts),
        "catalogue": SimpleNamespace(last_tried=None),
        "refresh": None,
        "current": None,
    }

    def both(worker: int | None) -> tuple[int | None, float | None]:
        place = None if worker is None else SimpleNamespace(worker=worker)
        house = cast(House, SimpleNamespace(place=place, **base))
        return probing(house, print).cap(), refreshing(house, print).interval()

    assert both(None) == both(0) == (50_000_000, 60.0)
    assert both(1) == both(2) == (None, None)
    assert probing(cast(House, SimpleNamespace(place=SimpleNamespace(worker=1), **base)), print).asks()
    settings.probing.vision = settings.refresh.enabled = False
    assert both(None) == (None, None)
