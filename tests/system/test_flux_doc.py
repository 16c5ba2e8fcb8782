"""docs/flux.md is true: each of its commands answers, with a panel in it."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.system.serving import Served
from tests.system.test_api_doc import by_curl, by_hand

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "flux.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^curl .+$", PAGE, re.MULTILINE)


def test_there_is_a_command_for_each_protocol_and_the_dry_run() -> None:
    assert len(COMMANDS) == 6
    for path in ("/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/route/explain"):
        assert any(path in command for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_answers(command: str, plain: Served, plain_key: str) -> None:
    names = {"BASE": plain.address, "CONFLUX_KEY": plain_key, "PATH": "/usr/bin:/bin:/usr/local/bin"}
    if shutil.which("curl") is not None:
        assert by_curl(command, names) == 200
    else:
        assert by_hand(command, names, plain) == 200


def test_the_receipt_has_a_line_for_each_seat_and_adds_up(plain: Served, plain_key: str) -> None:
    answer = plain.call("POST", "/v1/chat/completions", {
        "model": "conflux/flux-deep", "messages": [{"role": "user", "content": "[[say: a draft]]"}],
    }, key=plain_key)  # fmt: skip
    flux = answer.json()["flux"]
    receipt = plain.call("GET", f"/v1/receipts/{answer.headers['x-request-id']}", None, key=plain_key).json()
    assert [call["role"] for call in receipt["calls"]] == ["source", "source", "source", "analysis", "fuser"]
    assert [call["cost_usd"] for call in receipt["calls"]] == [call["cost_usd"] for call in flux["calls"]]
    assert receipt["cost_usd"] == flux["cost_usd"]
    nano = [round(float(call["cost_usd"]) * 10**9) for call in receipt["calls"]]
    assert sum(nano) == round(float(receipt["cost_usd"]) * 10**9)
    assert json.dumps(receipt).count("simulator/") == 0, "targets are for admins"
