"""A conversation in which nothing is said: refused here and by name, not by an upstream in its own words."""

import json

import pytest

from conflux.dialects import DIALECTS
from conflux.dialects.base import Shape
from conflux.neutral.errors import GatewayError
from conflux.neutral.request import Request


def asked(*messages: dict[str, str]) -> Request:
    chat = DIALECTS["openai-chat"]
    return chat.read_request(chat.open(json.dumps({"model": "m", "messages": messages}).encode()))


@pytest.mark.parametrize("over", ["openai-responses", "anthropic-messages", "gemini"])
def test_case_42_nothing_but_empty_texts_is_refused_by_name(over: str) -> None:
    with pytest.raises(GatewayError, match="nothing is said") as error:
        DIALECTS[over].write_request(asked({"role": "user", "content": ""}), Shape(model="m", max_output=9))
    assert error.value.param == "messages"


@pytest.mark.parametrize("over", ["openai-responses", "anthropic-messages"])
def test_case_14_an_instruction_alone_is_a_conversation(over: str) -> None:
    written = DIALECTS[over].write_request(
        asked({"role": "system", "content": "say a"}), Shape(model="m", max_output=9)
    )
    body = json.loads(written.body)
    (said,) = body.get("input") or body["messages"]
    assert "say a" in json.dumps(said) and not body.get("instructions") and not body.get("system")
