"""The stream helpers of the official openai client for Node, over every upstream dialect and on both lanes."""

from typing import Any

import pytest

from tests.sdk.nodes import run_node
from tests.system.fixtures import SPOKEN, over
from tests.system.serving import Served

MODELS = [over(dialect, lane) for dialect in SPOKEN for lane in ("auto", "compat")]
SAID = "Grüße, 世界 👋"
CALLS = [["weather", {"city": "Rome"}], ["weather", {"city": "Oslo"}]]


@pytest.fixture(scope="module")
def heard(wires: Served, wires_key: str) -> Any:
    return run_node("streams.mjs", wires.address + "/v1", wires_key, *MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_chat_completions(heard: Any, model: str) -> None:
    found = heard["found"][model]["chat"]
    assert (found["pieces"], found["content"], found["finish"]) == (SAID, SAID, "stop")
    assert found["usage"]["total_tokens"] > 0
    assert (found["calls"], found["calling"]) == (CALLS, "tool_calls")
    assert "0 degrees" in found["after"] and "1 degrees" in found["after"]
    assert list(found["shaped"]) == ["city"]
    assert found["broken"] is not None and found["broken"]["message"]


@pytest.mark.parametrize("model", MODELS)
def test_responses(heard: Any, model: str) -> None:
    found = heard["found"][model]["responses"]
    assert (found["first"], found["last"], found["content"]) == ("response.created", "response.completed", SAID)
    assert found["usage"]["total_tokens"] > 0
    assert found["calls"] == CALLS
    assert "0 degrees" in found["after"] and "1 degrees" in found["after"]
    assert list(found["shaped"]) == ["city"]
    assert (found["thought"], found["answered"]) == (["hm"], "yes")


def test_without_a_warning(heard: Any) -> None:
    assert heard["warnings"] == []
