"""Two refused pictures with no answered one between them are news, once."""

from conflux.routing import doubts
from conflux.routing.doubts import Doubts


def test_two_are_news_once_and_one_is_none() -> None:
    found = Doubts()
    found.refused("a")
    assert found.take() == []
    found.refused("a")
    found.refused("b")
    assert found.take() == ["a"]
    assert found.take() == []
    found.refused("b")
    assert found.take() == ["b"]


def test_an_answered_picture_takes_the_doubt_away() -> None:
    found = Doubts()
    found.refused("a")
    found.answered("a")
    found.answered("never")
    found.refused("a")
    assert found.take() == []


def test_what_is_remembered_has_an_end() -> None:
    found = Doubts()
    for number in range(doubts._MOST + 10):
        found.refused(f"t{number}")
        found.refused(f"t{number}")
    assert len(found.take()) == doubts._MOST
