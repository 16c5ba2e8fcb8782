"""An upstream's own words: what may be passed on, and what never."""

from typing import Any

import pytest
from msgspec.structs import replace

from conflux.relay.scrub import scrub
from conflux.relay.snapshot import LiveTarget
from tests.relay.shops import shop
from tests.relay.world import World


def named(
    model: str = "vendor/secret-model-7", host: str = "https://api.acme-ai.test:8443", **fields: Any
) -> LiveTarget:
    world = World(shop(of_provider={"id": "acme1", "label": "Acme Inc", "base_url": host, **fields}))
    (live, *_) = next(one for one in world.snapshot.pools.values() if one)
    return replace(live, target=replace(live.target, model=model))


@pytest.mark.parametrize(
    ("message", "passes"),
    [
        ("max_tokens must be at most 100", True),
        ("Unsupported parameter: 'temperature'", True),
        ("", False),
        ("vendor/secret-model-7 cannot do this", False),
        ("The model `secret-model-7` cannot do this", False),
        ("ask ACME INC for more", False),
        ("account acme1 is closed", False),
        ("see https://status.example.com", False),
        ("api.acme-ai.test has no such path", False),
        ("x" * 5000, True),
    ],
)
def test_words_that_name_the_upstream_are_replaced(message: str, passes: bool) -> None:
    found = scrub(message, named())
    assert (found == message[:1000]) is passes
    assert found


@pytest.mark.parametrize(
    ("message", "passes"),
    [("upload an image", True), ("UP is closed", False), ("sign up: it is free", False), ("at group_up_1", False)],
)
def test_a_short_name_tells_only_by_itself(message: str, passes: bool) -> None:
    live = named(id="up", label="")
    assert (scrub(message, live) == message) is passes


def test_the_name_in_the_middle_of_a_host_tells_as_well() -> None:
    plain = named(host="https://api.moonbeam.test/v1")
    assert "moonbeam" not in scrub("Moonbeam does not support logprobs", plain).lower()
    assert scrub("logprobs is not supported", plain) == "logprobs is not supported"


HIDDEN = [
    "org-AbCdEfGhIj0123456789", "proj_abc123DEF456", "req_0123456789abcdef", "req-7f3a9c21", "chatcmpl-9xYz0AbCdEf1234",
    "sk-proj-abcd************wxyz", "sk-...wxyz", "AIzaSyA1234567890", "key-abcd1234", "****wxyz",
    "3f2b8c1e-9d4a-4f6b-8a7c-1e2d3f4a5b6c", "9f86d081884c7d659a2feaa0c55ad015", "ops@vendor.example.com",
    "edge-7.vendor.io",
    "10.0.12.7:8443", "localhost:8000", "node3.cluster.local",
]  # fmt: skip


@pytest.mark.parametrize("ours", HIDDEN)
def test_what_belongs_to_our_account_is_cut_out(ours: str) -> None:
    for text in ("temperature is too high (%s)", "%s: temperature is too high", "temperature is too high, see %s."):
        found = scrub(text % ours, named())
        assert ours not in found and ours.strip("*.")[-4:] not in found
        assert "temperature is too high" in found


@pytest.mark.parametrize(
    "message",
    [
        "messages.0.content.1.type: unknown value 'video'",
        "tools[3].function.name must match ^[a-zA-Z0-9_-]{1,64}$",
        "max_tokens (200000) must be at most 16384",
        "tool_calls.0.id 'call_1' was not answered",
        "response_format.json_schema.name: project_summary is not allowed",
        "This model's maximum context length is 128000 tokens, however you asked for 128001",
        "request_id must be a string",
        "the function get_team_members has no parameters",
    ],
)
def test_what_helps_the_caller_stays(message: str) -> None:
    assert scrub(message, named()) == message


def test_nothing_but_ids_says_nothing() -> None:
    assert scrub("org-AbCdEfGhIj0123456789", named()) == "[…]"


@pytest.mark.timeout(20)
def test_no_message_takes_long() -> None:
    for piece in ("a", "a.", "0", "a-", "a@", "aB3", "*", "-", "1."):
        scrub(piece * 200_000, named())
