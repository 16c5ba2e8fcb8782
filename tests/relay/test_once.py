"""A named request: done once, kept where it was whole, and told again without asking anybody."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from conflux.dialects.base import Place
from conflux.neutral.errors import GatewayError, Kind, StoreError
from conflux.neutral.ledger import Ending
from conflux.neutral.ports import Headers, KeptAnswer
from conflux.relay.once import Recorder, once_of
from conflux.relay.parts import Incoming
from tests.policy.samples import SHOP, caller, policy
from tests.relay.answers import broken, refused, request, streamed, whole
from tests.relay.world import KEY, Client, World

NAME = b"order-17"


class Shelf:
    """Implements ports.AnswerStore over the world's ledger: what is settled is there."""

    seconds = 86_400

    def __init__(self, world: World, most: int = 10_000) -> None:
        self._world = world
        self.most_bytes = most
        self.trouble: Exception | None = None

    async def find(self, name: bytes) -> KeptAnswer | None:
        if self.trouble is not None:
            raise self.trouble
        ledger = self._world.ledger
        for order in reversed(ledger.reserved):
            if order.once is None or order.once.name != name:
                continue
            number, body = order.request_id, order.once.body
            if number in ledger.holds:
                return KeptAnswer(body=body, sealed=None, request_id=number)
            end = ledger.settled[number]
            if end.kept is not None and end.kept.sealed is not None:
                return KeptAnswer(body=body, sealed=end.kept.sealed, request_id=number, cost=end.charge)
        return None

    def seal(self, name: bytes, answer: bytes) -> bytes:
        return name + answer[::-1]

    def open(self, name: bytes, sealed: bytes) -> bytes:
        assert sealed.startswith(name)
        return sealed[len(name) :][::-1]


def world_of(*answers: Any, most: int = 10_000) -> World:
    world = World(None, *answers)
    world.parts = replace(world.parts, answers=Shelf(world, most))
    world.gateway.parts = world.parts
    return world


def ask(body: bytes, name: bytes = NAME, **how: Any) -> Incoming:
    return Incoming(dialect="openai-chat", body=body, secret=KEY, mount=None, once=name, **how)


async def asked(world: World, body: bytes, name: bytes = NAME) -> Client:
    """One request at its end, by a client of its own."""
    world.client = client = Client(world)
    await world.gateway.generate(ask(body, name), client)
    return client


def plain_headers(client: Client) -> Headers:
    return [one for one in client.headers if one[0] != b"idempotent-replayed"]


@pytest.mark.parametrize("stream", [False, True])
async def test_the_second_try_gets_the_first_ones_answer(stream: bool) -> None:
    world = world_of(streamed("hel", "lo") if stream else whole())
    first = await asked(world, request(stream))
    again = await asked(world, request(stream))
    assert (first.status, again.status) == (200, 200)
    assert again.body == first.body and b"lo" in again.body
    assert plain_headers(again) == first.headers
    assert again.text[b"idempotent-replayed"] == b"true" and b"idempotent-replayed" not in first.text
    assert len(world.upstream.calls) == 1 and len(world.ledger.asked) == 1
    assert world.meter.open == 0


async def test_what_it_cost_is_its_receipts_word() -> None:
    world = world_of(whole())
    await asked(world, request())
    (number,) = world.ledger.settled
    world.ledger.settled[number] = replace(world.ledger.settled[number], charge=5)
    assert (await asked(world, request())).text[b"x-shop-cost-usd"] == b"0.000000005"


async def test_another_body_is_refused_and_another_name_is_another_request() -> None:
    world = world_of(whole(), whole())
    await asked(world, request())
    other = await asked(world, request(max_tokens=5))
    assert other.status == 422 and b"idempotency_mismatch" in other.body
    assert (await asked(world, request(max_tokens=5), b"order-18")).status == 200
    assert len(world.upstream.calls) == 2


async def test_while_it_is_under_way_others_are_told_to_wait() -> None:
    gate = asyncio.Event()
    answer = whole()
    answer.pieces.insert(0, gate)
    world = world_of(answer)
    first = Client(world)
    task = asyncio.create_task(world.gateway.generate(ask(request()), first))
    while not world.upstream.opened:
        await asyncio.sleep(0)
    waiting = await asked(world, request())
    assert waiting.status == 409 and waiting.text[b"retry-after"] == b"1" and b"idempotency_conflict" in waiting.body
    assert (await asked(world, request(max_tokens=5))).status == 422
    gate.set()
    await task
    assert (await asked(world, request())).body == first.body


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("first", [refused(400), refused(500)])
async def test_what_was_refused_frees_the_name(stream: bool, first: Any) -> None:
    good = streamed("good") if stream else whole("good")
    world = world_of(*[first] * 3, good)
    assert (await asked(world, request(stream))).status != 200
    world.upstream.script = [good]
    again = await asked(world, request(stream))
    assert again.status == 200 and b"good" in again.body
    assert world.ledger.asked[0].ending is Ending.FAILED and world.ledger.asked[0].charge == 0


async def test_what_broke_off_frees_the_name() -> None:
    world = world_of(streamed("hel", end=[broken("body")]), streamed("whole"))
    assert b"broke off" in (await asked(world, request(True))).body
    again = await asked(world, request(True))
    assert again.content == "whole" and b"idempotent-replayed" not in again.text


async def test_a_request_that_is_no_good_takes_no_name() -> None:
    world = world_of(whole())
    assert (await asked(world, b"{")).status == 400
    assert world.ledger.reserved == []
    assert (await asked(world, request())).status == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_finds_its_answer_when_it_comes_back(stream: bool) -> None:
    gate = asyncio.Event()
    answer = streamed("hel", "lo") if stream else whole("hello")
    answer.pieces.insert(2 if stream else 0, gate)
    world = world_of(answer)
    client = Client(world)
    task = asyncio.create_task(world.gateway.generate(ask(request(stream)), client))
    while not world.upstream.opened:
        await asyncio.sleep(0)
    client.leave()
    gate.set()
    await task
    assert world.settled.ending is Ending.DONE
    again = await asked(world, request(stream))
    assert (again.content if stream else again.json["choices"][0]["message"]["content"]) == "hello"
    assert len(world.upstream.calls) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_too_large_to_be_kept_is_told_with_its_receipt(stream: bool) -> None:
    world = world_of(streamed("x" * 500, "y") if stream else whole("x" * 500), most=400)
    assert (await asked(world, request(stream))).status == 200
    again = await asked(world, request(stream))
    assert again.status == 409 and b"idempotency_answer_not_kept" in again.body and b"req_" in again.body
    assert b"retry-after" not in again.text
    assert len(world.upstream.calls) == 1


@pytest.mark.parametrize("name", [b"", b"x" * 256, b"\xff", b"a\tb"])
async def test_a_name_that_is_none_is_refused(name: bytes) -> None:
    world = world_of()
    assert (await asked(world, request(), name)).status == 400
    assert world.ledger.reserved == []


async def test_a_bad_key_learns_nothing() -> None:
    world = world_of(whole())
    await asked(world, request())
    world.client = client = Client(world)
    await world.gateway.generate(
        Incoming(dialect="openai-chat", body=request(), secret="x", mount=None, once=NAME), client
    )
    assert client.status == 401


async def test_a_store_that_cannot_say_is_no_answer() -> None:
    world = world_of()
    shelf: Any = world.parts.answers
    shelf.trouble = StoreError("gone")
    assert (await asked(world, request())).status == 503
    assert world.upstream.calls == []


async def test_where_none_are_kept_the_header_is_refused() -> None:
    world = World()
    with pytest.raises(GatewayError, match="Idempotency-Key") as error:
        await world.gateway.generate(ask(request()), Client(world))
    assert error.value.kind is Kind.INVALID and world.upstream.calls == []


async def test_how_much_of_a_rate_was_left_then_is_not_told_now() -> None:
    world = world_of(whole())
    world.keys.callers[KEY] = caller(policies=(policy(requests_per_minute=10),))
    first = await asked(world, request())
    again = await asked(world, request())
    left = {name for name, _ in first.headers} - {name for name, _ in again.headers}
    assert left and all(b"ratelimit" in name for name in left)
    assert world.rates.running() == 0


def test_a_workspace_shares_its_names_and_the_default_one_does_not() -> None:
    def name(text: bytes = NAME, **who: Any) -> bytes:
        return once_of(ask(b"{}", text), caller(**who), SHOP, 0, 1).name

    assert name(workspace_id=2, key_id=1) == name(workspace_id=2, key_id=9)
    assert name(workspace_id=1, key_id=1) != name(workspace_id=1, key_id=9)
    assert name(workspace_id=2) != name(workspace_id=3)
    assert name(workspace_id=2, key_id=3) != name(workspace_id=1, key_id=2)
    assert name(workspace_id=2, test=True) != name(workspace_id=2), "played answers are not real ones"
    assert name(b"a") != name(b"b")


def test_what_is_asked_is_the_way_and_the_bytes() -> None:
    def body(raw: bytes = b"{}", **how: Any) -> bytes:
        return once_of(ask(raw, **how), caller(), SHOP, 0, 1).body

    assert body() == body()
    assert body() != body(b"{ }")
    assert body() != body(place=Place(model="m")) != body(place=Place(model="m", stream=True))
    assert body(place=Place(query="a=1")) == body(), "a query may hold the key"


async def test_the_recorder_forgets_what_it_may_not_keep() -> None:
    world = World()
    recorder = Recorder(Client(world), 4)
    recorder.push(b"abc")
    assert recorder.said == b"abc"
    recorder.push(b"de")
    recorder.push(b"f")
    assert recorder.too_large and recorder.said == b"" and not recorder.gone
