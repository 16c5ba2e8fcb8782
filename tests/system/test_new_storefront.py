"""A storefront more, with data alone: one file in a folder, and it lists, shows and serves its models."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.serving import Served

DATA = """
[[storefront]]
id = "corner"
name = "Corner Shop"
mount = "/corner"
key_prefixes = ["cs_"]
list_shape = "llmbase"
error_style = "conflux"
header_prefix = "corner"
margin = "1.25"
keyed_paths = ["/models"]

[[pool]]
id = "corner-small"
target = [{ provider = "openai", model = "gpt-4o-mini" }]

[[model]]
storefront = "corner"
id = "corner/small"
name = "Small"
pool = "corner-small"
aliases = ["small"]
created = 1_700_000_000
context = 10_000
max_output = 1_000
capabilities = ["text", "tools"]
price = { input = "1", output = "2" }

[[model]]
storefront = "corner"
id = "corner/shared"
pool = "gpt-4o-mini"
capabilities = ["text"]
price = { input = "0.1", output = "0.1" }
"""


@pytest.fixture(scope="module")
def corner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("corner")
    (folder / "more").mkdir()
    (folder / "more" / "corner.toml").write_text(DATA)
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
