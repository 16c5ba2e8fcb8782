"""What is noted of an answer."""

from conflux.dialects.gemini_intake import Intake
from tests.dialects.gemini_golden import streams


def taken(name: str) -> Intake:
    intake = Intake()
    list(intake.read_on(next(one.wire for one in streams() if one.name == name)))
    list(intake.read_rest())
    return intake


def test_an_answer_is_whole_when_every_candidate_is() -> None:
    assert taken("plain_text").tally.finished
    assert taken("case_37_two_candidates").tally.finished
    assert not taken("cut_short").tally.finished
    assert taken("case_18_prompt_blocked").tally.finished


def test_what_the_model_wrote_is_counted() -> None:
    assert taken("plain_text").tally.output_bytes == len("Hello, wörld".encode())
    assert taken("case_08_parallel_calls").tally.output_bytes == len('look{"a":1}read{"b":[1,"x"]}')
    assert not taken("case_18_recitation").tally.content


def test_absurd_counts_are_told() -> None:
    tally = taken("absurd_usage").tally
    assert tally.usage_absurd and tally.usage is None


def test_searches_are_counted() -> None:
    usage = taken("searched").tally.usage
    assert usage is not None and usage.search == 2


def test_no_stream_at_all_is_a_fault() -> None:
    intake = Intake()
    list(intake.read_on(b"<html>"))
    list(intake.read_rest())
    assert intake.tally.fault is not None


def test_case_45_an_endless_line_is_a_fault() -> None:
    intake = Intake()
    for _ in range(9):
        list(intake.read_on(b"data: " + b"x" * (1 << 20)))
    assert intake.tally.fault is not None
