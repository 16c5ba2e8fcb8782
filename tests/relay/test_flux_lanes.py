"""How a panel's answers are taken."""

from typing import Any

import pytest

from conflux.dialects import DIALECTS
from conflux.dialects.base import Wanted
from conflux.neutral.events import Began, BlockEnded, Event, Finished, Stop, TextDelta, ThinkingDelta
from conflux.neutral.usage import Usage
from conflux.relay.flux_lanes import DraftLane, FusedLane, Replay, within
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


TOLD: list[Event] = [
    Began(id="a"),
    ThinkingDelta(text="hm"),
    BlockEnded(),
    TextDelta(text="one STOP "),
    TextDelta(text="two"),
    BlockEnded(),
    TextDelta(text="three"),
    BlockEnded(),
    Finished(stop=Stop.END),
]


@pytest.mark.parametrize(
    ("most", "stops", "text", "ended"),
    [
        (None, (), "one STOP twothree", Finished(stop=Stop.END)),
        (99, ("none",), "one STOP twothree", Finished(stop=Stop.END)),
        (17, (), "one STOP twothree", Finished(stop=Stop.END)),
        (16, (), "one STOP twothre", Finished(stop=Stop.LENGTH)),
        (12, (), "one STOP two", Finished(stop=Stop.LENGTH)),
        (3, ("STOP",), "one", Finished(stop=Stop.LENGTH)),
        (4, ("STOP",), "one ", Finished(stop=Stop.STOP_SEQUENCE, sequence="STOP")),
        (None, ("two", "P t", "STOP"), "one ", Finished(stop=Stop.STOP_SEQUENCE, sequence="STOP")),
        (None, ("P t",), "one STO", Finished(stop=Stop.STOP_SEQUENCE, sequence="P t")),
        (None, ("one",), "", Finished(stop=Stop.STOP_SEQUENCE, sequence="one")),
    ],
)
def test_a_draft_ends_where_the_request_says(most: int | None, stops: tuple[str, ...], text: str, ended: Event) -> None:
    found = within(TOLD, most, stops)
    assert "".join(one.text for one in found if isinstance(one, TextDelta)) == text
    assert found[-1:] == [one for one in found if isinstance(one, Finished)] == [ended]
    opened = ""
    for one in found:  # blocks are serial, and each that was opened is ended
        if isinstance(one, BlockEnded):
            assert opened
            opened = ""
        elif isinstance(one, TextDelta | ThinkingDelta):
            assert opened in ("", type(one).__name__)
            opened = type(one).__name__
    assert opened == ""


@pytest.mark.parametrize("name", [one for one in DIALECTS if one != "embeddings"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_draft_can_be_the_answer_of_any_dialect(name: str, stream: bool) -> None:
    draft = DraftLane(reader(), False)
    draft.whole(body("hello there"))
    target = World(house()).snapshot.pools["ann"][0]
    replay = Replay(writer(name, WANTED), draft.tally, draft.events, target, 5.0, stream=stream)
    out = replay.pending + replay.lane.last(Usage(input=1, output=2))
    assert b"hello there" in out
    assert bool(replay.pending) is stream
    assert replay.lane.tally.done and replay.first_byte == 5.0
    replay.broke()
    replay.close(good=True)
    assert replay.seconds() == 0
