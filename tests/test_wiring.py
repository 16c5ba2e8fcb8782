"""The wiring: what is opened in which order, what a reload changes, what is left when it ends or never began."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from conflux import wiring
from conflux.alone import operate
from conflux.chores import refreshing
from conflux.faces.control import SOCKET_NAME
from conflux.faces.server import make_server
from conflux.neutral.errors import ConfigError
from conflux.settings import Config, load
from conflux.stores.data_dir import InUse
from conflux.stores.opening import open_store
from conflux.wiring import Running, first_admin_key, open_gateway

Made = Callable[..., Config]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Settings of a gateway of this test alone, with a text for its file."""

    def one(text: str = "", environment: dict[str, str] | None = None, **flags: Any) -> Config:
        file = tmp_path / "given.toml"
        file.write_text(text)
        return load({"port": 0, "data": str(tmp_path / "data"), **flags}, environment or {}, str(file))

    return one


@pytest.fixture
async def opened(made: Made) -> AsyncIterator[Callable[..., Any]]:
    """Gateways that are closed when the test is over."""
    running: list[Running] = []

    async def one(text: str = "", reread: Callable[[], Config] | None = None, **how: Any) -> Running:
        config = made(text, **how)
        running.append(await open_gateway(config, reread or (lambda: config)))
        return running[-1]

    yield one
    for each in running:
        await each.close()


async def get(address: str, path: str, key: str | None = None) -> tuple[int, bytes]:
    host, _, port = address.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"GET {path} HTTP/1.1", "host: x", "connection: close", *([f"x-api-key: {key}"] if key else [])]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


def refuses(address: str) -> bool:
    host, _, port = address.removeprefix("http://").rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) != 0


def others() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


# --- a gateway's life


async def test_it_answers_when_it_is_open_and_leaves_nothing_when_it_is_closed(made: Made) -> None:
    before = others()
    config = made()
    running = await open_gateway(config, lambda: config)
    assert (await get(running.address, "/health/ready"))[0] == 200
    status, body = await get(running.address, "/v1/models")
    assert status == 200 and len(json.loads(body)["data"]) > 10
    shown = running.status()
    assert (shown["simulated"], shown["problems"], shown["refused_credentials"]) == (True, {}, {})
    assert shown["address"] == running.address
    assert (config.data_dir / SOCKET_NAME).is_socket()
    assert (config.data_dir / SOCKET_NAME).stat().st_mode & 0o077 == 0
    await running.close()
    assert refuses(running.address)
    assert others() == before
    await open_store(config.data_dir).aclose()  # the lock is free


async def test_while_it_stops_it_is_not_ready(opened: Any) -> None:
    running = await opened()
    running.stopping = True
    status, body = await get(running.address, "/health/ready")
    assert (status, json.loads(body)["problems"]) == (503, {"server": "stopping"})
    assert (await get(running.address, "/health/live"))[0] == 200


async def test_the_first_start_makes_an_admins_key_and_no_other_does(opened: Any, made: Made) -> None:
    running = await opened()
    key = await first_admin_key(running)
    assert key is not None
    assert (await get(running.address, "/metrics", key))[0] == 200
    assert await first_admin_key(running) is None


# --- what is wrong is told before anything is opened

PROVIDER = "[[provider]]\nid = 'p'\nbase_url = 'http://127.0.0.1:1/v1'\ndialect = 'openai-chat'\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[model]]\nstorefront = 'conflux'\nid = 'x'\npool = 'nowhere'\n", "nowhere"),
        (PROVIDER + "credential = 'env:GONE'\n", "env:GONE gives nothing"),
        ("catalogue_dir = '/nowhere/at/all'\n", "does not exist"),
    ],
)
async def test_a_broken_configuration_opens_nothing(text: str, words: str, made: Made) -> None:
    config = made(text)
    with pytest.raises(ConfigError, match=words):
        await open_gateway(config, lambda: config)
    assert not config.data_dir.exists()


async def test_a_taken_port_is_one_line_and_opens_no_store(made: Made) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = made(port=port)
        with pytest.raises(ConfigError) as error:
            await open_gateway(config, lambda: config)
    assert error.value.problems[0].startswith(f"cannot listen on 127.0.0.1 port {port}")
    assert not config.data_dir.exists()


async def test_a_start_that_fails_at_its_last_door_closes_the_others(made: Made) -> None:
    before = others()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = made(f"[metrics]\nport = {taken.getsockname()[1]}\n")
        with pytest.raises(ConfigError, match="cannot listen"):
            await open_gateway(config, lambda: config)
    assert others() == before
    assert not (config.data_dir / SOCKET_NAME).exists()
    await open_store(config.data_dir).aclose()


async def test_a_door_that_does_not_open_shuts_the_one_that_did(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    before = others()
    doors: list[Any] = []

    def second_is_stuck(*given: Any, **more: Any) -> Any:
        doors.append(given)
        if len(doors) == 2:
            raise ConfigError(["the second door is stuck"])
        return make_server(*given, **more)

    monkeypatch.setattr(wiring, "make_server", second_is_stuck)
    config = made()
    with pytest.raises(ConfigError, match="stuck"):
        await open_gateway(config, lambda: config)
    assert others() == before
    await open_store(config.data_dir).aclose()


async def test_a_store_in_use_is_waited_for_and_then_told(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    config = made()
    store = open_store(config.data_dir)
    monkeypatch.setattr(wiring, "LOCK_PATIENCE", 0.0)
    with pytest.raises(InUse):
        await open_gateway(config, lambda: config)
    monkeypatch.setattr(wiring, "LOCK_PATIENCE", 60.0)
    starting = asyncio.create_task(open_gateway(config, lambda: config))
    await asyncio.sleep(0)
    await store.aclose()
    running = await starting
    await running.close()


# --- reload

MODEL = """
[[pool]]
id = "own"
[[pool.target]]
provider = "own"
model = "m"
[[provider]]
id = "own"
base_url = "http://127.0.0.1:1/v1"
dialect = "openai-chat"
[[model]]
storefront = "conflux"
id = "own/model"
pool = "own"
price = { input = "1", output = "2" }
"""


async def test_a_reload_takes_over_a_good_file_and_nothing_of_a_broken_one(opened: Any, made: Made) -> None:
    said = {"text": ""}
    running = await opened("", reread=lambda: made(said["text"]))
    first = running.snapshot
    running.gateway.parts.health.of("own#env:X").disabled = "the provider answered 401"
    assert (await get(running.address, "/v1/models/own/model"))[0] == 404
    said["text"] = MODEL
    done = await running.reload()
    assert done == {"version": first.version + 1, "models": len(first.catalogue.models) + 1, "restart": []}
    assert not running.snapshot.simulated
    assert (await get(running.address, "/v1/models/own/model"))[0] == 200
    assert running.status()["refused_credentials"] == {}  # somebody looked
    second = running.snapshot
    for broken in (MODEL + "pool = 'own'\n", MODEL.replace("own/model", ""), "prot = 1\n"):
        said["text"] = broken
        with pytest.raises(ConfigError):
            await running.reload()
        assert running.snapshot is second


# --- what was accepted while it runs

ROWS = "storefront,id,pool,price.input,price.output\nconflux,acme/new,gpt-4o,1,2\n"


async def test_what_is_accepted_counts_when_the_order_returns_and_ever_after(opened: Any, made: Made) -> None:
    running = await opened()
    order = {"name": "m.csv", "content": ROWS, "store": True, "by": "ann"}
    assert (await get(running.address, "/v1/models/acme/new"))[0] == 404
    await running.operations.run("catalogue.import", order)
    assert (await get(running.address, "/v1/models/acme/new"))[0] == 200
    await running.reload()
    assert (await get(running.address, "/v1/models/acme/new"))[0] == 200
    await running.operations.run("catalogue.reject", {"ids": [1]})
    assert (await get(running.address, "/v1/models/acme/new"))[0] == 404
    assert running.config.data_dir == made().data_dir
    await running.operations.run("catalogue.import", order)
    await running.close()
    found = await operate(made(), "models.show", {"id": "acme/new"})
    assert found["models"][0]["price_version"].startswith("change-2 since 20")
    again = await opened()
    assert (await get(again.address, "/v1/models/acme/new"))[0] == 200


async def test_the_hourly_look_is_under_way_and_can_be_switched_off(opened: Any) -> None:
    running = await opened()
    assert not running.chores[0].done()
    assert refreshing(running, print).interval() == 3600.0
    assert await refreshing(running, print).sync() == {
        "dry_run": False, "sources": [], "proposals": {"open": 0, "new": 0},
    }  # fmt: skip
    await running.close()
    assert all(chore.cancelled() for chore in running.chores)
    off = await opened("[refresh]\nenabled = false\n")
    assert refreshing(off, print).interval() is None


async def test_a_reload_says_what_only_a_restart_takes_over(
    opened: Any, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    running = await opened("", reread=lambda: made("host = '::'\n", port=4))
    await wiring._reload(running)
    said = capsys.readouterr().err
    assert "read again" in said and "only a restart takes it over: host, port" in said
    assert (await running.reload())["restart"] == ["host", "port"]  # still, as long as it is so


async def test_requests_are_answered_while_a_reload_reads(opened: Any, made: Made) -> None:
    reading, go = threading.Event(), threading.Event()

    def slowly() -> Config:
        reading.set()
        assert go.wait(20)
        return made(MODEL)

    running = await opened("", reread=slowly)
    reload = asyncio.create_task(running.reload())
    while not reading.is_set():
        await asyncio.sleep(0)
    second = asyncio.create_task(running.reload())
    assert (await get(running.address, "/v1/models/own/model"))[0] == 404
    go.set()
    assert [one["version"] for one in await asyncio.gather(reload, second)] == [1, 2]
    assert (await get(running.address, "/v1/models/own/model"))[0] == 200


# --- metrics


async def test_a_file_that_is_gone_is_not_an_empty_one(opened: Any, made: Made) -> None:
    config = made(MODEL)
    running = await opened(MODEL, reread=lambda: msgspec.structs.replace(config, file=None, tables={}))
    before = running.snapshot
    with pytest.raises(ConfigError, match="is gone: put it back"):
        await running.reload()
    assert running.snapshot is before


async def test_metrics_on_a_port_of_their_own(opened: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = await opened(f"[metrics]\nport = {port}\n")
    status, body = await get(f"http://127.0.0.1:{port}", "/metrics")
    assert status == 200
    assert b"conflux_ready 1.0" in body and b"conflux_upstream_connections" in body
    assert (await get(f"http://127.0.0.1:{port}", "/other"))[0] == 404
    assert (await get(running.address, "/metrics", await first_admin_key(running)))[0] == 404


async def test_metrics_without_one_ask_for_an_admins_key(opened: Any) -> None:
    running = await opened()
    assert (await get(running.address, "/metrics"))[0] == 401
    assert (await get(running.address, "/metrics", await first_admin_key(running)))[0] == 200


def test_a_defect_is_told_with_its_trace_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise KeyError("a defect")
    except KeyError as error:
        wiring._report(error, "/v1/x")
    said = capsys.readouterr()
    assert said.out == ""
    assert "conflux: failed on /v1/x:" in said.err and "KeyError: 'a defect'" in said.err
