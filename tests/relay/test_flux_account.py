"""The money of a panel: the seats add up to the charge, within the hold, whatever its upstreams claim."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conflux.billing.amounts import charge
from conflux.neutral.records import Tier
from conflux.neutral.usage import Provenance, Usage
from conflux.relay.account import Account
from conflux.relay.flux_account import capped, total
from tests.relay.answers import Answer, refused, streamed, usage, whole
from tests.relay.panels import asks, house
from tests.relay.world import World

CLAIM = st.one_of(
    st.none(),
    st.just(usage(0, 0)),
    st.just({"prompt_tokens": "many"}),
    st.builds(usage, st.integers(-5, 20_000), st.integers(-5, 20_000)),
    st.builds(usage, st.integers(0, 10**12), st.integers(0, 10**12)),
)
ANSWER = st.one_of(
    st.builds(lambda used: whole("a draft", used=used), CLAIM),
    st.sampled_from([500, 429, 400]).map(refused),
    st.just(whole("   ")),
)


@settings(max_examples=150)
@given(st.lists(ANSWER, min_size=4, max_size=6), st.booleans(), st.integers(1, 5000))
async def test_seats_sum_to_the_charge_and_the_charge_is_within_the_hold(
    answers: list[Answer], analysis: bool, max_tokens: int
) -> None:
    world = World(house(), *(Answer(list(one.pieces), one.status, one.headers) for one in answers))
    assert await world.run(asks(max_tokens=max_tokens, flux={"analysis": analysis})) is None
    world.check()
    end, (order,) = world.settled, world.ledger.reserved
    assert end.charge == sum(call.cost for call in end.calls) <= order.amount
    billed = [call for call in end.calls if call.cost]
    assert all(call.status == "done" for call in billed)
    assert world.client.status == 200 or end.charge == 0
    if world.client.status == 200:
        told: Any = world.client.json["flux"]["calls"]
        assert sorted(call["cost_usd"] for call in told if call["cost_usd"] != "0") == sorted(
            f"{call.cost / 10**9:.9f}".rstrip("0").rstrip(".") for call in billed
        )
        assert end.usage.total == sum(call.usage.total for call in end.calls if call.usage is not None)


def seats() -> Any:
    world = World(house())
    from conflux.dialects import DIALECTS
    from conflux.relay.admit import admit
    from conflux.relay.parts import Incoming
    from tests.policy.samples import caller

    incoming = Incoming(dialect="openai-chat", body=asks(), secret=None, mount=None)
    shop = world.snapshot.storefront("shop")
    assert shop is not None
    return admit(world.parts, world.snapshot, caller(), shop, DIALECTS["openai-chat"], incoming)


def of(seat: Any, used: Usage, provenance: Provenance = Provenance.PROVIDER) -> Account:
    lines, amount = charge(used, seat.model.price)
    return Account(used, provenance, lines, amount, seat.model.price)


def test_a_seat_costs_no_more_than_was_held_for_it() -> None:
    seat = seats().flux.sources[0]
    honest = of(seat, Usage(input=10, output=100))
    assert capped(honest, seat, seat.hold) == honest
    high = of(seat, Usage(input=seat.envelope.size, output=seat.max_output + 900))
    assert high.charge > seat.hold.amount
    for found in (high, of(seat, Usage(input=10**6), Provenance.ESTIMATED)):
        assert capped(found, seat, seat.hold).charge == seat.hold.amount


CREDITS: Any = {
    "of_storefront": {"billing": "tier_credits"},
    "of": {"bob": {"tier": Tier.ULTRA}, "cat": {"tier": None}},
}
RATES = (3000, 8000, 0, 3000)  # micro-credits a token: PRO, ULTRA, none, PRO


@pytest.mark.parametrize("stream", [False, True])
async def test_each_seat_costs_the_credits_of_its_own_tier(stream: bool) -> None:
    lie = whole("two", used=usage(10**6, 7))
    answer = streamed("answer") if stream else whole("answer")
    untrue = streamed("answer", used=usage(10**6, 7)) if stream else whole("answer", used=usage(10**6, 7))
    for answers, seats_ in (
        ([whole("one"), whole("two"), whole("three"), answer], RATES),
        ([whole("one"), whole("two"), whole("three"), untrue], RATES[:3]),
        ([whole("one"), lie, whole("three"), answer], (3000, 0, 3000)),
        ([refused(500), whole("two"), refused(500)], (8000,)),
    ):
        world = World(house(**CREDITS), *answers)
        assert await world.run(asks(stream)) is None
        world.check()
        (order,) = world.ledger.reserved
        assert world.settled.credits == 11 * sum(seats_) <= order.credits


async def test_the_credits_held_are_those_of_the_tiers_and_by_tokens_where_bytes_are_too_many() -> None:
    said = [{"role": "user", "content": "say hello " * 500}]
    world = World(house(**CREDITS), *(whole("d", used=usage(1500, 7)) for _ in range(4)))
    assert await world.run(asks(messages=said, max_tokens=10)) is None
    (order,) = world.ledger.reserved
    read = len(asks(messages=said, max_tokens=10))
    assert order.credits > read * sum(RATES) > 0
    tight = World(house(**CREDITS), *(whole("d", used=usage(1500, 7)) for _ in range(4)))
    tight.ledger.cap = order.amount - 1
    assert await tight.run(asks(messages=said, max_tokens=10)) is None
    tight.check()
    by_bytes, by_tokens = tight.ledger.reserved
    assert (by_bytes.amount, by_bytes.credits) == (order.amount, order.credits)
    assert by_tokens.amount < order.amount * 0.8 and by_tokens.credits < order.credits * 0.6
    end = tight.settled
    assert end.charge == sum(call.cost for call in end.calls) <= by_tokens.amount
    assert world.settled.credits == end.credits == 1500 * sum(RATES) <= by_tokens.credits


def test_a_sum_is_as_good_as_its_worst_part() -> None:
    fuser = seats()
    one, two, _ = fuser.flux.sources
    cases = [
        ([Provenance.PROVIDER, Provenance.PROVIDER], Provenance.PROVIDER),
        ([Provenance.PROVIDER, Provenance.ESTIMATED], Provenance.ESTIMATED),
        ([Provenance.PROVIDER, Provenance.QUARANTINED], Provenance.ESTIMATED),
        ([Provenance.QUARANTINED, Provenance.QUARANTINED], Provenance.QUARANTINED),
    ]
    for parts, whole_ in cases:
        found = [(seat, of(seat, Usage(input=1), part)) for seat, part in zip((one, two), parts, strict=True)]
        assert total(found, None, fuser).provenance is whole_
    own = of(fuser, Usage(output=5), Provenance.PARTIAL)
    both = total([(one, of(one, Usage(input=1)))], own, fuser)
    assert (both.provenance, both.own, both.usage) == (Provenance.PARTIAL, own, Usage(input=1, output=5))
    assert total([], None, fuser).provenance is Provenance.UNKNOWN
