"""How a panel's answers are taken."""

from typing import Any

import pytest

from conflux.dialects import DIALECTS
from conflux.dialects.base import Wanted
from conflux.neutral.usage import Usage
from conflux.relay.flux_lanes import DraftLane, FusedLane, Replay
from tests.dialects.test_flux_field import writer
from tests.relay.answers import DONE, FINISH, ROLE, said, whole
from tests.relay.panels import house
from tests.relay.world import World

WANTED = Wanted(answer_id="chatcmpl-1", model="shop/flux", created=7)


def reader() -> Any:
    return DIALECTS["openai-chat"].reader({})


def body(text: str, reason: str = "stop") -> bytes:
    return b"".join(piece for piece in whole(text).pieces if isinstance(piece, bytes)).replace(b"stop", reason.encode())


def test_a_draft_is_its_text_and_says_whether_it_was_ended_by_its_model() -> None:
    for reason, ended in (("stop", True), ("length", False)):
        lane = DraftLane(reader(), False)
        lane.whole(body("hello", reason))
        assert (lane.text, lane.whole_one) == ("hello", ended)
    gathered = DraftLane(reader(), True)
    gathered.whole(ROLE + said("hel") + said("lo") + FINISH + DONE)
    assert gathered.text == "hello"


def test_a_draft_is_nobodys_answer() -> None:
    lane = DraftLane(reader(), False)
    for call in (lambda: lane.feed(b""), lane.end, lambda: lane.last(Usage()), lane.keep_alive):
        with pytest.raises(AssertionError):
            call()


@pytest.mark.parametrize("name", [one for one in DIALECTS if one != "embeddings"])
def test_nothing_of_an_answer_is_written_before_its_content(name: str) -> None:
    """So that a fuser that dies there leaves no trace: the next one's answer is a whole one."""
    one = writer(name, WANTED)
    dead = FusedLane(one, reader(), False)
    assert dead.feed(ROLE) == b""
    alive = FusedLane(one, reader(), False)
    fresh = FusedLane(writer(name, WANTED), reader(), False)
    for piece in (ROLE, said("hel"), said("lo"), FINISH + DONE):
        assert alive.feed(piece) == fresh.feed(piece)
    assert alive.last(Usage(input=1)) == fresh.last(Usage(input=1))


@pytest.mark.parametrize("name", [one for one in DIALECTS if one != "embeddings"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_draft_can_be_the_answer_of_any_dialect(name: str, stream: bool) -> None:
    draft = DraftLane(reader(), False)
    draft.whole(body("hello there"))
    target = World(house()).snapshot.pools["ann"][0]
    replay = Replay(writer(name, WANTED), draft, target, 5.0, stream=stream)
    out = replay.pending + replay.lane.last(Usage(input=1, output=2))
    assert b"hello there" in out
    assert bool(replay.pending) is stream
    assert replay.lane.tally.done and replay.first_byte == 5.0
    replay.broke()
    replay.close(good=True)
    assert replay.seconds() == 0
