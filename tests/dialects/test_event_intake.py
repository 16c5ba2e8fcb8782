"""Bytes into events: cut anywhere they are the same, and what cannot be read is a fault, told once."""

from conflux.dialects.event_intake import EventIntake
from conflux.dialects.sse import DEFAULT_LIMIT


def test_events_are_given_as_soon_as_they_are_whole_wherever_they_are_cut() -> None:
    data = b"event: a\ndata: 1\n\ndata: 2\n\n"
    for size in (1, 7, 100):
        intake = EventIntake()
        found = [event for at in range(0, len(data), size) for event in intake.cut(data[at : at + size])]
        assert found == [(b"a", b"1"), (b"", b"2")]
        assert intake.rest() == []


def test_what_an_upstream_left_without_its_end_is_an_event_too() -> None:
    intake = EventIntake()
    assert intake.cut(b"data: 1\n") == []
    assert intake.rest() == [(b"", b"1")]


def test_the_first_fault_counts() -> None:
    intake = EventIntake()
    intake.fail("first")
    intake.closed()
    assert intake.tally.fault is not None
    assert intake.tally.fault.message == "first"


def test_an_answer_of_nothing_is_a_fault_and_one_of_something_is_none() -> None:
    silent, spoke = EventIntake(), EventIntake()
    spoke.tally.events = 1
    silent.closed()
    spoke.closed()
    assert silent.tally.fault is not None
    assert spoke.tally.fault is None


def test_a_line_without_end_is_a_fault_and_does_not_raise() -> None:
    intake = EventIntake()
    assert intake.cut(b"data: " + b"x" * (DEFAULT_LIMIT + 10)) == []
    assert intake.tally.fault is not None
