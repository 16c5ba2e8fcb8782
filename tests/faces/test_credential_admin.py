"""Twin of faces/credential_admin.py. Over HTTP, and with a provider behind it, in admin/test_house.py."""

from pathlib import Path
from typing import Any

import pytest

from conflux.faces.credential_admin import CredentialAdmin
from conflux.neutral.errors import ConfigError, NoSuch
from conflux.neutral.records import Provider
from tests.faces.admins import office

PROVIDERS = {
    "up": Provider(id="up", base_url="http://127.0.0.1:1", dialects=("openai-chat",)),
    "me": Provider(id="me", base_url="http://127.0.0.1:1", dialects=("openai-chat",), auth="account"),
}


async def test_one_goes_in_and_never_comes_out(tmp_path: Path) -> None:
    broken = False

    async def take_over() -> None:
        if broken:
            raise ConfigError(["that cannot be a key file"])

    async with office(tmp_path) as one:
        admin = CredentialAdmin(one.store.credentials, lambda row, secret: b"sealed", lambda: PROVIDERS, take_over)
        work = admin.table()
        made = await work["credentials.add"]({"provider": "up", "value": " sk-canary-123456 \n", "by": "ann"})
        assert made["last4"] == "3456" and "canary" not in str(made)
        assert (await work["credentials.list"]({}))["credentials"] == [made]
        bad: tuple[dict[str, Any], ...] = (
            {"provider": "none", "value": "x"}, {"provider": "me", "value": "x"}, {"provider": "up", "value": "  "},
            {"provider": "up", "value": "x" * 20_001}, {"provider": "up", "value": "x", "label": "a\nb"},
            {"provider": "up", "value": "x", "last4": "y"},
        )  # fmt: skip
        for params in bad:
            with pytest.raises(ConfigError):
                await work["credentials.add"](params)
        broken = True
        with pytest.raises(ConfigError):
            await work["credentials.add"]({"provider": "up", "value": "x"})
        assert len((await work["credentials.list"]({}))["credentials"]) == 1
        broken = False
        assert (await work["credentials.remove"]({"id": made["id"]}))["removed"]
        with pytest.raises(NoSuch):
            await work["credentials.remove"]({"id": made["id"]})
