"""A storefront more, with data alone: the page's example in a folder, and it lists, shows and serves its models."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.serving import Served

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def written() -> str:
    """The page's own example."""
    (block,) = re.findall(r"```toml\n(\[\[storefront.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(block)


@pytest.fixture(scope="module")
def corner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("corner")
    (folder / "more").mkdir()
    (folder / "more" / "corner.toml").write_text(written())
    served = Served(folder, f'catalogue_dir = "{folder / "more"}"\n').start()
    yield served
    served.stop()


def test_it_lists_in_the_shape_its_data_name(corner: Served) -> None:
    row = {"id": "corner/small", "object": "model", "created": 1_700_000_000, "owned_by": "corner", "name": "Small",
           "description": "", "context_length": 10_000}  # fmt: skip
    assert corner.get("/corner/v1/models").json()["data"][1] == row
    rich = corner.get("/corner/v1/models?metadata=true&filter=agents").json()["data"]
    assert [(one["id"], one["pricing"]) for one in rich] == [
        ("corner/small", {"prompt": "0.00000125", "completion": "0.0000025"})
    ]
    assert corner.get("/corner/models").status == 401


def test_its_keys_open_it_at_the_root_and_nothing_else(corner: Served) -> None:
    key = corner.key(storefront="corner", name="till")
    assert key.startswith("cs_")
    for path in ("/v1/models", "/models", "/corner/models"):
        assert [row["id"] for row in corner.get(path, key=key).json()["data"]] == ["corner/shared", "corner/small"]
    assert corner.get("/llmbase/v1/models", key=key).status == 401
    for path in ("/v1/models/", "/corner/v1/models/"):
        for name in ("corner/small", "corner%2Fsmall", "small"):
            assert corner.get(path + name, key=key).json()["id"] == "corner/small"
        assert corner.get(path + "gpt-4o-mini", key=key).json()["error"] == "Model not found"


def test_it_serves_under_its_own_name_and_price(corner: Served) -> None:
    key = corner.key(storefront="corner", name="till")
    answer = corner.chat(key, "[[say: hello]]", model="small", path="/corner/v1/chat/completions", max_tokens=20)
    assert answer.status == 200, answer.body
    assert answer.json()["model"] == "small"
    assert answer.json()["choices"][0]["message"]["content"] == "hello"
    assert answer.headers["x-corner-served-model"] == "corner/small"
    receipt = corner.receipt(key, answer)
    assert (receipt["storefront"], receipt["served_model"]) == ("corner", "corner/small")
    assert {line["unit_price"] for line in receipt["lines"]} == {"0.00000125", "0.0000025"}


def test_the_others_are_as_they_were(corner: Served) -> None:
    assert "corner/small" not in str(corner.get("/v1/models").json())
    assert len(corner.get("/llmbase/v1/models").json()["data"]) == 18
