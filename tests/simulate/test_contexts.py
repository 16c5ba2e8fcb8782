"""That the judge of the safe context can say no."""

import pytest

from conflux.routing.gauge import Scale
from simulate.contexts import contexts


def test_a_gauge_that_trusts_its_own_tokenizer_sends_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scale, "most", property(lambda _: 1.0))
    found = contexts(150, 3)
    assert found.sent > 50 and found.over > 0


def test_a_gauge_that_never_learns_refuses_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scale, "learn", lambda *_: None)
    monkeypatch.setattr("simulate.contexts.LEARNING", 0)
    found = contexts(250, 3)
    assert found.over == 0 and found.refused_share > 0.03
