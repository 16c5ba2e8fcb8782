"""From an answer to its settlement: who is believed, what it costs, what the house owes."""

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from conflux.billing.amounts import Hold
from conflux.dialects.base import Tally
from conflux.neutral.ledger import Ending
from conflux.neutral.money import PriceSheet, usd
from conflux.neutral.records import Tier
from conflux.neutral.request import BY_TOOLS, Need
from conflux.neutral.usage import Provenance, Usage
from conflux.relay.account import NO_ACCOUNT, account, cost_of, measure
from tests.policy.samples import caller
from tests.relay.answers import COST, INPUT, OUTPUT, Answer, broken, refused, request, streamed, usage, whole
from tests.relay.shops import shop
from tests.relay.test_admit import admitted
from tests.relay.world import KEY, World


def tally(usage: Usage | None = None, *, absurd: bool = False, output: int = 0) -> Tally:
    found = Tally()
    found.usage, found.usage_absurd, found.output_bytes = usage, absurd, output
    return found


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("reported", "absurd", "cut", "provenance"),
    [
        (Usage(input=3, output=4), False, False, Provenance.PROVIDER),
        (Usage(input=3, output=4), False, True, Provenance.PROVIDER),
        (Usage(), False, False, Provenance.PROVIDER),
        (None, False, False, Provenance.ESTIMATED),
        (None, False, True, Provenance.PARTIAL),
        (None, True, False, Provenance.QUARANTINED),
        (None, True, True, Provenance.QUARANTINED),
    ],
)
def test_whose_word_counts(
    reported: Usage | None, absurd: bool, cut: bool, provenance: Provenance, stream: bool
) -> None:
    one = admitted(request(stream, messages=[{"role": "user", "content": "x" * 40}], metadata={"note": "y" * 4000}))
    found, said = measure(tally(reported, absurd=absurd, output=41), one, cut=cut)
    assert said is provenance
    assert found == (reported or Usage(input=10, output=11))


def test_an_account_adds_up_and_what_is_quarantined_has_no_lines() -> None:
    one = admitted(request())
    found = account(tally(Usage(input=3, output=4)), one, cut=False)
    assert found.charge == 3 * INPUT + 4 * OUTPUT == sum(line.amount for line in found.lines)
    absurd = account(tally(absurd=True, output=41), one, cut=False)
    assert (absurd.lines, absurd.charge) == ((), 0)
    assert (NO_ACCOUNT.charge, NO_ACCOUNT.lines) == (0, ())


@pytest.mark.parametrize(
    "used", [Usage(input=10**6), Usage(cache_read=10**6), Usage(output=10**6), Usage(reasoning=10**6)]
)
def test_a_count_that_cannot_be_true_is_not_billed(used: Usage) -> None:
    found = account(tally(used, output=41), admitted(request(max_tokens=100)), cut=False)
    assert (found.charge, found.lines, found.provenance) == (0, (), Provenance.QUARANTINED)
    assert found.usage.total < 1000  # our own count


def test_what_a_provider_fetches_for_a_request_may_be_long() -> None:
    one = admitted(request())
    one = replace(one, envelope=replace(one.envelope, needs=frozenset({Need.WEB_SEARCH})))
    assert account(tally(Usage(input=10**6)), one, cut=False).provenance is Provenance.PROVIDER


@pytest.mark.parametrize("used", [Usage(input=60_000), Usage(cache_read=60_000, output=9)])
def test_what_its_own_tools_bring_in_is_billed_though_no_need_says_so(used: Usage) -> None:
    one = admitted(request(max_tokens=100))
    assert account(tally(used), one, cut=False).provenance is Provenance.QUARANTINED
    one = replace(one, envelope=replace(one.envelope, fetches=BY_TOOLS))
    assert account(tally(used), one, cut=False).provenance is Provenance.PROVIDER


def test_thinking_beside_the_limit_is_billed_and_an_answer_beyond_it_is_not() -> None:
    one = admitted(request(max_tokens=100))
    assert account(tally(Usage(output=90, reasoning=30_000)), one, cut=False).provenance is Provenance.PROVIDER
    assert account(tally(Usage(output=30_000, reasoning=90)), one, cut=False).provenance is Provenance.QUARANTINED


def test_without_a_price_nothing_is_charged() -> None:
    one = admitted(request(), shop(price=PriceSheet()), caller(test=True))
    found = account(tally(Usage(input=3)), one, cut=False)
    assert (found.lines, found.charge) == ((), 0)


def test_an_answer_says_the_cost_that_its_receipt_will() -> None:
    one = admitted(request())
    found = account(tally(Usage(input=3, output=4)), one, cut=False)
    assert cost_of(found, one) == Raw(usd(found.charge).encode())
    small = msgspec.structs.replace(one, hold=Hold(found.charge - 1, 0))
    assert cost_of(found, small) == Raw(usd(found.charge - 1).encode()), "nobody pays more than was held"
    free = msgspec.structs.replace(small, simulated=True)
    assert cost_of(found, free) == Raw(usd(found.charge).encode())
    silent = msgspec.structs.replace(one.storefront, usage_cost=False)
    assert cost_of(found, msgspec.structs.replace(one, storefront=silent)) is None


# --- what the settlement says


async def test_the_settlement_of_an_answer_says_it_all() -> None:
    cost = PriceSheet(input=500_000, output=1_000_000)
    world = World(
        shop(of_target={"cost": cost}, price=PriceSheet(input=1_000_000, output=2_000_000, version="7")), whole()
    )
    world.keys.callers[KEY] = caller()
    await world.run(request())
    end = world.settled
    assert (end.served_model, end.price_version, end.status) == ("shop/one", "7", 200)
    assert end.provider_cost == COST // 2
    (call,) = end.calls
    assert (call.role, call.model, call.status, call.cost, call.provider_cost) == (
        "direct",
        "shop/one",
        "done",
        COST,
        COST // 2,
    )
    assert call.usage == end.usage


async def test_what_the_house_owes_is_unknown_where_its_cost_is() -> None:
    for cost in (None, PriceSheet(input=1)):
        world = World(shop(of_target={"cost": cost}), whole())
        await world.run(request())
        assert (world.settled.provider_cost, world.settled.calls[0].provider_cost) == (0, None)


@pytest.mark.parametrize(
    ("scheme", "micro", "header"),
    [("usd", 0, None), ("tier_credits", 33_000, b"0.033"), ("token_credits", COST // 1000, b"0.000025")],
)
async def test_the_storefronts_scheme_says_which_credits_a_receipt_and_its_headers_carry(
    scheme: str, micro: int, header: bytes | None
) -> None:
    for stream in (False, True):
        world = World(shop(of_storefront={"billing": scheme}), streamed("a") if stream else whole())
        await world.run(request(stream))
        assert (world.settled.credits, world.settled.charge) == (micro, COST)
        assert world.client.text.get(b"x-shop-credits") == (None if stream else header)


async def test_what_is_quarantined_costs_no_credits_either() -> None:
    world = World(shop(of_storefront={"billing": "tier_credits"}), whole(used=usage(-1, 5)))
    await world.run(request())
    assert (world.settled.provenance, world.settled.credits) == (Provenance.QUARANTINED, 0)


async def test_credits_go_by_the_tasks_tier_and_else_by_the_models() -> None:
    for body, tier, micro in [
        (request(), Tier.ULTRA, 8),
        (request(model=None, task_type="simple_chat"), Tier.ULTRA, 1),
        (request(model=None, task_type="creative"), Tier.ULTRA, 3),
        (request(), None, 0),
    ]:
        world = World(shop(tier=tier, of_storefront={"billing": "tier_credits"}), whole())
        await world.run(body)
        assert world.settled.credits == 11 * micro * 1000


@pytest.mark.parametrize(
    ("answers", "ending", "charged", "calls"),
    [
        ([refused(500), whole()], Ending.DONE, COST, ["failed", "done"]),
        ([refused(500), Answer(fault=broken())], Ending.FAILED, 0, ["failed", "failed"]),
        ([refused(400)], Ending.FAILED, 0, ["failed"]),
    ],
)
async def test_failed_attempts_are_on_the_receipt_and_cost_nothing(
    answers: list[Answer], ending: Ending, charged: int, calls: list[str]
) -> None:
    world = World(shop(2), *answers)
    await world.run(request())
    end = world.settled
    assert (end.ending, end.charge) == (ending, charged)
    assert [call.status for call in end.calls] == calls
    assert all(call.cost == 0 and call.usage is None for call in end.calls if call.status == "failed")
    assert (end.served_model is None) is (ending is Ending.FAILED)


async def test_the_times_are_the_clocks() -> None:
    world = World()

    def later() -> None:
        world.clock.ticks += 0.25

    pieces = streamed("a").pieces
    world.upstream.script = [Answer([later, *pieces[:2], later, later, *pieces[2:]])]
    await world.run(request(stream=True))
    assert (world.settled.first_byte_ms, world.settled.latency_ms) == (250, 750)
    world = World(shop(2))
    world.upstream.script = [Answer([later, *refused(500).pieces], status=500), Answer([later, *whole().pieces])]
    await world.run(request())
    assert world.settled.first_byte_ms == world.settled.latency_ms == 500
    assert world.settled.calls[0].latency_ms == 250
