"""Models switched on and off."""

from pathlib import Path

import pytest

from conflux.neutral.errors import ConfigError, NoSuch
from tests.faces.admins import office


async def test_off_and_on_again_count_at_once(tmp_path: Path) -> None:
    async with office(tmp_path) as admin:

        def enabled(id: str) -> bool:
            found = admin.snapshot.catalogue.resolve("shop", id)
            assert found is not None
            return found.enabled

        before = admin.snapshot
        assert await admin.do("models.disable", id="uno") == {
            "models": [{"storefront": "shop", "id": "shop/one", "status": "disabled"}]
        }
        assert not enabled("shop/one") and enabled("shop/two")
        assert before.catalogue.models["shop", "shop/one"].enabled  # a request under way ends as it began
        assert admin.snapshot.version > before.version
        await admin.do("models.enable", id="shop/one", storefront="shop")
        await admin.do("models.enable", id="shop/off")
        assert enabled("shop/one") and enabled("shop/off")


async def test_it_is_remembered(tmp_path: Path) -> None:
    async with office(tmp_path) as admin:
        await admin.do("models.disable", id="shop/one")
    async with office(tmp_path) as admin:
        await admin.refresh()
        assert not admin.snapshot.catalogue.models["shop", "shop/one"].enabled


async def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    async with office(tmp_path) as admin:
        with pytest.raises(NoSuch, match="no model 'nobody'"):
            await admin.do("models.disable", id="nobody")
        with pytest.raises(ConfigError, match="there are shop"):
            await admin.do("models.disable", id="shop/one", storefront="mall")
        with pytest.raises(ConfigError, match=r"models enable: .*id"):
            await admin.do("models.enable")
