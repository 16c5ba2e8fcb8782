"""From bytes to an admitted request: what it resolves to, what it may use, what it holds. Nothing here waits."""

import json
from typing import Any

import pytest

from conflux.billing.amounts import Hold
from conflux.catalogue.catalogue import Catalogue
from conflux.dialects import DIALECTS
from conflux.dialects.base import Place
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.money import PriceSheet
from conflux.neutral.ports import Headers
from conflux.neutral.records import Caller, Capability, Tier
from conflux.neutral.request import BY_TOOLS, Need
from conflux.relay.admit import admit
from conflux.relay.admitted import Admitted, Uncounted
from conflux.relay.parts import Incoming
from conflux.routing.gauge import Counted, Gauge
from tests.policy.samples import caller, model
from tests.relay.answers import INPUT, OUTPUT, request
from tests.relay.shops import shop
from tests.relay.world import World


def admitted(
    body: bytes,
    catalogue: Catalogue | None = None,
    by: Caller | None = None,
    headers: Headers | None = None,
    world: World | None = None,
    seed: int = 0,
    **how: Any,
) -> Admitted:
    world = world or World(catalogue, **how)
    storefront = world.snapshot.catalogue.storefronts["shop"]
    incoming = Incoming(dialect="openai-chat", body=body, secret=None, mount=storefront, headers=headers or [])
    return admit(world.parts, world.snapshot, by or caller(), storefront, DIALECTS["openai-chat"], incoming, seed=seed)


def refused(body: bytes, catalogue: Catalogue | None = None, by: Caller | None = None) -> GatewayError:
    with pytest.raises(GatewayError) as error:
        admitted(body, catalogue, by)
    return error.value


def long(size: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": "x" * size}]


# --- which model


def test_an_id_and_an_alias_resolve_to_the_model_and_what_was_said_is_kept() -> None:
    for name in ("shop/one", "uno"):
        found = admitted(request(model=name))
        assert (found.model.id, found.requested, found.task) == ("shop/one", name, None)


def test_an_alias_is_of_no_use_to_a_key_that_may_not_run_the_model() -> None:
    narrow = caller(models=frozenset({"shop/two"}))
    for name in ("shop/one", "uno", "nobody"):
        error = refused(request(model=name), by=narrow)
        assert (error.kind, error.message) == (Kind.MODEL_NOT_FOUND, f"Unknown model: {name}")
    assert admitted(request(model="uno"), by=caller(models=frozenset({"shop/one"}))).model.id == "shop/one"


def test_a_name_that_was_found_before_is_found_again_and_what_more_is_asked_for_is_judged() -> None:
    world = World()
    first = admitted(request(model="uno"), world=world)
    again = admitted(request(model="uno"), world=world)
    assert (again.model, again.requested, again.hold) == (first.model, "uno", first.hold)
    for more, word in (
        ({"task_type": "creative"}, "not both"),
        ({"prefer": "nonsense"}, "prefer"),
        ({"flux": {}}, "flux"),
    ):
        with pytest.raises(GatewayError) as error:
            admitted(request(model="uno", **more), world=world)
        assert word in error.value.message.lower(), more
    with pytest.raises(GatewayError, match="expired"):
        admitted(request(model="uno"), by=caller(expires_at=1), world=world)
    narrow = caller(models=frozenset({"shop/two"}))
    with pytest.raises(GatewayError, match="Unknown model"):
        admitted(request(model="uno"), by=narrow, world=world)


def tiered(id: str, price: int, *able: Capability, **fields: Any) -> Any:
    prices = PriceSheet(input=price, output=price)
    return model(id=id, price=prices, capabilities=frozenset(able), tier=Tier.PRO, **fields)


TASKED = shop(
    more=[
        tiered("shop/cheap", 1),
        tiered("shop/seeing", 5, Capability.VISION),
        tiered("shop/handy", 7, Capability.TOOLS),
        tiered("shop/off", 0, *Capability, enabled=False),
        tiered("shop/dry", 0, *Capability, pool="dry"),
    ]
)
PICTURE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}]}]
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {}}}]


@pytest.mark.parametrize(
    ("fields", "by", "chosen"),
    [
        ({"task_type": "creative"}, {}, "shop/cheap"),
        ({"task_type": "creative", "messages": PICTURE}, {}, "shop/seeing"),
        ({"task_type": "creative", "tools": TOOLS}, {}, "shop/handy"),
        ({"task_type": "image_gen"}, {}, "shop/seeing"),
        ({"task_type": "file_ops"}, {}, "shop/handy"),
        ({"task_type": "web_browse"}, {}, "shop/one"),
        ({"task_type": "web_browse", "tools": TOOLS}, {}, "shop/handy"),
        ({"task_type": "creative"}, {"models": frozenset({"shop/one"})}, "shop/one"),
    ],
)
def test_a_task_is_given_the_cheapest_of_alike_models_that_serve_this_request(
    fields: dict[str, Any], by: dict[str, Any], chosen: str
) -> None:
    found = admitted(request(model=None, **fields), TASKED, caller(**by))
    assert (found.model.id, found.requested) == (chosen, chosen)
    assert found.task is not None and found.task.name == fields["task_type"]


def test_a_task_nobody_serves_is_a_400() -> None:
    ultra = refused(request(model=None, task_type="deep_reasoning"), TASKED)
    narrow = refused(request(model=None, task_type="creative"), TASKED, caller(models=frozenset({"shop/off"})))
    for error in (ultra, narrow):
        assert (error.kind, error.param) == (Kind.INVALID, "task_type")


@pytest.mark.parametrize("fields", [{"model": None}, {"task_type": "creative"}])
def test_one_of_model_and_task_type_is_needed_and_only_one(fields: dict[str, Any]) -> None:
    error = refused(request(**fields))
    assert error.kind is Kind.INVALID and "task_type" in error.message


# --- how much comes out


def test_the_storefronts_defaults_are_used_where_the_model_takes_them() -> None:
    front = {"default_max_output": 300, "default_temperature": 0.7}
    for published, temperature, most in [
        ((), 0.7, 300),
        (("temperature", "max_tokens"), 0.7, 300),
        (("max_tokens",), None, 300),
        (("temperature",), 0.7, 4096),
        (("tools",), None, 4096),
    ]:
        found = admitted(request(), shop(of_storefront=front, supported_parameters=published))
        assert (found.temperature, found.max_output) == (temperature, most)
    found = admitted(request(max_tokens=20, temperature=0.1), shop(of_storefront=front))
    assert found.max_output == 20
    found = admitted(request(max_completion_tokens=21), shop(of_storefront=front))
    assert found.max_output == 21


async def test_a_default_never_overrules_what_was_said() -> None:
    world = World(shop(of_storefront={"default_max_output": 300, "default_temperature": 0.7}))
    await world.run(request(temperature=0, max_tokens=5))
    assert (world.upstream.bodies[0]["temperature"], world.upstream.bodies[0]["max_tokens"]) == (0, 5)
    world = World(shop(of_storefront={"default_max_output": 300, "default_temperature": 0.7}))
    await world.run(request())
    assert (world.upstream.bodies[0]["temperature"], world.upstream.bodies[0]["max_tokens"]) == (0.7, 300)


async def test_a_larger_answer_than_fits_is_clamped_and_reported() -> None:
    catalogue = shop(safe_context=5000)
    found = admitted(request(max_tokens=32_000), catalogue)
    assert found.max_output == 5000 - found.envelope.size
    assert found.dropped == ("max_tokens",)
    world = World(catalogue)
    await world.run(request(max_tokens=32_000))
    assert world.client.text[b"x-shop-dropped"] == b"max_tokens"
    assert world.settled.dropped == ("max_tokens",)


def test_bytes_settle_what_fits_by_them_and_leave_the_rest_open() -> None:
    tight = shop(safe_context=4000)
    assert admitted(request(messages=long(2800), max_tokens=500), tight).counted is None
    for fields in ({"messages": long(3100)}, {"messages": long(9000)}, {"messages": long(700), "max_tokens": 3900}):
        with pytest.raises(Uncounted):
            admitted(request(**fields), tight)


def counted(body: bytes, catalogue: Catalogue, tokens: int) -> Admitted:
    world = World(catalogue)
    storefront = world.snapshot.catalogue.storefronts["shop"]
    incoming = Incoming(dialect="openai-chat", body=body, secret=None, mount=storefront)
    return admit(world.parts, world.snapshot, caller(), storefront, DIALECTS["openai-chat"], incoming,
                 Counted(tokens, "plain"))  # fmt: skip


def test_a_count_settles_it_by_what_is_known_of_the_model() -> None:
    tight, body = shop(safe_context=4000), request(messages=long(9000), max_tokens=32_000)
    most = Gauge().bound("one", 10_000, Counted(1500, "plain"))
    assert most == 2400
    found = counted(body, tight, 1500)
    assert (found.max_output, found.dropped) == (4000 - most, ("max_tokens",))
    with pytest.raises(GatewayError, match=r"up to 4\d\d\d tokens") as error:
        counted(body, tight, 2600)
    assert error.value.kind is Kind.CONTEXT_LENGTH


async def test_what_is_open_is_counted_and_answered() -> None:
    world = World(shop(safe_context=4000))
    await world.run(request(messages=long(7000)))  # by a quarter
    assert world.client.status == 200
    world = World(shop(safe_context=4000))
    await world.run(request(messages=long(15_000)))
    assert world.client.status == 400 and b"context_length_exceeded" in world.client.body
    assert not world.upstream.bodies


async def test_a_hold_by_bytes_that_is_refused_is_tried_by_tokens() -> None:
    body = request(messages=long(9000), max_tokens=10)
    world = World(shop())
    await world.run(body)
    by_bytes = world.ledger.reserved[-1].amount
    world = World(shop())
    world.ledger.cap = by_bytes - 1
    await world.run(body)
    assert world.client.status == 200 and world.ledger.reserved[-1].amount < by_bytes // 2
    world = World(shop())
    world.ledger.cap = by_bytes // 10
    await world.run(body)
    assert world.client.status == 402 and not world.upstream.bodies


# --- the hold


@pytest.mark.parametrize("choices", [1, 3])
def test_a_hold_covers_every_byte_and_every_choice(choices: int) -> None:
    found = admitted(request(max_tokens=100, n=choices, messages=long(1000)))
    assert found.hold.amount >= 1000 * INPUT + 100 * choices * OUTPUT
    assert found.hold.input_floor == 0  # settled before its body is sent, or not at all


def test_a_streams_floor_is_the_conversation_and_nothing_else() -> None:
    padded = request(stream=True, messages=long(1000), metadata={"note": "y" * 10_000}, user="z" * 5000)
    found = admitted(padded)
    assert found.hold.input_floor == 250 * INPUT
    assert found.hold.amount >= 16_000 * INPUT  # and a hold still covers whatever may be counted


def test_a_hold_covers_searches_where_the_request_may_search() -> None:
    catalogue = shop(price=PriceSheet(input=0, output=0, search=10**10))
    assert admitted(request(web_search_options={}), catalogue).hold.amount >= 10 * 10**7
    assert admitted(request(), catalogue).hold.amount < 10**6


@pytest.mark.parametrize(("dialect", "body"), [
    ("anthropic-messages", {"messages": [{"role": "user", "content": "a"}], "max_tokens": 9, "tools": [
        {"type": "web_search_20250305", "name": "web_search"}]}),
    ("openai-responses", {"input": "a", "tools": [{"type": "web_search"}]}),
    ("gemini", {"contents": [{"parts": [{"text": "a"}]}], "tools": [{"googleSearch": {}}]}),
    ("openai-chat", {"messages": [{"role": "user", "content": "a"}], "web_search_options": {}}),
])  # fmt: skip
def test_a_search_that_is_merely_offered_is_known_of(dialect: str, body: dict[str, Any]) -> None:
    envelope = DIALECTS[dialect].open(json.dumps(body).encode(), Place(model="m"))
    assert envelope.searches or Need.WEB_SEARCH in envelope.needs
    without = {name: value for name, value in body.items() if name not in ("tools", "web_search_options")}
    envelope = DIALECTS[dialect].open(json.dumps(without).encode(), Place(model="m"))
    assert not envelope.searches and Need.WEB_SEARCH not in envelope.needs


# --- who plays


def test_a_test_key_goes_to_the_simulator_and_nowhere_else() -> None:
    found = admitted(request(), by=caller(test=True))
    assert found.simulated
    assert [one.live.provider.id for one in found.targets] == ["simulator"]
    assert not admitted(request()).simulated


@pytest.mark.parametrize(("owner", "by"), [({"credentials": (), "configured": False}, {}), ({}, {"test": True})])
def test_what_posts_nothing_may_run_without_a_price(owner: dict[str, Any], by: dict[str, Any]) -> None:
    unpriced = shop(of_provider=owner, price=PriceSheet())
    found = admitted(request(), unpriced, caller(**by))
    assert (found.simulated, found.hold) == (True, Hold(0, 0))


def test_without_a_live_target_it_is_told_so() -> None:
    error = refused(request(), shop(pool="dry"))
    assert (error.kind, error.param) == (Kind.UNAVAILABLE, "model")


def test_the_rules_are_asked_before_anything_is_measured() -> None:
    huge = request(messages=long(10**6))
    error = refused(huge, shop(safe_context=2000, enabled=False))
    assert error.kind is Kind.MODEL_NOT_FOUND


def test_flux_is_refused_by_name_as_long_as_nobody_runs_it() -> None:
    body = json.loads(request()) | {"flux": {}}
    error = refused(json.dumps(body).encode())
    assert (error.kind, error.param) == (Kind.INVALID, "flux")


FILE = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64," + "A" * 40_000}}


def with_file(**fields: Any) -> bytes:
    text = {"type": "text", "text": "what does it say?"}
    return request(messages=[{"role": "user", "content": [text, FILE]}], **fields)


def reader(**fields: Any) -> Catalogue:
    return shop(capabilities=frozenset({Capability.TEXT, Capability.FILES, Capability.WEB_SEARCH}), **fields)


def test_what_a_provider_reads_by_itself_is_held_for_up_to_what_the_model_reads() -> None:
    plain = admitted(request(max_tokens=10), reader(context=None, safe_context=None))
    wide = admitted(request(max_tokens=10, web_search_options={}), reader(context=None, safe_context=None))
    assert BY_TOOLS < wide.most_input - plain.most_input < BY_TOOLS + 100
    assert wide.hold.amount - plain.hold.amount >= BY_TOOLS * INPUT
    narrow = admitted(request(max_tokens=10, web_search_options={}), reader(context=9000, safe_context=8000))
    assert narrow.most_input == 9000
    file = admitted(with_file(max_tokens=10), reader(context=20_000, safe_context=None))
    assert file.most_input == 20_000 and not file.tight


async def test_a_file_stays_in_the_hold_where_the_words_around_it_are_counted() -> None:
    world = World(reader(context=None, safe_context=None))
    await world.run(with_file(max_tokens=10))
    by_bytes = world.ledger.reserved[-1].amount
    world = World(reader(context=None, safe_context=None))
    world.ledger.cap = by_bytes - 1
    await world.run(with_file(max_tokens=10))
    tried = [one.amount for one in world.ledger.reserved]
    assert all(one >= 40_000 * INPUT for one in tried)
    assert world.client.status in (200, 402)
