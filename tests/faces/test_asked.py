"""What an operation is asked for."""

import pytest

from conflux.faces.asked import Named, OwnerAsked, asked, owner_of
from conflux.neutral.errors import ConfigError
from conflux.neutral.people import Owner


def test_a_wish_is_a_record_or_a_mistake_with_its_place() -> None:
    assert asked("x do", {"name": "a"}, Named).name == "a"
    for params in ({}, {"name": 1}, {"name": "a", "nme": "b"}):
        with pytest.raises(ConfigError, match=r"^x do: "):
            asked("x do", params, Named)


def test_whose_it_is() -> None:
    assert owner_of("x", OwnerAsked(workspace="a")) == Owner(workspace="a")
    assert owner_of("x", OwnerAsked(user="u")) == Owner(workspace="default", user="u")
    assert owner_of("x", OwnerAsked(workspace="a", user="u")) == Owner(workspace="a", user="u")
    assert owner_of("x", OwnerAsked(key="key_1")) == Owner(key="key_1")
    with pytest.raises(ConfigError, match="say whose"):
        owner_of("x", OwnerAsked())
    for both in (OwnerAsked(key="k", user="u"), OwnerAsked(key="k", workspace="a")):
        with pytest.raises(ConfigError, match="not both"):
            owner_of("x", both)
