"""Whatever cannot be served is told clearly, in the storefront's shape: nothing is sent upstream, nothing is charged.

Law: one table. A row is what is sent, the status, and the words that the message must name.
"""

import gzip
import json
from typing import Any

import pytest

from tests.system.serving import Answer, Served
from tests.system.upstreams import Upstreams

USER = {"role": "user", "content": "hi"}
GOOD: dict[str, Any] = {"model": "acme/good", "messages": [USER]}
NO = object()


def body(**changes: Any) -> bytes:
    """The good body with some fields changed; NO leaves one out."""
    return json.dumps({name: value for name, value in {**GOOD, **changes}.items() if value is not NO}).encode()


def deep(levels: int) -> bytes:
    return body()[:-1] + b', "metadata": ' + b'{"a":' * levels + b"1" + b"}" * levels + b"}"


# (what is wrong, body, the parameter that is named, words of the message)
TABLE: list[tuple[str, bytes, str | None, tuple[str, ...]]] = [
    ("empty", b"", None, ("JSON",)),
    ("no JSON", b"model=gpt-4o-mini", None, ("JSON",)),
    ("cut JSON", body()[:-1], None, ("JSON",)),
    ("JSON and more", body() + b"{}", None, ("JSON",)),
    ("two values", body() + body(), None, ("JSON",)),
    ("a comment", b"/* hi */" + body(), None, ("JSON",)),
    ("a list", b"[]", None, ("object",)),
    ("a text", b'"hi"', None, ("object",)),
    ("null", b"null", None, ("object",)),
    ("no UTF-8", body().replace(b'"hi"', b'"\xff\xfe"'), None, ("UTF-8",)),
    ("cut UTF-8", body().replace(b'"hi"', b'"\xe2\x82"'), None, ("UTF-8",)),
    ("UTF-16", body().decode().encode("utf-16"), None, ()),
    ("a byte order mark", b"\xef\xbb\xbf" + body(), None, ("JSON",)),
    ("a lone surrogate", body().replace(b'"hi"', b'"\\ud800"'), None, ("surrogate",)),
    ("NaN", body(temperature=0.5).replace(b"0.5", b"NaN"), None, ("JSON",)),
    ("Infinity", body(temperature=0.5).replace(b"0.5", b"Infinity"), None, ("JSON",)),
    ("a huge exponent", body(temperature=0.5).replace(b"0.5", b"1e999"), None, ()),
    ("a key twice", body()[:-1] + b', "model": "acme/bad"}', "model", ("model", "twice")),
    ("a key twice inside", body().replace(b'"role"', b'"role": "system", "role"'), "role", ("role", "twice")),
    ("a key twice by escape", body()[:-1] + b', "\\u006dodel": "acme/bad"}', "model", ("model", "twice")),
    ("nested too deep", deep(64), None, ("nested", "64")),
    ("nested far too deep", deep(40_000), None, ("nested", "64")),
    ("control characters", body().replace(b'"hi"', b'"h\x01i"'), None, ("JSON",)),
    ("no messages", body(messages=NO), "messages", ("messages",)),
    ("messages null", body(messages=None), "messages", ("messages",)),
    ("messages text", body(messages="hi"), "messages", ("messages",)),
    ("messages object", body(messages=USER), "messages", ("messages",)),
    ("empty messages", body(messages=[]), "messages", ("messages",)),
    ("a message that is text", body(messages=["hi"]), "messages", ("messages",)),
    ("no role", body(messages=[{"content": "hi"}]), "messages", ("role",)),
    ("unknown role", body(messages=[{"role": "wizard", "content": "hi"}]), "messages", ("role", "wizard")),
    ("role of a wrong type", body(messages=[{"role": 1, "content": "hi"}]), "messages", ("role",)),
    ("content of a wrong type", body(messages=[{"role": "user", "content": 1}]), "messages", ("content",)),
    ("content object", body(messages=[{"role": "user", "content": {}}]), "messages", ("content",)),
    ("unknown part", body(messages=[{"role": "user", "content": [{"type": "smell"}]}]), "messages", ("smell",)),
    ("part without type", body(messages=[{"role": "user", "content": [{"text": "hi"}]}]), "messages", ("type",)),
    ("no model nor task", body(model=NO), "model", ("model", "task_type")),
    ("model and task", body(task_type="simple_chat"), "task_type", ("model", "task_type")),
    ("unknown task", body(model=NO, task_type="sing"), "task_type", ("sing", "simple_chat", "agentic_complex")),
    ("model null", body(model=None), "model", ("model",)),
    ("model of a wrong type", body(model=7), "model", ("model",)),
    ("stream of a wrong type", body(stream="yes"), "stream", ("stream",)),
    ("temperature 3", body(temperature=3), "temperature", ("temperature", "2")),
    ("temperature below", body(temperature=-0.1), "temperature", ("temperature", "0")),
    ("temperature text", body(temperature="hot"), "temperature", ("temperature",)),
    ("top_p 2", body(top_p=2), "top_p", ("top_p",)),
    ("max_tokens below", body(max_tokens=-1), "max_tokens", ("max_tokens",)),
    ("max_tokens zero", body(max_tokens=0), "max_tokens", ("max_tokens",)),
    ("max_tokens huge", body(max_tokens=10**30), "max_tokens", ("max_tokens",)),
    ("max_tokens fraction", body(max_tokens=1.5), "max_tokens", ("max_tokens",)),
    ("another max below", body(max_completion_tokens=-5), "max_completion_tokens", ("max_completion_tokens",)),
    ("n zero", body(n=0), "n", ("n",)),
    ("n huge", body(n=10**6), "n", ("n",)),
    ("stop of a wrong type", body(stop=5), "stop", ("stop",)),
    ("tools of a wrong type", body(tools="hammer"), "tools", ("tools",)),
    ("a tool without a name", body(tools=[{"type": "function", "function": {}}]), "tools", ("name",)),
    ("unknown format", body(response_format={"type": "poem"}), "response_format", ("response_format",)),
    ("stream options wrong", body(stream_options={"include_usage": "yes"}), "stream_options", ("stream_options",)),
    ("logprobs of a wrong type", body(logprobs="all"), "logprobs", ("logprobs",)),
    ("vision where there is none", body(messages=[{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "https://page.test/a.png"}}]}]), "messages", ("image", "acme/good")),
    ("more than fits", body(messages=[{"role": "user", "content": "a b c " * 49_700}], max_tokens=1025), "messages",
     ("acme/good", "95000")),
    ("a field in the wrong case", body(Temperature=1), "Temperature", ("temperature",)),
]  # fmt: skip


@pytest.fixture(scope="module")
def untouched(real: Served, real_key: str, upstreams: Upstreams) -> Any:
    """Nothing of this module is sent upstream, held or charged."""
    before = upstreams.received, real.spent(real_key)
    yield
    assert (upstreams.received, real.spent(real_key)) == before
    assert real.in_flight == 0


def refused(answer: Answer, status: int, param: str | None, words: tuple[str, ...]) -> dict[str, Any]:
    """Is it OpenAI's error object with all this in it?"""
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"
    content = answer.json()
    assert set(content) == {"error"}
    error: dict[str, Any] = content["error"]
    assert {"message", "type", "param", "code"} <= set(error)
    named = error["param"]  # messages, or more closely messages[0].role
    assert named == param or (
        param is not None and named is not None and named.startswith((f"{param}[", f"{param}."))
    ), error
    for word in words:
        assert word in error["message"], error
    assert len(error["message"]) < 1000
    return error


@pytest.mark.parametrize(("raw", "param", "words"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_bad_body(
    real: Served, real_key: str, untouched: None, raw: bytes, param: str | None, words: tuple[str, ...]
) -> None:
    answer = real.call("POST", "/v1/chat/completions", raw, key=real_key)
    error = refused(answer, 400, param, words)
    assert error["type"] == "invalid_request_error"
    assert real.get(f"/v1/receipts/{answer.headers['x-request-id']}", key=real_key).status == 404


MOUNTED = [row for row in TABLE if row[0] in ("no JSON", "no messages", "unknown role", "temperature 3", "a key twice")]


@pytest.mark.parametrize("storefront", ["tokenflux", "inference", "llmbase"])
def test_each_storefront_refuses_alike(real: Served, untouched: None, storefront: str) -> None:
    key = real.key(storefront=storefront)
    for _, raw, param, words in MOUNTED:
        for path in (f"/{storefront}/v1/chat/completions", "/v1/chat/completions"):
            refused(real.call("POST", path, raw, key=key), 400, param, words)
    answer = real.chat(key, "hi", model="no-such-model")
    error = refused(answer, 404, "model", ("Unknown model: no-such-model",))
    assert error["code"] == "model_not_found"


def test_a_stream_is_refused_before_it_begins(real: Served, real_key: str, untouched: None) -> None:
    answer = real.call("POST", "/v1/chat/completions", body(stream=True, temperature=3), key=real_key)
    refused(answer, 400, "temperature", ("temperature",))


KEYS = [
    ("missing", None, "no API key"),
    ("empty", "", "not valid"),
    ("of nobody", "cf_live_" + "x" * 49, "not valid"),
    ("of another house", "sk-proj-0123456789", "not valid"),
    ("too short", "cf_live_", "not valid"),
    ("10 KB", "cf_live_" + "x" * 10_000, "not valid"),
    ("odd letters", "cf_live_ÿüé", "not valid"),
    ("SQL", "cf_live_' OR 1=1 --", "not valid"),
    ("markup", "cf_live_<script>${jndi:x}", "not valid"),
]


@pytest.mark.parametrize(("key", "words"), [row[1:] for row in KEYS], ids=[row[0] for row in KEYS])
def test_a_bad_key(real: Served, untouched: None, key: str | None, words: str) -> None:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    for path in ("/v1/chat/completions", "/tokenflux/v1/chat/completions"):
        answer = real.call("POST", path, GOOD, headers=headers)
        error = refused(answer, 401, None, (words,))
        assert error["code"] == "invalid_api_key"
        assert not key or key[8:] == "" or key not in error["message"]
    for path in ("/v1/key", "/v1/receipts/req_0000000000000000", "/metrics"):
        refused(real.get(path, headers=headers), 401, None, (words,))


def test_a_key_off_by_one_letter(real: Served, real_key: str, untouched: None) -> None:
    for place in (8, len(real_key) // 2, -1):
        letters = list(real_key)
        letters[place] = "a" if letters[place] != "a" else "b"
        refused(real.call("POST", "/v1/chat/completions", GOOD, key="".join(letters)), 401, None, ("not valid",))


def test_an_expired_key(real: Served, untouched: None) -> None:
    from datetime import UTC, datetime, timedelta

    from tests.system.serving import eventually

    key = real.key(expires=(datetime.now(UTC) + timedelta(seconds=1.2)).isoformat())
    eventually(lambda: real.get("/v1/key", key=key).status == 401, "the key expires")
    refused(real.call("POST", "/v1/chat/completions", GOOD, key=key), 401, None, ("expired",))


def test_a_revoked_key(real: Served, untouched: None) -> None:
    made = real.ask("keys.create")
    assert real.get("/v1/key", key=made["key"]).status == 200
    real.ask("keys.revoke", id=made["id"])
    refused(real.call("POST", "/v1/chat/completions", GOOD, key=made["key"]), 401, None, ())


def test_a_budget_that_is_too_small(real: Served, untouched: None) -> None:
    key = real.key(budget_usd="0.000001")
    error = refused(real.call("POST", "/v1/chat/completions", GOOD, key=key), 402, None, ())
    assert error["type"] == "insufficient_quota"


@pytest.mark.parametrize(
    ("encoding", "status"), [("gzip", 400), ("deflate", 400), ("zstd", 400), ("br", 415), ("gzip, gzip", 415)]
)
def test_a_body_that_is_not_packed_as_it_says(
    real: Served, real_key: str, untouched: None, encoding: str, status: int
) -> None:
    for path in ("/v1/chat/completions", "/v1/chat/completions?x=1"):
        answer = real.call("POST", path, GOOD, key=real_key, headers={"content-encoding": encoding})
        refused(answer, status, None, ("content-encoding",))
        assert answer.headers.get("accept-encoding") == ("gzip, deflate, zstd" if status == 415 else None)


def test_a_bomb_is_a_body_over_the_limit(real: Served, real_key: str, untouched: None) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 100_000
    answer = real.call("POST", "/v1/chat/completions", bomb, key=real_key, headers={"content-encoding": "gzip"})
    refused(answer, 413, None, ("300000",))


def test_a_body_over_the_limit(real: Served, real_key: str, untouched: None) -> None:
    for path in ("/v1/chat/completions", "/tokenflux/v1/chat/completions"):
        answer = real.call("POST", path, body(messages=[{**USER, "content": "x" * 300_000}]), key=real_key)
        error = refused(answer, 413, None, ("300000",))
        assert error["code"] == "request_too_large"
