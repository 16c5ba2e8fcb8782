"""Which lane an answer travels, and that both carry the same."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from conflux.dialects import DIALECTS
from conflux.dialects.base import Dialect, Lane, Wanted, Written
from conflux.neutral.errors import GatewayError, invalid
from conflux.neutral.usage import Usage
from conflux.relay.admitted import Admitted
from conflux.relay.lanes import CompatLane, is_passthrough, prepare, upstream_dialect
from conflux.relay.snapshot import LiveTarget
from tests.relay.answers import DONE, FINISH, ROLE, USED, event, request, said, whole
from tests.relay.shops import shop
from tests.relay.test_admit import admitted
from tests.relay.world import World

CHAT = DIALECTS["openai-chat"]
WANTED = Wanted(answer_id="chatcmpl-1", model="shop/one", created=1, include_usage=True)


def target(catalogue: Any = None) -> LiveTarget:
    return World(catalogue).snapshot.pools["pond"][0]


def spoken(live: LiveTarget, *dialects: str, lane: str = "auto") -> LiveTarget:
    return replace(live, live=replace(live.live, provider=replace(live.live.provider, dialects=dialects, lane=lane)))


class Foreign:
    """Another dialect, as far as choosing a lane asks."""

    name = "smoke-signals"


def lane_of(one: Admitted, live: LiveTarget, dialect: Dialect, wanted: Wanted) -> Lane:
    return prepare(one, live, dialect, wanted)[2]


def outgoing(one: Admitted, live: LiveTarget, dialect: Dialect) -> tuple[bytes, tuple[str, ...]]:
    written = prepare(one, live, dialect, WANTED)[1]
    return written.body, written.dropped


def test_the_clients_own_dialect_is_spoken_where_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DIALECTS, "smoke-signals", Foreign())
    one = admitted(request())
    for dialects, chosen in [
        (("openai-chat",), "openai-chat"),
        (("smoke-signals", "openai-chat"), "openai-chat"),
        (("smoke-signals",), "smoke-signals"),
    ]:
        assert upstream_dialect(one, spoken(target(), *dialects)).name == chosen


@pytest.mark.parametrize(
    ("dialect", "lane", "through"),
    [("openai-chat", "auto", True), ("openai-chat", "compat", False), ("smoke-signals", "auto", False),
     ("smoke-signals", "compat", False)],
)  # fmt: skip
def test_bytes_pass_through_only_between_like_ends_and_where_nobody_asked_for_compat(
    dialect: str, lane: str, through: bool
) -> None:
    live = spoken(target(), dialect, lane=lane)
    spoken_there: Any = CHAT if dialect == "openai-chat" else Foreign()
    assert is_passthrough(admitted(request()), live, spoken_there) is through


def test_the_lane_is_the_one_that_was_chosen() -> None:
    one = admitted(request())
    assert not isinstance(lane_of(one, target(), CHAT, WANTED), CompatLane)
    assert isinstance(lane_of(one, spoken(target(), "openai-chat", lane="compat"), CHAT, WANTED), CompatLane)


@pytest.mark.parametrize("lane", ["auto", "compat"])
def test_what_goes_out_is_shaped_for_the_target(lane: str) -> None:
    catalogue = shop(of_provider={"lane": lane, "quirks": {"max_tokens_field": "max_completion_tokens"}},
                     of_target={"effort": "low"}, effort="high", max_output=500)  # fmt: skip
    one = admitted(request(stream=True, max_tokens=9000), catalogue)
    body, dropped = outgoing(one, target(catalogue), CHAT)
    sent = json.loads(body)
    assert sent["model"] == "canary-model-0"
    assert sent["max_completion_tokens"] == 500
    assert "max_tokens" not in sent
    assert sent["reasoning_effort"] == "low"  # the target's own before the model's
    assert sent["stream_options"] == {"include_usage": True}
    assert sent["messages"] == [{"role": "user", "content": "say hello"}]
    assert dropped == ()


def test_what_would_choose_past_us_is_left_out_and_named() -> None:
    one = admitted(request(service_tier="flex", provider={"order": ["x"]}, seed=7))
    body, dropped = outgoing(one, target(), CHAT)
    sent = json.loads(body)
    assert sent["seed"] == 7
    assert not {"service_tier", "provider"} & sent.keys()
    assert dropped == ("provider", "service_tier")


async def test_what_cannot_be_translated_is_refused_and_costs_nothing() -> None:
    odd = request(tool_choice={"type": "function"})
    world = World(shop(of_provider={"lane": "compat"}))
    assert await world.run(odd) is None
    world.check()
    assert world.client.status == 400
    assert world.upstream.calls == []
    assert world.settled.charge == 0
    with pytest.raises(GatewayError):
        one = admitted(odd)
        outgoing(one, spoken(target(), "openai-chat", lane="compat"), CHAT)


STREAM = [ROLE, said("hel"), said("lö ☃"), FINISH, event(choices=[], usage=USED), DONE]


def streamed(lane: Any, cut: int) -> tuple[str, list[Any]]:
    data = b"".join(STREAM)
    out = b"".join(lane.feed(data[place : place + cut]) for place in range(0, len(data), cut)) + lane.end()
    out += lane.last(lane.tally.usage or Usage())
    events = [json.loads(line[6:]) for line in out.split(b"\n") if line.startswith(b"data: {")]
    return "".join(c["delta"].get("content") or "" for e in events for c in e["choices"]), events


@pytest.mark.parametrize("cut", [1, 7, 64, 10_000])
def test_both_lanes_carry_the_same_answer_and_count_it_alike(cut: int) -> None:
    one, live = admitted(request(stream=True)), target()
    through = lane_of(one, live, CHAT, WANTED)
    compat = lane_of(one, spoken(live, "openai-chat", lane="compat"), CHAT, WANTED)
    for lane in (through, compat):
        text, events = streamed(lane, cut)
        assert text == "hellö ☃"
        assert events[-1]["usage"]["completion_tokens"] == 7
        assert lane.tally.usage == Usage(input=11, output=7)
        assert lane.tally.output_bytes == len("hellö ☃".encode())
        assert lane.tally.finished and lane.tally.done and lane.tally.fault is None


def test_both_lanes_carry_the_same_whole_answer() -> None:
    one, live = admitted(request()), target()
    body = b"".join(piece for piece in whole("hellö").pieces if isinstance(piece, bytes))
    for lane in (
        lane_of(one, live, CHAT, WANTED),
        lane_of(one, spoken(live, "openai-chat", lane="compat"), CHAT, WANTED),
    ):
        lane.whole(body)
        answer = json.loads(lane.last(lane.tally.usage or Usage()))
        assert answer["choices"][0]["message"]["content"] == "hellö"
        assert answer["choices"][0]["finish_reason"] == "stop"
        assert (answer["id"], answer["model"]) == ("chatcmpl-1", "shop/one")
        assert answer["usage"]["total_tokens"] == 18


def test_what_an_upstream_only_streams_is_gathered_for_a_client_that_wants_it_whole() -> None:
    one = admitted(request())
    live = spoken(target(), "openai-chat")
    live = replace(live, live=replace(live.live, provider=replace(live.live.provider, quirks={"stream_only": True})))
    shape, written, lane = prepare(one, live, CHAT, WANTED)
    assert shape.stream
    assert json.loads(written.body)["stream"] is True
    lane.whole(b"".join(STREAM))
    assert lane.tally.finished
    answer = json.loads(lane.last(lane.tally.usage or Usage()))
    assert answer["choices"][0]["message"]["content"] == "hellö ☃"


async def test_what_one_dialect_cannot_say_goes_to_a_target_that_can(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dumb(Foreign):
        def write_request(self, *_: Any) -> Written:
            raise invalid("smoke has no words", param="messages")

    monkeypatch.setitem(DIALECTS, "smoke-signals", Dumb())
    world = World(shop(), whole())
    able = world.snapshot.pools["pond"][0]
    world.snapshot.pools["pond"] = (replace(spoken(able, "smoke-signals"), weight=10**9, key="dumb"), able)
    assert await world.run(request()) is None
    assert world.client.status == 200
    world.check()
    world = World(shop())
    world.snapshot.pools["pond"] = (spoken(able, "smoke-signals"),)
    assert await world.run(request()) is None
    assert (world.client.status, world.upstream.calls) == (400, [])
    assert world.settled.charge == 0
    world.check()
