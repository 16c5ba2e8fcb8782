"""Who really answered reaches no client: not in a header, an id, an error, a note or a receipt."""

import asyncio
from base64 import b64encode
from typing import Any

import pytest

from tests.system.serving import Served
from tests.system.upstreams import CANARIES, Upstreams
from tests.system.wire import request, wire

TEXTS = ["hello", "please break", *(f"status {code}" for code in (400, 401, 403, 404, 413, 422, 429, 500, 503, 529))]


# So many failures shut the target, and then another model would answer.
PLAINLY = b"x-conflux-fallback: off\r\n"


def spoken(data: bytes) -> list[str]:
    lowered = data.lower()
    found = [word for word in CANARIES if word.encode() in lowered or b64encode(word.encode()) in data]
    return found + [word for word in ("fp_", "openai", "x_groq", "native_finish") if word.encode() in lowered]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("text", TEXTS)
async def test_no_byte_of_an_answer_tells(
    real: Served, real_key: str, upstreams: Upstreams, text: str, stream: bool
) -> None:
    before = upstreams.canary.received
    async with wire(real.port) as one:
        await one.send(request(real_key, text, model="acme/canary", stream=stream, extra=PLAINLY))
        answer = await one.answer()
        assert spoken(bytes(one.received)) == [], one.received
    assert upstreams.canary.received > before, "it was really called"
    mine = await asyncio.to_thread(real.get, f"/v1/receipts/{answer.headers['x-request-id']}", key=real_key)
    assert mine.status == 200 and spoken(mine.body) == []
    if text == "hello":
        assert answer.status == 200 and b"hello" in answer.body
        assert b'"model":"acme/canary"' in answer.body


async def test_usage_that_is_asked_for_tells_our_price_and_not_the_upstreams_cost(real: Served, real_key: str) -> None:
    async with wire(real.port) as one:
        asked: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
        await one.send(request(real_key, model="acme/canary", extra=PLAINLY, **asked))
        usage = (await one.answer()).events()[-2]["usage"]
        assert spoken(bytes(one.received)) == []
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (3, 2)
    assert usage["cost"] == 0.000007
    assert not {"cost_details", "is_byok"} & set(usage)


def test_an_admin_sees_it_all(real: Served, real_key: str) -> None:
    answer = real.chat(real_key, "hello", model="acme/canary")
    call = real.receipt(real.key(admin=True), answer)["calls"][0]
    assert call["target"] == "canaryprovider/canarymodel-7b/cloud"
    assert call["upstream_id"] == "canaryid-chatcmpl"


def test_no_public_page_tells(real: Served, real_key: str) -> None:
    for path in ("/", "/v1/models", "/v1/models/acme/canary", "/v1/key", "/health/ready", "/nothing", "/metrics"):
        assert spoken(real.get(path, key=real_key).body.replace(b"openai/", b"").replace(b"-7b", b"")
                      .replace(b"openai", b"")) == []  # fmt: skip


def test_the_upstream_learns_nothing_of_the_client(real: Served, real_key: str, upstreams: Upstreams) -> None:
    headers = {
        "cookie": "session=mine",
        "x-api-key": real_key,
        "user-agent": "clientagent/1.0",
        "x-forwarded-for": "203.0.113.7",
        "referer": "https://page.test/",
        "origin": "https://page.test",
        "x-request-id": "clientid",
        "openai-organization": "clientorg",
        "accept-encoding": "gzip",
    }
    body: dict[str, Any] = {"model": "acme/canary", "messages": [{"role": "user", "content": "hello"}]}
    answer = real.call("POST", "/v1/chat/completions", body, key=real_key, headers=headers)
    assert answer.status == 200
    sent, seen = upstreams.canary.heard[-1]
    heard = {name.lower(): value for name, value in sent.items()}
    text = str(heard)
    for word in (real_key, "session=mine", "clientagent", "203.0.113.7", "page.test", "clientid", "clientorg"):
        assert word not in text
    assert heard["x-request-id"] == answer.headers["x-request-id"]
    assert heard["accept-encoding"] == "identity" and heard["x-canary"] == "canarysecret"
    assert set(heard) == {"host", "content-type", "content-length", "user-agent", "x-request-id", "x-canary",
                          "accept-encoding", "connection"}  # fmt: skip
    assert seen["model"] == "canarymodel-7b" and seen["messages"] == body["messages"]
