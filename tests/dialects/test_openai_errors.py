"""Errors as OpenAI's clients read them: every kind has a row, and every row reads well."""

import json

import pytest

from conflux.dialects.openai_errors import ROWS, body, fields, read_upstream_error, status_of
from conflux.neutral.errors import GatewayError, Kind


def test_every_kind_has_a_row() -> None:
    assert set(ROWS) == set(Kind)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("style", ["openai", "conflux"])
def test_the_body_of_every_kind(kind: Kind, style: str) -> None:
    status, raw = body(GatewayError(kind, 'it "broke"\n€', param="p"), style)
    assert status == status_of(kind)
    assert 400 <= status < 600
    found = json.loads(raw)
    if style == "conflux" and kind is Kind.MODEL_NOT_FOUND:
        return
    assert set(found) == {"error"}
    assert list(found["error"]) == ["message", "type", "param", "code"]
    assert found["error"]["message"] == 'it "broke"\n€'
    assert found["error"]["type"]
    assert found["error"]["param"] == "p"


def test_seed_2_has_a_flat_404() -> None:
    status, raw = body(GatewayError(Kind.MODEL_NOT_FOUND, "Unknown model: x", param="model"), "conflux")
    assert status == 404
    assert json.loads(raw) == {
        "error": "Model not found",
        "message": "Unknown model: x",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }
    assert json.loads(body(GatewayError(Kind.NOT_FOUND, "x"), "conflux")[1])["error"]["code"] == "not_found"


def test_the_third_documents_words_begin_what_it_names() -> None:
    def message(kind: Kind, style: str = "inference") -> str:
        found: str = json.loads(body(GatewayError(kind, "why"), style)[1])["error"]["message"]
        return found

    assert message(Kind.UNAUTHENTICATED) == "Missing or invalid authentication: why"
    assert message(Kind.INTERNAL) == "Internal server error: why"
    assert message(Kind.INVALID) == "why" == message(Kind.INTERNAL, "openai")


def test_an_errors_own_code_and_details_are_told() -> None:
    error = GatewayError(Kind.INVALID, "m", code="mine", details={"input_tokens": 5})
    assert fields(error)["code"] == "mine"
    assert fields(error)["details"] == {"input_tokens": 5}
    assert "details" not in fields(GatewayError(Kind.INVALID, "m"))


@pytest.mark.parametrize(
    ("raw", "message", "code"),
    [
        (b'{"error":{"message":"m","type":"t","code":"c"}}', "m", "c"),
        (b'{"error":{"message":"m","type":"t","code":null}}', "m", "t"),
        (b'{"error":"busy","message":"later"}', "later", None),
        (b'{"error":"busy"}', "busy", None),
        (b'{"message":"m","code":42}', "m", "42"),
        (b'{"detail":"d"}', "d", None),
        (b'[{"error":{"message":"m","code":400}}]', "m", "400"),
        (b'{"object":"error","message":"m"}', "m", None),
        (b"{}", "", None),
        (b"[]", "", None),
        (b"5", "", None),
        (b"<html>", "the upstream answered something that is not JSON", None),
        (b"", "the upstream answered something that is not JSON", None),
        (b'{"error":"\xff"}', "the upstream answered something that is not JSON", None),
        (b"[" * 100_000, "the upstream answered something that is not JSON", None),
    ],
)
def test_an_upstreams_error_is_read_as_far_as_it_goes(raw: bytes, message: str, code: str | None) -> None:
    fault = read_upstream_error(418, raw)
    assert (fault.message, fault.code, fault.status) == (message, code, 418)
