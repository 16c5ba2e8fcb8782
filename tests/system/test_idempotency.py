"""Idempotency-Key against real servers, in every protocol, over one process and several, and over a crash."""

import contextlib
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from conflux.sim.server import SimServer
from tests.system.fixtures import over, wires_config
from tests.system.serving import Answer, Served, eventually
from tests.system.upstreams import Background

ASK = "Hello [[say: blue]]"
MESSAGES: Any = [{"role": "user", "content": ASK}]
GEMINI = {"contents": [{"role": "user", "parts": [{"text": ASK}]}]}


def gemini_path(manner: str) -> str:
    return f"/v1beta/models/acme/gemini-auto:{manner}"


# name: path, body, and what makes it stream
PROTOCOLS: dict[str, tuple[str, dict[str, Any], dict[str, Any] | str | None]] = {
    "chat": ("/v1/chat/completions", {"model": over("openai-chat"), "messages": MESSAGES}, {"stream": True}),
    "mounted": ("/v1/chat/completions?x=1", {"model": over("gemini"), "messages": MESSAGES}, {"stream": True}),
    "completions": ("/v1/completions", {"model": over("openai-chat"), "prompt": ASK}, {"stream": True}),
    "responses": ("/v1/responses", {"model": over("openai-responses"), "input": ASK}, {"stream": True}),
    "messages": (
        "/v1/messages?beta=true",
        {"model": over("anthropic-messages"), "messages": MESSAGES, "max_tokens": 50},
        {"stream": True},
    ),
    "gemini": (gemini_path("generateContent"), GEMINI, gemini_path("streamGenerateContent?alt=sse")),
    "gemini-list": (gemini_path("generateContent"), GEMINI, gemini_path("streamGenerateContent")),
}


class House:
    """A gateway over a simulator of its own, so that calls can be counted."""

    def __init__(self, folder: Path) -> None:
        self._background, self.sim = Background(), SimServer()
        self._background.run(self.sim.start())
        self.served = Served(folder, wires_config(self.sim.port)).start()
        self.key = self.served.key(name="tests")

    @property
    def calls(self) -> int:
        return self.sim.log.received

    def ask(self, path: str, body: Any, name: str, key: str | None = None) -> Answer:
        return self.served.call("POST", path, body, key=key or self.key, headers={"idempotency-key": name})

    def close(self) -> None:
        self.served.stop()
        self._background.run(self.sim.stop())
        self._background.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("idempotency"))
    yield made
    made.close()


def same(first: Answer, again: Answer) -> bool:
    """Told again: everything but the word that it was, and the hour."""
    moving = ("date", "idempotent-replayed", "transfer-encoding", "content-length")
    heads = [{name: text for name, text in one.headers.items() if name not in moving} for one in (first, again)]
    assert again.headers.get("idempotent-replayed") == "true" and "idempotent-replayed" not in first.headers
    return (first.status, first.body, heads[0]) == (again.status, again.body, heads[1])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_same_answer_for_every_try(house: House, protocol: str, stream: bool) -> None:
    path, body, streaming = PROTOCOLS[protocol]
    if stream:
        if isinstance(streaming, str):
            path = streaming
        else:
            body = body | (streaming or {})
    name = f"{protocol}-{stream}"
    first = house.ask(path, body, name)
    assert first.status == 200 and b"blue" in first.body, first.body
    calls = house.calls
    again = house.ask(path, body, name)
    assert same(first, again)
    assert house.calls == calls
    usage = house.served.get("/v1/usage?group_by=key", key=house.key).json()
    house.ask(path, body, name)
    assert house.served.get("/v1/usage?group_by=key", key=house.key).json() == usage, "nothing more is charged"


def test_embeddings_too(plain: Served) -> None:
    body = {"model": "qwen/text-embedding-v4", "input": "one", "dimensions": 64}
    key = plain.key(name="vectors", storefront="tokenflux")
    named = {"idempotency-key": "vectors"}
    first, again = (plain.call("POST", "/v1/embeddings", body, key=key, headers=named) for _ in range(2))
    assert first.status == 200 and same(first, again)


@pytest.mark.parametrize("stream", [False, True])
def test_a_panel_answers_once(plain: Served, plain_key: str, stream: bool) -> None:
    body = {"model": "conflux/flux", "messages": MESSAGES, "stream": stream}
    named = {"idempotency-key": f"panel-{stream}"}
    first, again = (plain.call("POST", "/v1/chat/completions", body, key=plain_key, headers=named) for _ in range(2))
    assert first.status == 200 and same(first, again)
    assert len(plain.receipt(plain_key, again)["calls"]) > 1


# How each protocol says no: where its words are.
@pytest.mark.parametrize("protocol", ["chat", "responses", "messages", "gemini"])
def test_another_body_is_422_in_the_protocols_shape(house: House, protocol: str) -> None:
    path, body, _ = PROTOCOLS[protocol]
    house.ask(path, body, f"other-{protocol}")
    refused = house.ask(path, body | {"user": "somebody else"}, f"other-{protocol}")
    assert refused.status == 422
    assert "Idempotency-Key" in refused.json()["error"]["message"]
    if protocol == "messages":
        assert refused.json()["type"] == "error"
    if protocol == "gemini":
        assert refused.json()["error"]["code"] == 422


def test_under_way_is_409_and_then_the_answer(house: House) -> None:
    body = {
        "model": over("openai-chat"),
        "messages": [{"role": "user", "content": "[[slow-first: 700]] [[say: late]]"}],
    }
    found: list[Answer] = []
    first = threading.Thread(target=lambda: found.append(house.ask("/v1/chat/completions", body, "slow")))
    calls = house.calls
    first.start()
    eventually(lambda: house.calls > calls, "the first is under way")
    refused = house.ask("/v1/chat/completions", body, "slow")
    assert (refused.status, refused.headers["retry-after"]) == (409, "1")
    assert refused.json()["error"]["code"] == "idempotency_conflict"
    first.join()
    assert same(found[0], house.ask("/v1/chat/completions", body, "slow"))
    assert house.calls == calls + 1


def test_a_client_that_hung_up_gets_its_answer_later(house: House) -> None:
    body = {
        "model": over("openai-chat"),
        "messages": [{"role": "user", "content": "[[slow-first: 300]] [[say: kept]]"}],
    }
    raw = json.dumps(body).encode()
    with socket.create_connection(("127.0.0.1", house.served.port)) as client:
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {house.key}\r\n"
            f"idempotency-key: hung-up\r\ncontent-length: {len(raw)}\r\n\r\n"
        )
        calls = house.calls
        client.sendall(head.encode() + raw)
        eventually(lambda: house.calls > calls, "it was dispatched")
    eventually(lambda: house.served.in_flight == 0, "it ended")
    again = house.ask("/v1/chat/completions", body, "hung-up")
    assert again.headers["idempotent-replayed"] == "true" and b"kept" in again.body
    assert house.calls == calls + 1


def test_keys_of_a_workspace_share_their_names_and_others_do_not(house: House) -> None:
    path, body, _ = PROTOCOLS["chat"]
    mine, ours = (house.served.key(name=name, workspace="acme") for name in ("a", "b"))
    theirs = house.served.key(name="c", workspace="other")
    first = house.ask(path, body, "shared", mine)
    assert same(first, house.ask(path, body, "shared", ours))
    alone = house.ask(path, body, "shared", theirs)
    assert "idempotent-replayed" not in alone.headers and alone.body != first.body
    one, two = (house.served.key(name=name) for name in ("d", "e"))  # of no workspace
    house.ask(path, body, "shared", one)
    assert "idempotent-replayed" not in house.ask(path, body, "shared", two).headers


def test_what_is_kept_is_sealed(house: House) -> None:
    body = {"model": over("openai-chat"), "messages": [{"role": "user", "content": "[[say: canary-of-an-answer]]"}]}
    assert b"canary-of-an-answer" in house.ask("/v1/chat/completions", body, "canary-of-a-name").body
    files = b"".join(one.read_bytes() for one in house.served.data.glob("conflux.db*"))
    assert len(files) > 100_000 and b"canary-of" not in files


def test_many_at_once_are_charged_once(house: House) -> None:
    path, body, _ = PROTOCOLS["chat"]
    key = house.served.key(name="many", budget_usd="5")
    calls = house.calls

    def attempt(_: int) -> Answer:
        while (answer := house.ask(path, body, "many", key)).status == 409:
            time.sleep(0.01)
        return answer

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(attempt, range(48)))
    assert {one.status for one in answers} == {200} and len({one.body for one in answers}) == 1
    assert house.calls == calls + 1
    receipt = house.served.receipt(key, answers[0])
    assert house.served.spent(key) == [receipt["cost_usd"]]


def named(data: Path) -> int:
    """How many names are kept in the database."""
    with contextlib.closing(sqlite3.connect(f"file:{data / 'conflux.db'}?mode=ro", uri=True)) as run:
        (found,) = run.execute("SELECT count(*) FROM kept_answer").fetchone()
    return int(found)


def test_a_killed_server_leaves_no_name_under_way(start: Any) -> None:
    served = start()
    key = served.key(name="k")
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "[[slow-first: 60000]]"}]}

    def attempt() -> None:
        with contextlib.suppress(OSError):
            served.call("POST", "/v1/chat/completions", body, key=key, headers={"idempotency-key": "k"})

    def ask(words: str) -> Answer:
        other = body | {"messages": [{"role": "user", "content": words}]}
        found: Answer = served.call("POST", "/v1/chat/completions", other, key=key, headers={"idempotency-key": "k"})
        return found

    first = threading.Thread(target=attempt)
    first.start()
    eventually(lambda: named(served.data) == 1, "its name is taken")
    assert ask("other").status == 422
    served.process.kill()
    served.process.wait()
    first.join()
    served.start()
    answer = ask("[[say: anew]]")
    assert answer.status == 200 and b"anew" in answer.body
    assert ask("[[say: anew]]").headers["idempotent-replayed"] == "true"
    assert served.run("ledger", "verify").returncode == 0


def test_workers_on_postgresql_share_names(postgres_server: Any, postgres_template: str, tmp_path: Path) -> None:
    name = postgres_server.database(postgres_template)
    served = Served(tmp_path, "", {"DATABASE_URL": postgres_server.url(name)}).start("--workers", "2")
    try:
        key = served.key(name="k", budget_usd="5")
        body = {"model": "gpt-4o-mini", "messages": MESSAGES}

        def attempt(_: int) -> Answer:
            while True:
                answer = served.call("POST", "/v1/chat/completions", body, key=key, headers={"idempotency-key": "k"})
                if answer.status not in (401, 409):  # one worker may not have heard of the key yet
                    return answer
                time.sleep(0.02)

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(attempt, range(24)))
        assert {one.status for one in answers} == {200} and len({one.body for one in answers}) == 1
        usage = served.get("/v1/usage?group_by=", key=key).json()
        assert json.dumps(usage).count('"requests": 1') or json.dumps(usage).count('"requests":1'), usage
        assert served.run("ledger", "verify").returncode == 0
    finally:
        served.stop()
        postgres_server.drop(name)
