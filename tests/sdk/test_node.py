"""The official openai client for Node against a running server, and the lock it is installed by."""

import json
from typing import Any

import pytest

from tests.sdk.nodes import FOLDER, run_node
from tests.system.serving import Served

ID = "conflux/deepseek-v4-pro"


@pytest.fixture(scope="module")
def found(plain: Served, plain_key: str) -> Any:
    return run_node("models.mjs", plain.address + "/v1", plain_key, ID)


def test_models_are_listed(found: Any, plain: Served, plain_key: str) -> None:
    rows = plain.get("/v1/models", key=plain_key).json()["data"]
    assert found["listed"] == rows
    assert found["page"] == [row["id"] for row in rows]
    assert found["object"] == "list"


def test_a_model_is_retrieved(found: Any) -> None:
    assert (found["retrieved"]["id"], found["retrieved"]["object"]) == (ID, "model")
    assert found["retrieved"] in found["listed"]


def test_refusals_are_the_clients_own_errors(found: Any) -> None:
    assert (found["unknown"]["name"], found["unknown"]["status"]) == ("NotFoundError", 404)
    assert (found["stranger"]["name"], found["stranger"]["status"]) == ("AuthenticationError", 401)
    assert found["stranger"]["code"] == "invalid_api_key"
    assert all(found[one]["requestID"].startswith("req_") for one in ("unknown", "stranger"))


def test_the_lock_holds_hashes_and_no_address() -> None:
    text = (FOLDER / "package-lock.json").read_text()
    assert "://" not in text and '"resolved"' not in text
    packages = json.loads(text)["packages"]
    assert len(packages) > 1
    assert all(entry["integrity"].startswith("sha512-") for path, entry in packages.items() if path)
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
