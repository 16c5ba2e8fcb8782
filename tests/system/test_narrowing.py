"""What an admin changes beside a running server is seen and enforced by the next request, and fails none."""

import json
import threading
from typing import Any

from tests.system.serving import Served

CLAUDE = {"user-agent": "claude-cli/2.1.0 (external, cli)"}
MODEL = "conflux/glm-5.1"


def ids(served: Served, key: str | None, **headers: Any) -> set[str]:
    answer = served.get("/v1/models", key=key, **headers)
    assert answer.status == 200
    return {row["id"] for row in answer.json()["data"]}


def agreed(served: Served, key: str, model: str) -> bool:
    """Is it there: by the list, by its own page and by running it, which must all say the same."""
    said = {
        model in ids(served, key),
        served.get(f"/v1/models/{model}", key=key).status == 200,
        served.chat(key, "hello", model=model).status == 200,
    }
    assert len(said) == 1
    return said.pop()


def test_a_model_switched_off_is_gone_with_the_next_request_and_comes_back(plain: Served) -> None:
    key = plain.key()
    assert agreed(plain, key, MODEL) and MODEL in ids(plain, None)
    ended = plain.run("models", "disable", MODEL, "--json")
    assert json.loads(ended.stdout)["models"][0]["status"] == "disabled"
    try:
        assert not agreed(plain, key, MODEL) and MODEL not in ids(plain, None)
        rows = json.loads(plain.run("models", "list", "--storefront", "conflux", "--all", "--json").stdout)["models"]
        assert next(row["status"] for row in rows if row["id"] == MODEL) == "disabled"
    finally:
        plain.run("models", "enable", MODEL)
    assert agreed(plain, key, MODEL) and MODEL in ids(plain, None)


def test_each_layer_narrows_at_once(plain: Served) -> None:
    made = plain.ask("keys.create", workspace="layers", user="ann")
    key = made["key"]
    for whose in ({"workspace": "layers"}, {"workspace": "layers", "user": "ann"}, {"key": made["id"]}):
        assert agreed(plain, key, MODEL)
        plain.ask("policies.set", **whose, terms={"deny": ["conflux/glm-*"]})
        assert not agreed(plain, key, MODEL) and agreed(plain, key, "gpt-4o-mini")
        seen = {row["id"]: row for row in plain.ask("policies.preview", key=made["id"])["models"]}
        assert not seen[MODEL]["listed"] and "denies conflux/glm-*" in seen[MODEL]["reason"]
        plain.ask("policies.disable", **whose)
    assert agreed(plain, key, MODEL)


def test_a_workspace_switched_off_opens_nothing_and_says_so(plain: Served) -> None:
    key = plain.key(workspace="closing")
    assert plain.chat(key, "hello").status == 200
    plain.run("workspaces", "disable", "closing")
    answer = plain.chat(key, "hello")
    assert answer.status == 403 and "workspace" in answer.json()["error"]["message"]
    assert plain.get("/v1/models", key=key).status == 403
    plain.run("workspaces", "enable", "closing")
    assert plain.chat(key, "hello").status == 200


def test_a_coding_agents_background_calls_are_served_by_a_chosen_model(plain: Served) -> None:
    key = plain.key(workspace="agents")
    ended = plain.run(
        "policies", "set", "--workspace", "agents",
        "--rule", "claude-code substitute claude-haiku-* by conflux/glm-5.1",
        "--rule", "claude-code deny conflux/kimi-*", "--json",
    )  # fmt: skip
    assert ended.returncode == 0
    body = {"model": "claude-haiku-4-5-20251001", "messages": [{"role": "user", "content": "hi"}]}
    path = "/v1/chat/completions"
    answer = plain.call("POST", path, key=key, body=body, headers=CLAUDE)
    assert answer.status == 200
    assert answer.headers["x-conflux-requested-model"] == "claude-haiku-4-5-20251001"
    assert answer.headers["x-conflux-served-model"] == "conflux/glm-5.1"
    assert plain.receipt(key, answer)["served_model"] == "conflux/glm-5.1"
    assert plain.call("POST", path, key=key, body=body).status == 404
    assert "conflux/kimi-k2.5" in ids(plain, key) - ids(plain, key, headers=CLAUDE)
    denied = {**body, "model": "conflux/kimi-k2.5"}
    assert plain.call("POST", path, key=key, body=denied, headers=CLAUDE).status == 404
    assert plain.call("POST", path, key=key, body=denied).status == 200


def test_a_spent_minute_is_told_with_every_header(plain: Served) -> None:
    made = plain.ask("keys.create")
    plain.ask("policies.set", key=made["id"], terms={"requests_per_minute": 2, "tokens_per_minute": 100_000})
    first, second, third = (plain.chat(made["key"], "hello") for _ in range(3))
    assert [one.status for one in (first, second, third)] == [200, 200, 429]
    assert second.headers["x-ratelimit-remaining-requests"] == third.headers["x-ratelimit-remaining-requests"] == "0"
    for kind in ("requests", "tokens"):
        for name in ("limit", "remaining", "reset"):
            assert f"x-ratelimit-{name}-{kind}" in first.headers and f"x-ratelimit-{name}-{kind}" in third.headers
    assert 1 <= int(third.headers["retry-after"]) <= 60
    assert third.json()["error"]["code"] == "rate_limit_exceeded"
    plain.ask("policies.delete", key=made["id"])
    assert plain.chat(made["key"], "hello").status == 200


def test_changes_fail_no_request(plain: Served) -> None:
    key, answers, stop = plain.key(workspace="busy"), [], threading.Event()

    def ask() -> None:
        while not stop.is_set():
            answers.append((plain.chat(key, "hello").status, plain.get("/v1/models", key=key).status))

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for one in askers:
        one.start()
    try:
        for number in range(15):
            plain.ask("models.disable", id="conflux/kimi-k2.6")
            plain.ask("policies.set", workspace="busy", terms={"requests_per_minute": 10**6 + number})
            plain.ask("models.enable", id="conflux/kimi-k2.6")
            plain.ask("users.create", name=f"user-{number}", workspace="busy")
    finally:
        stop.set()
        for one in askers:
            one.join()
    assert len(answers) > 10 and set(answers) == {(200, 200)}


def test_a_workspace_with_keys_stays(plain: Served) -> None:
    plain.key(workspace="kept")
    ended = plain.run("workspaces", "delete", "kept")
    assert ended.returncode == 2 and "has 1 key" in ended.stderr and ended.stdout == ""
    ended = plain.run("policies", "show", "--workspace", "nobody")
    assert (ended.returncode, ended.stdout) == (1, "") and "'nobody'" in ended.stderr
