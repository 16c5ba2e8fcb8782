"""Pictures of two keys refused, with no answered one between them, are news until that is settled."""

from conflux.routing import doubts
from conflux.routing.doubts import Doubts


def test_two_keys_are_news_until_settled_and_one_is_none() -> None:
    found = Doubts()
    for _ in range(3):
        found.refused("a", 1)
    assert found.there() == []
    found.refused("a", 2)
    found.refused("b", 2)
    assert found.there() == found.there() == ["a"]
    found.settled("a")
    assert found.there() == []
    found.refused("b", 1)
    assert found.there() == ["b"]


def test_an_answered_picture_takes_the_doubt_away() -> None:
    found = Doubts()
    found.refused("a", 1)
    found.settled("a")
    found.settled("never")
    found.refused("a", 2)
    assert found.there() == []


def test_what_is_remembered_has_an_end() -> None:
    found = Doubts()
    for number in range(doubts._MOST + 10):
        for key in range(9):
            found.refused(f"t{number}", key)
    assert len(found.there()) == doubts._MOST
    assert all(len(keys) == doubts.ENOUGH for keys in found._refused.values())
