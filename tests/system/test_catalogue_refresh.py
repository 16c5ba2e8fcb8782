"""The refresh as an owner meets it: a real provider's list, proposals, decisions, beside a server and without one."""

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.serving import Served

MODELS = ("acme-1", "acme-2", "acme-3")


class Provider(http.server.ThreadingHTTPServer):
    """Lists what it is told to, and notes who asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.body = b""
        self.credentials: list[str | None] = []
        self.lists(*MODELS)

    def lists(self, *names: str, **more: Any) -> None:
        rows = [{"id": name, "context_length": 8000, **more} for name in names]
        self.body = json.dumps({"data": rows}).encode()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        self.server.credentials.append(self.headers.get("authorization"))
        self.send_response(200)
        self.send_header("content-length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as one:
        thread = threading.Thread(target=one.serve_forever, args=(0.01,))
        thread.start()
        yield one
        one.shutdown()
        thread.join()


SECRET = "provider-secret-7"


def shop(folder: Path, provider: Provider) -> Served:
    text = "[[provider]]\n" + f'id = "acme"\nbase_url = "http://127.0.0.1:{provider.server_port}/v1"\n'
    text += 'dialect = "openai-chat"\ncredential = "env:ACME_KEY"\n'
    for name in MODELS:
        text += f'[[pool]]\nid = "{name}"\n[[pool.target]]\nprovider = "acme"\nmodel = "{name}"\n'
    text += '[[model]]\nstorefront = "conflux"\nid = "acme/one"\npool = "acme-1"\ncontext = 8000\n'
    text += 'price = { input = "1", output = "2" }\n'
    return Served(folder, text, {"ACME_KEY": SECRET})


@pytest.fixture(params=["beside a server", "without one"])
def owner(request: pytest.FixtureRequest, tmp_path: Path, provider: Provider) -> Iterator[Served]:
    served = shop(tmp_path, provider)
    with contextlib.ExitStack() as undo:
        if request.param == "beside a server":
            served.start()
            undo.callback(served.stop)
        yield served


def answered(served: Served, *words: str, code: int = 0) -> Any:
    ended = served.run("catalogue", *words, "--json")
    assert ended.returncode == code, ended
    assert ended.stderr == "" and SECRET not in ended.stdout
    return json.loads(ended.stdout)


def model(served: Served) -> dict[str, Any]:
    (found,) = json.loads(served.run("models", "show", "acme/one", "--json").stdout)["models"]
    assert isinstance(found, dict)
    return found


def test_from_a_list_to_a_price_that_counts(owner: Served, provider: Provider) -> None:
    provider.lists(*MODELS, pricing={"prompt": 0.000003, "completion": "0.0000040"})
    done = answered(owner, "sync", "--dry-run")
    assert [one["outcome"] for one in done["sources"]] == ["ok"] and len(done["changes"]) == 4
    assert answered(owner, "diff")["changes"] == []
    assert answered(owner, "sync")["proposals"] == {"open": 4, "new": 4}
    assert set(provider.credentials) == {f"Bearer {SECRET}"}
    before = model(owner)
    assert before["input_usd_per_million"] == "1"  # never silently
    price = next(one for one in answered(owner, "diff")["changes"] if one["field"] == "price")
    assert answered(owner, "accept", str(price["id"]))["accepted"][0]["new"] == {"price": {"input": "3", "output": "4"}}
    found = model(owner)
    assert (found["input_usd_per_million"], found["output_usd_per_million"]) == ("3", "4")
    assert found["price_version"].startswith(f"change-{price['id']} since 20")
    answered(owner, "reject", str(price["id"]))
    assert model(owner) == before
    assert answered(owner, "sync")["proposals"] == {"open": 3, "new": 0}


def test_a_lying_provider_changes_nothing(owner: Served, provider: Provider) -> None:
    answered(owner, "sync")
    for body, outcome in ((b'{"data": []}', "alarm"), (b"<html>no</html>", "failed"), (b'{"data": [{"id', "failed")):
        provider.body = body
        (one,) = answered(owner, "sync", code=1)["sources"]
        assert (one["outcome"], one["models"], one["vanished"]) == (outcome, 3, [])
    assert answered(owner, "diff")["missing"] == []


def test_what_vanished_is_marked_and_still_there_after_a_restart(tmp_path: Path, provider: Provider) -> None:
    served = shop(tmp_path, provider).start()
    try:
        answered(served, "sync")
        provider.lists("acme-1", "acme-3")
        assert answered(served, "sync")["sources"][0]["vanished"] == ["acme-2"]
        marked = served.ask("server.status")["missing_targets"]
        assert (
            list(marked) == ["acme/acme-2/cloud"] and "not in its provider's list since" in marked["acme/acme-2/cloud"]
        )
        assert served.stop() == 0
        served.start()
        assert served.ask("server.status")["missing_targets"] == marked
        assert served.get("/v1/models/acme/one", key=served.key()).status == 200  # nothing is deleted
        provider.lists(*MODELS)
        assert answered(served, "sync")["sources"][0]["back"] == ["acme-2"]
        assert served.ask("server.status")["missing_targets"] == {}
    finally:
        served.stop()


def test_what_was_accepted_but_does_not_fit_any_more_is_told_and_can_be_taken_back(
    tmp_path: Path, provider: Provider
) -> None:
    served = shop(tmp_path, provider)
    rows = tmp_path / "rows.csv"
    rows.write_text("storefront,id,pool\nconflux,acme/two,acme-2\n")
    assert answered(served, "import", str(rows), "--store")["ids"] == [1]
    served.config.write_text(served.config.read_text().replace('id = "acme-2"', 'id = "acme-9"'))
    ended = served.run("models", "list")
    assert ended.returncode == 2 and "change 1 (" in ended.stderr and "no [[pool]] 'acme-2'" in ended.stderr
    answered(served, "reject", "1")
    assert served.run("models", "list").returncode == 0


def test_a_catalogue_is_judged_whole(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    row = '[[model]]\nstorefront = "conflux"\nid = "x"\npool = "gpt-4o"\n'
    (own / "a.toml").write_text(row + "context = -1\nprice = { input = 1 }\n")
    (own / "b.toml").write_text(row.replace("gpt-4o", "nowhere"))
    served = Served(tmp_path)
    ended = served.run("catalogue", "validate", str(own))
    assert ended.returncode == 1 and ended.stderr == "" and len(ended.stdout.splitlines()) >= 3
    assert {line.split(":")[0].rpartition("/")[2] for line in ended.stdout.splitlines()} <= {"a.toml", "b.toml"}
    assert served.run("catalogue", "validate").returncode == 0
    assert not (tmp_path / "data").exists()
