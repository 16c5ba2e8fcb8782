"""Several workers on PostgreSQL, as their users run them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.serving import Served, eventually

BODY = {"model": "conflux/deepseek-v4-pro", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
def served(postgres_server: Any, postgres_template: str, tmp_path: Path) -> Iterator[Served]:
    name = postgres_server.database(postgres_template)
    one = Served(tmp_path, "", {"DATABASE_URL": postgres_server.url(name)})
    yield one
    one.stop()
    postgres_server.drop(name)


def ask(served: Served, key: str) -> Any:
    return served.call("POST", "/v1/chat/completions", BODY, key=key)


def children(served: Served) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == served.process.pid:
                found.append(int(entry.name))
    return found


def test_workers_serve_together_and_hear_of_each_others_changes(served):
    served.start("--workers", "2")
    key = served.admin_key
    assert ask(served, key).status == 200
    made = served.ask("keys.create", storefront="conflux", name="x")
    eventually(lambda: ask(served, made["key"]).status == 200, "a new key works")
    assert [ask(served, made["key"]).status for _ in range(20)] == [200] * 20
    served.ask("keys.revoke", id=made["id"])
    # Heard of by all within five seconds, by most at once.
    eventually(lambda: {ask(served, made["key"]).status for _ in range(20)} == {401}, "revoked everywhere", 5)
    assert len(children(served)) == 2
    answers = [ask(served, key).headers["x-request-id"] for _ in range(20)]
    for number in answers:  # whichever worker made it, each can show it
        assert served.call("GET", f"/v1/receipts/{number}", key=key).status == 200
    counts = served.run("ledger", "verify")
    assert counts.returncode == 0, counts
    assert served.stop() == 0
    assert not children(served)


def test_a_lost_database_is_503_with_retry_after_and_mends_itself(postgres_server, served):
    served.start()
    key = served.admin_key
    assert ask(served, key).status == 200
    postgres_server.stop()
    try:
        answer = ask(served, key)
        assert (answer.status, answer.headers["retry-after"]) == (503, "2")
        eventually(lambda: served.call("GET", "/health/ready").status == 503, "not ready")
        assert "database" in json.dumps(served.ask("server.status")["problems"])
        refused = served.run("keys", "create", "--name", "y")
        assert refused.returncode == 2 and "Traceback" not in refused.stderr
    finally:
        postgres_server.start()
    eventually(lambda: ask(served, key).status == 200, "it recovers")
    eventually(lambda: served.call("GET", "/health/ready").status == 200, "ready again")
    assert served.run("ledger", "verify").returncode == 0


def test_commands_work_without_a_server_and_beside_one_elsewhere(served, tmp_path):
    made = served.run("keys", "create", "--storefront", "conflux", "--name", "x", "--json")
    assert made.returncode == 0, made.stderr
    served.start()
    assert ask(served, json.loads(made.stdout)["key"]).status == 200
    assert served.stop() == 0
    assert served.run("keys", "list").returncode == 0
