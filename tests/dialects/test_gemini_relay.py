"""Answers carried through: the golden tables, in every cut; the end held back."""

import pytest

from conflux.dialects.gemini_relay import GeminiPassThrough
from conflux.neutral.errors import GatewayError, Kind
from tests.dialects.gemini_golden import BILLED, WANTED, Golden, answers, streams
from tests.dialects.golden import cuts


def relayed(pieces: list[bytes]) -> tuple[bytes, bytes]:
    lane = GeminiPassThrough(WANTED)
    out = b"".join([lane.feed(piece) for piece in pieces]) + lane.end()
    return out, lane.last(lane.tally.usage or BILLED) if lane.tally.fault is None else b""


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_a_stream(golden: Golden) -> None:
    for pieces in ([golden.wire], *cuts(golden.wire, golden.name)):
        out, last = relayed(pieces)
        assert out + last == golden.relayed
        assert b"finishReason" not in out and b"up-1" not in out + last and b"r-1" not in out + last


@pytest.mark.parametrize("golden", [one for one in answers() if one.fault is None or one.relayed], ids=str)
def test_an_answer(golden: Golden) -> None:
    lane = GeminiPassThrough(WANTED)
    lane.whole(golden.wire)
    assert lane.last(lane.tally.usage or BILLED) == golden.relayed


@pytest.mark.parametrize("golden", [one for one in answers() if one.fault is not None and not one.relayed], ids=str)
def test_a_broken_answer(golden: Golden) -> None:
    lane = GeminiPassThrough(WANTED)
    lane.whole(golden.wire)
    assert lane.tally.fault == golden.fault


def test_it_says_that_it_lives_and_that_it_broke() -> None:
    lane = GeminiPassThrough(WANTED)
    assert lane.keep_alive().startswith(b'data: {"candidates":[{"content":{"parts":[{"text":""}]')
    assert b'"error":{"code":502' in lane.fail(GatewayError(Kind.UPSTREAM_FAILED, "broke"))
