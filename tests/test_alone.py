"""Operations without a server: the store is opened by whoever asks, and made only where something is to be kept."""

from pathlib import Path

import pytest

from conflux.alone import operate
from conflux.neutral.errors import ConfigError
from conflux.settings import Config, load


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.chdir(tmp_path)
    return load({"data": str(tmp_path / "data")}, {})


async def test_an_operation_opens_the_store_itself_and_lets_it_go(config: Config) -> None:
    key = await operate(config, "keys.create", {"name": "laptop"})
    assert key["key"].startswith("cf_live_")
    listed = await operate(config, "keys.list", {})
    assert [row["name"] for row in listed["keys"]] == ["laptop"]
    for name in ("server.reload", "server.status"):
        with pytest.raises(ConfigError, match="no server runs"):
            await operate(config, name, {})
    with pytest.raises(ConfigError, match="there is no operation"):
        await operate(config, "keys.destroy", {})


@pytest.mark.parametrize("name", ["keys.list", "keys.revoke", "ledger.verify"])
async def test_what_needs_something_makes_nothing(config: Config, name: str) -> None:
    with pytest.raises(ConfigError, match=r"there is no gateway's data in .*data: name another with --data"):
        await operate(config, name, {"id": "key_1"})
    assert not config.data_dir.exists()


async def test_the_catalogue_is_there_without_a_store(config: Config) -> None:
    assert len((await operate(config, "models.list", {}))["models"]) > 10
    assert not config.data_dir.exists()
