"""Moments as text."""

from conflux.neutral.moments import moment_or_none, moment_text


def test_a_moment_is_told_to_the_second_and_never_too_early() -> None:
    assert moment_text(1_767_225_600_000) == "2026-01-01T00:00:00Z"
    assert moment_text(1_767_225_600_001) == "2026-01-01T00:00:01Z"


def test_no_moment_is_none() -> None:
    assert moment_or_none(None) is None
    assert moment_or_none(0) == "1970-01-01T00:00:00Z"
