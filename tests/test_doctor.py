"""The doctor: what it finds, in its order, and that it changes nothing."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from conflux import doctor
from conflux.doctor import Finding, examine
from conflux.neutral.errors import ConfigError
from conflux.neutral.records import Provider
from conflux.relay.live import live_provider
from conflux.relay.snapshot import LiveProvider
from conflux.settings import Config, load
from conflux.upstream.client import Client

REACH = doctor._reach
Read = Callable[[], Config]


@pytest.fixture(autouse=True)
def reached(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Providers that were connected to; all of them answer."""
    found: list[str] = []

    async def reach(client: Client, one: LiveProvider) -> Finding | None:
        found.append(one.origin)
        return None

    monkeypatch.setattr(doctor, "_reach", reach)
    return found


def reading(path: Path, text: str = "", environment: dict[str, str] | None = None) -> Read:
    file = path / "given.toml"
    file.write_text(text)
    return lambda: load({"data": str(path / "deep" / "er" / "data")}, environment or {}, str(file))


def named(found: list[Finding], what: str) -> list[tuple[bool, str]]:
    return [(well, text) for name, well, text in found if name == what]


def test_a_fresh_machine_is_well_and_stays_untouched(tmp_path: Path) -> None:
    found = examine(reading(tmp_path))
    names = [name for name, _, _ in found]
    assert names == [
        "python",
        "sqlite",
        "configuration",
        "responses",
        "data directory",
        "catalogue",
        "providers",
        "server",
    ]
    assert all(well for _, well, _ in found)
    ((_, providers),) = named(found, "providers")
    assert "simulated" in providers and "OPENAI_API_KEY" in providers
    ((_, server),) = named(found, "server")
    assert "conflux serve" in server
    assert sorted(one.name for one in tmp_path.iterdir()) == ["given.toml"]


def test_it_names_the_providers_that_are_live_and_connects_to_them(tmp_path: Path, reached: list[str]) -> None:
    found = examine(reading(tmp_path, environment={"OPENAI_API_KEY": "hidden", "DEEPSEEK_API_KEY": "hidden"}))
    assert named(found, "providers") == [(True, "deepseek, openai")]
    assert "hidden" not in repr(found)
    assert reached == ["https://api.deepseek.com", "https://api.openai.com"]


def test_it_says_whether_prompts_are_kept(tmp_path: Path) -> None:
    assert named(examine(reading(tmp_path)), "responses") == [(True, "not kept: no prompt is stored")]
    ((well, said),) = named(examine(reading(tmp_path, "[responses]\nkeep_days = 3")), "responses")
    assert well and "3 days" in said


async def test_why_a_provider_cannot_be_reached() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        one = live_provider(Provider(id="p", base_url=f"http://127.0.0.1:{closed.getsockname()[1]}", dialects=()), ())
    client = Client()
    found = await REACH(client, one)
    await client.aclose()
    assert found is not None and found[:2] == ("provider p", False)
    assert "cannot be reached: " in found[2] and one.origin in found[2]


@pytest.mark.parametrize(("content", "word"), [(None, "No such file"), ("no certificate", "no PEM certificate")])
def test_a_file_of_certificates_that_is_none(tmp_path: Path, content: str | None, word: str) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    ((well, text),) = named(examine(reading(tmp_path, f"ca_file = '{file}'\n")), "ca_file")
    assert not well and word in text and str(file) in text


def test_mistakes_of_settings_do_not_hide_those_of_the_catalogue(tmp_path: Path) -> None:
    found = examine(reading(tmp_path, "prot = 1\n[[model]]\nstorefront = 'conflux'\nid = 'x'\npool = 'nowhere'\n"))
    assert ["prot" in text for _, text in named(found, "configuration")] == [True]
    assert any("nowhere" in text for _, text in named(found, "catalogue"))


def test_every_mistake_of_the_configuration_is_a_finding_and_ends_the_look(tmp_path: Path) -> None:
    found = examine(reading(tmp_path, "prot = 1\nport = 'x'\n"))
    assert [well for well, _ in named(found, "configuration")] == [False, False]
    assert named(found, "catalogue") == []


def test_every_mistake_of_the_catalogue_is_a_finding(tmp_path: Path) -> None:
    rows = "".join(f"[[provider]]\nid = 'p{n}'\nbase_url = 'ftp://x'\ndialect = 'openai-chat'\n" for n in range(2))
    found = examine(reading(tmp_path, rows))
    assert len(named(found, "catalogue")) == 2
    assert not any(well for well, _ in named(found, "catalogue"))
    assert named(found, "providers") == []


def test_a_data_directory_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("a file")
    ((well, text),) = named(examine(reading(tmp_path)), "data directory")
    assert not well and "choose another with --data" in text


def test_a_directory_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    ((well, text),) = named(examine(reading(tmp_path)), "data directory")
    assert not well and "cannot be written" in text


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr("conflux.doctor.shutil.disk_usage", lambda _: Usage(100 * 2**20))
    ((well, text),) = named(examine(reading(tmp_path)), "data directory")
    assert not well and "100 MiB free" in text and "make room" in text


@pytest.mark.parametrize("secret", ["pepper", "encryption.key"])
@pytest.mark.parametrize(("mode", "open_"), [(0o600, False), (0o640, True), (0o604, True)])
def test_a_secret_that_others_can_read(secret: str, mode: int, open_: bool, tmp_path: Path) -> None:
    read = reading(tmp_path)
    folder = read().data_dir
    folder.mkdir(parents=True)
    (folder / secret).write_text("x")
    (folder / secret).chmod(mode)
    found = named(examine(read), secret)
    assert found == (
        [(False, f"{folder / secret} can be read by others: chmod 600 {folder / secret}")] if open_ else []
    )


@pytest.mark.parametrize(
    ("module", "name", "old"), [("sys", "version_info", (3, 10)), ("sqlite3", "sqlite_version_info", (3, 36))]
)
def test_old_versions_are_told(
    module: str, name: str, old: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(getattr(doctor, module), name, old)
    assert sum(not well for _, well, _ in examine(reading(tmp_path))) == 1


def test_a_running_server_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "server_runs", lambda path: path == tmp_path / "deep" / "er" / "data")
    assert named(examine(reading(tmp_path)), "server") == [(True, "running")]


def test_a_configuration_that_cannot_be_read_at_all(tmp_path: Path) -> None:
    def read() -> Config:
        raise ConfigError(["nowhere.toml: this configuration file does not exist"])

    assert named(examine(read), "configuration") == [(False, "nowhere.toml: this configuration file does not exist")]


def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    url = "postgresql://nobody:hidden@127.0.0.1:1/none"
    ((well, text),) = named(examine(reading(tmp_path, f"database_url = '{url}'\n")), "database")
    assert not well and "cannot be opened" in text and "hidden" not in text
