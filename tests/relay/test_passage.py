"""The law of an answer: attempt, start, deliver, settle, in this order, each once."""

from typing import Any

import pytest

from conflux.neutral.ledger import Ending
from conflux.neutral.money import PriceSheet, usd
from conflux.neutral.usage import Provenance, Usage
from tests.relay.answers import (
    COST,
    DONE,
    FINISH,
    INPUT,
    OUTPUT,
    USED,
    broken,
    event,
    request,
    said,
    streamed,
    usage,
    whole,
)
from tests.relay.shops import shop
from tests.relay.world import World


async def asked(world: World, body: bytes, **how: Any) -> None:
    assert await world.run(body, **how) is None
    world.check()


# --- the order


async def test_a_plain_answer_is_reserved_sent_settled_and_only_then_given() -> None:
    world = World(None, whole("hello there"))
    await asked(world, request())
    assert world.journal == ["reserved", "send", "settled", "reply 200"]
    answer = world.client.json
    assert answer["choices"][0]["message"]["content"] == "hello there"
    assert answer["usage"] == {**USED, "cost": COST / 10**9}
    assert f'"cost":{usd(COST)}'.encode() in world.client.body, "the ledger's own digits"
    end = world.settled
    assert (end.ending, end.charge, end.provenance) == (Ending.DONE, COST, Provenance.PROVIDER)
    assert end.usage == Usage(input=11, output=7)
    assert world.client.text[b"x-shop-cost-usd"] == b"0.000025"


async def test_a_stream_is_started_before_its_first_byte_and_settled_before_its_last() -> None:
    world = World(None, streamed("hel", "lo"))
    await asked(world, request(stream=True))
    pushes = world.journal.count("push")
    assert world.journal == ["reserved", "send", "started", "begin", *["push"] * pushes, "settled", "finish"]
    assert world.client.content == "hello"
    assert world.client.events[-1] == "DONE"
    assert (world.settled.ending, world.settled.charge) == (Ending.DONE, COST)


async def test_the_last_usage_of_a_stream_says_its_cost_only_where_it_is_asked_for() -> None:
    for asked_for in (True, False):
        world = World(None, streamed("hel", "lo"))
        await asked(world, request(stream=True, stream_options={"include_usage": asked_for}))
        said = [one["usage"] for one in world.client.events[:-1] if one.get("usage")]
        assert said == ([{**USED, "cost": COST / 10**9}] if asked_for else [])


# --- what was used


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("used", "provenance"),
    [
        (USED, Provenance.PROVIDER),
        (usage(0, 0), Provenance.PROVIDER),
        (None, Provenance.ESTIMATED),
        (usage(-5, 3), Provenance.QUARANTINED),
        (usage(10**12, 3), Provenance.QUARANTINED),
        ({"prompt_tokens": "many"}, Provenance.QUARANTINED),
    ],
)
async def test_usage_reported_zero_missing_and_absurd(stream: bool, used: Any, provenance: Provenance) -> None:
    world = World(None, streamed("hello world", used=used) if stream else whole("hello world", used=used))
    body = request(stream)
    await asked(world, body)
    end = world.settled
    assert (end.ending, end.provenance) == (Ending.DONE, provenance)
    if provenance is Provenance.QUARANTINED:
        assert (end.charge, end.lines) == (0, ())
    elif provenance is Provenance.ESTIMATED:
        assert end.usage.output == 3  # eleven bytes, four to a token
        assert 0 < end.usage.input <= len(body) // 4 + 1
        assert end.charge == end.usage.input * INPUT + 3 * OUTPUT
    else:
        assert end.charge == (COST if used is USED else 0)
    assert sum(line.amount for line in end.lines) == end.charge


async def test_what_is_shown_is_what_is_billed() -> None:
    for answer in (streamed("hello", used=None), streamed("hello"), streamed("hello", used=usage(-1, 1))):
        world = World(None, answer)
        await asked(world, request(stream=True, stream_options={"include_usage": True}))
        shown = world.client.events[-2]["usage"]
        billed = world.settled.usage
        assert (shown["prompt_tokens"], shown["completion_tokens"]) == (billed.prompt_total, billed.completion_total)


async def test_usage_is_asked_for_upstream_and_hidden_from_who_did_not_ask() -> None:
    world = World(None, streamed("hello"))
    await asked(world, request(stream=True))
    assert world.upstream.bodies[0]["stream_options"]["include_usage"] is True
    assert b"usage" not in world.client.body


async def test_a_free_models_answer_is_settled_like_any() -> None:
    world = World(shop(price=PriceSheet(input=0, output=0)), whole())
    await asked(world, request())
    assert (world.settled.charge, world.settled.ending) == (0, Ending.DONE)


# --- an answer that breaks off


@pytest.mark.parametrize(
    ("end", "status", "reason"),
    [
        ([broken("body")], "upstream_error", "body: canary-host-0.test refused"),
        ([broken("body", timeout=True)], "upstream_timeout", "body: canary-host-0.test refused"),
        ([], "upstream_error", "the upstream closed before its answer was finished"),
        ([b'data: {"error": {"message": "canary fell over"}}\n\n'], "upstream_error", "canary fell over"),
        ([b"data: {broken\n\n"], "upstream_error", "malformed answer"),
    ],
)
async def test_a_cut_stream_is_paid_as_far_as_it_came_and_says_so(end: list[Any], status: str, reason: str) -> None:
    world = World(None, streamed("hello", " wor", end=end))
    body = request(stream=True)
    await asked(world, body)
    assert world.client.content == "hello wor"
    assert world.client.events[-2]["error"]["code"] == status
    found = world.settled
    assert (found.ending, found.provenance, found.usage.output) == (Ending.CUT, Provenance.PARTIAL, 3)
    assert found.charge == found.usage.input * INPUT + 3 * OUTPUT
    (call,) = found.calls
    assert (call.status, (call.reason or "")[: len(reason)]) == ("cut", reason)
    target = next(iter(world.snapshot.pools["pond"])).key
    assert world.health.of(target).failures == 1


async def test_what_the_upstream_counted_before_it_broke_off_is_its_word() -> None:
    world = World(None, streamed("hello", end=[event(choices=[], usage=USED), broken("body")]))
    await asked(world, request(stream=True))
    assert (world.settled.ending, world.settled.charge) == (Ending.CUT, COST)
    assert world.settled.provenance is Provenance.PROVIDER


async def test_an_upstream_that_has_said_its_last_word_is_not_waited_for() -> None:
    world = World(None, streamed("hello", end=[FINISH, DONE, AssertionError("asked for more")]))
    await asked(world, request(stream=True))
    assert world.settled.ending is Ending.DONE


async def test_an_end_without_done_is_an_end_where_the_upstream_said_why_it_ended() -> None:
    world = World(None, streamed("hello", end=[FINISH]))
    await asked(world, request(stream=True))
    assert world.settled.ending is Ending.DONE
    assert world.client.events[-1] == "DONE"


# --- checkpoints


@pytest.mark.parametrize("sizes", [[100] * 40, [3000, 10, 600], [511, 1, 511, 1], [1], [2000], [512] * 4])
async def test_never_have_512_bytes_gone_out_since_the_last_checkpoint(sizes: list[int]) -> None:
    world = World(None, streamed(*("x" * size for size in sizes), end=[FINISH, DONE]))
    out, push = [0], world.client.push

    def counted(data: bytes) -> bool:
        going = push(data)
        marked = world.ledger.marks[-1].usage.output * 4 if world.ledger.marks else 0
        out.append(len(world.client.content) - marked)
        return going

    world.client.push = counted  # type: ignore[method-assign]
    await asked(world, request(stream=True))
    assert max(out) < 512
    assert len(world.ledger.marks) <= sum(sizes) // 512
    for mark in world.ledger.marks:
        assert mark.amount == mark.usage.input * INPUT + mark.usage.output * OUTPUT


async def test_a_slow_stream_is_marked_every_second() -> None:
    world = World()

    def later() -> None:
        world.clock.ticks += 1.1

    world.upstream.script = [streamed(end=[said("a"), later, said("b"), later, said("c"), FINISH, DONE])]
    await asked(world, request(stream=True))
    assert len(world.ledger.marks) == 2


async def test_a_client_that_reads_slowly_is_waited_for() -> None:
    world = World(None, streamed("hel", "lo"))
    world.client.slow = True
    await asked(world, request(stream=True))
    assert world.client.content == "hello"
    assert world.settled.charge == COST


# --- whose answer it looks like


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("lane", ["auto", "compat"])
async def test_the_answer_names_what_was_asked_for_and_the_first_byte_is_counted(stream: bool, lane: str) -> None:
    for name in ("shop/one", "uno"):
        world = World(shop(of_provider={"lane": lane}), streamed("hello") if stream else whole("hello"))
        await asked(world, request(stream, model=name))
        answers = world.client.events[:-1] if stream else [world.client.json]
        assert {one["model"] for one in answers} == {name}
        assert {one["id"] for one in answers} == {f"chatcmpl-{world.client.text[b'x-request-id'].decode()[4:]}"}
        assert world.client.text[b"x-shop-requested-model"] == name.encode()
        assert world.client.text[b"x-shop-served-model"] == b"shop/one"
        (outcome,) = world.meter.outcomes
        assert outcome is not None and outcome.first_byte == 0.0 and outcome.charge == COST


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("lane", ["auto", "compat"])
async def test_a_storefront_that_echoes_shows_the_upstreams_model_and_nothing_more(stream: bool, lane: str) -> None:
    catalogue = shop(of_storefront={"model_echo": "upstream"}, of_provider={"lane": lane})
    world = World(catalogue, streamed("hello") if stream else whole("hello"))
    assert await world.run(request(stream)) is None
    answers = world.client.events[:-1] if stream else [world.client.json]
    assert {one["model"] for one in answers} == {"canary-model-0"}
    world.client.body = world.client.body.replace(b"canary-model-0", b"")
    world.check()


# --- a defect of ours


async def test_a_defect_before_content_costs_nothing_leaves_no_hold_and_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from conflux.relay import attempt

    def bug(*_: Any) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(attempt, "prepare", bug)
    world = World()
    assert isinstance(await world.run(request()), KeyError)
    world.check()
    assert (world.settled.ending, world.settled.charge) == (Ending.FAILED, 0)


async def test_a_defect_within_a_stream_charges_what_went_out(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(None, streamed("hello", end=[ValueError("a defect")]))
    assert isinstance(await world.run(request(stream=True)), ValueError)
    world.check()
    assert world.settled.ending is Ending.CUT
    assert world.settled.usage.output == 2
    assert "defect" in (world.settled.calls[0].reason or "")


async def test_an_answer_that_cannot_be_written_is_not_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    from conflux.dialects.openai_chat_relay import ChatPassThrough

    def bug(*_: Any) -> bytes:
        raise KeyError("a defect")

    monkeypatch.setattr(ChatPassThrough, "last", bug)
    world = World(None, whole())
    assert isinstance(await world.run(request()), KeyError)
    world.check()
    assert (world.settled.ending, world.settled.charge) == (Ending.FAILED, 0)


# --- what an answer holds and its client cannot be told


@pytest.mark.parametrize("lane", ["auto", "compat"])
async def test_what_of_a_plain_answer_was_left_out_is_named_in_the_header_and_on_the_receipt(lane: str) -> None:
    world = World(shop(of_provider={"lane": lane}), whole("hello", novelty="n"))
    await asked(world, request())
    assert world.client.text[b"x-shop-dropped"] == b"unknown part"
    assert world.settled.dropped == ("unknown part",)


@pytest.mark.parametrize("lane", ["auto", "compat"])
async def test_what_of_a_stream_was_left_out_is_named_on_the_receipt(lane: str) -> None:
    world = World(shop(of_provider={"lane": lane}), streamed("hel", "lo", end=[said("", novelty="n"), FINISH, DONE]))
    await asked(world, request(stream=True))
    assert world.client.content == "hello"
    assert world.settled.dropped == ("unknown part",)
