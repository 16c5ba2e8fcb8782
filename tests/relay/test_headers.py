"""The headers of an answer: our own, and nothing that could break a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.relay.headers import header_value, listed, plain, streamed
from conflux.relay.snapshot import HeaderNames
from tests.policy.samples import caller, model, policy, rule
from tests.relay.answers import CANARY, refused, request, whole
from tests.relay.answers import streamed as stream_of
from tests.relay.shops import PRICE, shop
from tests.relay.test_admit import TASKED, admitted
from tests.relay.world import KEY, Client, World


@given(st.text(max_size=400))
def test_a_header_value_is_one_printable_line_of_a_sane_length(text: str) -> None:
    found = header_value(text)
    assert len(found) <= 300
    assert all(32 <= byte < 127 for byte in found)
    if text.isascii() and text.isprintable():
        assert found == text[:300].encode()


def test_what_was_left_out_is_named_whole_and_once() -> None:
    assert listed(("a", "b", "a")) == b"a, b"
    names = tuple(f"generationConfig.field{place}" for place in range(90))
    found = listed(names).decode().split(", ")
    assert set(found[:-1]) < set(names) and len(", ".join(found)) <= 300
    assert found[-1] == f"and {90 - len(found) + 1} more on the receipt"


def test_the_names_carry_the_storefronts_prefix() -> None:
    names = HeaderNames.of("shop")
    assert names.requested_model == b"x-shop-requested-model"
    assert names.cost_usd == b"x-shop-cost-usd"
    assert names.route_tier == b"x-shop-route-tier"
    assert len({getattr(names, field) for field in names.__struct_fields__}) == len(names.__struct_fields__)


def test_a_plain_answers_headers() -> None:
    world, one = World(), admitted(request(model="uno"))
    found = plain(one, world.snapshot, ("service_tier", "max_tokens"), 60_900, 0, b"req_1")
    assert dict(found) == {
        b"content-type": b"application/json",
        b"x-request-id": b"req_1",
        b"x-shop-cost-usd": b"0.0000609",
        b"x-shop-requested-model": b"uno",
        b"x-shop-served-model": b"shop/one",
        b"x-shop-fallback-applied": b"false",
        b"x-shop-dropped": b"service_tier, max_tokens",
    }


def test_a_streams_headers_forbid_buffering_and_state_no_price_yet() -> None:
    found = dict(streamed(admitted(request(stream=True)), World().snapshot, (), b"req_1"))
    assert found[b"content-type"].startswith(b"text/event-stream")
    assert found[b"cache-control"] == b"no-cache"
    assert found[b"x-accel-buffering"] == b"no"
    assert b"x-shop-cost-usd" not in found
    assert b"x-shop-dropped" not in found


def test_a_simulated_answer_says_so() -> None:
    one = admitted(request(), by=caller(test=True))
    assert dict(plain(one, World().snapshot, (), 0, 0, b"req_1"))[b"x-shop-simulated"] == b"true"


def test_a_task_is_named_with_its_tier() -> None:
    one = admitted(request(model=None, task_type="image_gen"), TASKED)
    found = dict(plain(one, World(TASKED).snapshot, (), 0, 0, b"req_1"))
    assert found[b"x-shop-route-task"] == b"image_gen"
    assert found[b"x-shop-route-tier"] == b"pro"
    assert found[b"x-shop-requested-model"] == found[b"x-shop-served-model"] == b"shop/seeing"


def test_one_answers_headers_do_not_slip_into_the_next() -> None:
    """What is the same for each answer of a model is made once: it must not be what was special about the first."""
    world = World(TASKED)
    first = plain(admitted(request(model=None, task_type="creative"), TASKED), world.snapshot, ("a",), 5, 0, b"req_1")
    again = plain(admitted(request(model="shop/cheap"), TASKED), world.snapshot, (), 7, 0, b"req_2")
    assert dict(first)[b"x-shop-route-task"] == b"creative"
    assert b"x-shop-route-task" not in dict(again) and b"x-shop-dropped" not in dict(again)
    real = plain(admitted(request()), world.snapshot, (), 0, 0, b"req_3")
    played = plain(admitted(request(), by=caller(test=True)), world.snapshot, (), 0, 0, b"req_4")
    assert b"x-shop-simulated" not in dict(real)
    assert b"x-shop-simulated" in dict(played)


@pytest.mark.parametrize("stream", [False, True])
async def test_no_header_of_the_upstream_is_ever_copied(stream: bool) -> None:
    answer = stream_of("hello") if stream else whole()
    answer.headers = [
        (b"server", CANARY.encode()),
        (b"x-request-id", f"{CANARY}-id".encode()),
        (b"set-cookie", f"a={CANARY}".encode()),
        (b"openai-organization", CANARY.encode()),
        (b"access-control-allow-origin", b"*"),
        (b"content-type", f"application/json; x={CANARY}".encode()),
    ]
    world = World(None, answer)
    assert await world.run(request(stream)) is None
    world.check()
    ours = {b"content-type", b"cache-control", b"x-accel-buffering", b"x-request-id"}
    assert all(name in ours or name.startswith(b"x-shop-") for name, _ in world.client.headers)


async def test_no_header_of_a_refusal_is_copied_either() -> None:
    headers = [(b"x-ratelimit-remaining", CANARY.encode()), (b"retry-after", b"9")]
    world = World(shop(), refused(429, headers=headers))
    world.keys.callers[KEY] = caller()
    assert await world.run(request()) is None
    world.check()
    assert set(world.client.text) == {b"content-type", b"x-request-id", b"retry-after"}


async def test_what_was_served_instead_is_said() -> None:
    more = [model(id="shop/two", price=PRICE)]
    world = World(shop(more=more))
    rules = policy(overrides=(rule("substitute", "claude-haiku-*", to="shop/two"),))
    world.keys.callers[KEY] = caller(policies=(rules,))
    agent = [(b"user-agent", b"claude-cli/2.1 (external, cli)")]
    for name in ("claude-haiku-4-5", "claude-haiku-5"):
        world.client = Client(world)
        await world.run(request(model=name), headers=agent)
        assert world.client.status == 200
        text = world.client.text
        assert (text[b"x-shop-requested-model"], text[b"x-shop-served-model"]) == (name.encode(), b"shop/two")
        assert world.client.json["model"] == name
        assert [one.served_model for one in world.ledger.settled.values()][-1] == "shop/two"
    assert not world.snapshot.fixed  # such names are without number: none is remembered
    world.client = Client(world)
    await world.run(request(model="claude-haiku-4-5"))
    assert world.client.status == 404
