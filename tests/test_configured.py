"""What the configuration makes: where secrets are read, who is live, whose catalogue counts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conflux.configured import catalogue_mistakes, make_snapshot, secret_reader
from conflux.settings import Config, load

Made = Callable[..., Config]
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


@pytest.fixture
def made(tmp_path: Path) -> Made:
    def one(text: str = "", environment: dict[str, str] | None = None, **flags: Any) -> Config:
        file = tmp_path / "given.toml"
        file.write_text(text)
        return load({"port": 0, "data": str(tmp_path / "data"), **flags}, environment or {}, str(file))

    return one


def test_where_a_secret_is_read_from(made: Made, tmp_path: Path) -> None:
    (tmp_path / "good").write_text("from-file\n")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    environment = {"SAID": "said", "EMPTY": "", "NAMED_FILE": str(tmp_path / "good"), "BOTH": "said",
                   "BOTH_FILE": str(tmp_path / "good"), "LOST_FILE": str(tmp_path / "missing")}  # fmt: skip
    read = secret_reader(made("", environment))
    found = {name: read(f"env:{name}") for name in ("SAID", "EMPTY", "NAMED", "BOTH", "LOST", "NEVER")}
    assert found == {"SAID": "said", "EMPTY": None, "NAMED": "from-file", "BOTH": "said", "LOST": None, "NEVER": None}
    files = {name: read(f"file:{tmp_path / name}") for name in ("good", "empty", "binary", "missing")}
    assert files == {"good": "from-file", "empty": None, "binary": None, "missing": None}


def test_a_credential_in_the_environment_makes_a_shipped_provider_live(made: Made) -> None:
    assert make_snapshot(made(), None).simulated
    snapshot = make_snapshot(made("", {"OPENAI_API_KEY": "x"}), None)
    assert not snapshot.simulated
    assert {one.live.provider.id for targets in snapshot.pools.values() for one in targets} == {"openai"}


def test_a_catalogue_directory_of_the_owner_is_read_too(made: Made, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "own.toml").write_text(MODEL)
    config = made(f"catalogue_dir = '{folder}'\n")
    assert make_snapshot(config, None).catalogue.resolve("conflux", "own/model") is not None


def test_what_is_wrong_in_the_catalogue_is_told_whole(made: Made) -> None:
    assert catalogue_mistakes(None) == [] == catalogue_mistakes(made())
    assert catalogue_mistakes(made("[[model]]\nstorefront = 'conflux'\nid = 'a'\npool = 'nowhere'\n"))
