"""Providers against catalogue: facts act on who is tried last, figures are only proposed, too good a change is none."""

from typing import Any

import pytest

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.changes import Change
from conflux.catalogue.loader import load
from conflux.catalogue.proposals import (
    Sighting,
    compare,
    facts,
    missing_targets,
    remarks,
    seen,
    suspicious,
    wanted,
)
from conflux.catalogue.provider_lists import Found
from tests.catalogue.samples import built, tables

POND = ("pond", "up", "up-1", "cloud")
MODEL = ("shop", "shop/one")


def names(*models: str) -> dict[str, Found]:
    return dict.fromkeys(models, Found())


def proposed(catalogue: Catalogue, **stated: Found) -> list[Change]:
    return compare(catalogue, {provider: {"up-1": found} for provider, found in stated.items()})


def two_targets(**model: Any) -> Catalogue:
    said = tables(
        pool={"target": [{"provider": "up", "model": "up-1"}, {"provider": "two", "model": "up-1"}]}, model=model
    )
    said["provider"].append({"id": "two", "base_url": "http://127.0.0.1:9101/v1", "dialect": "openai-chat"})
    return load([], said)


# --- availability


def test_what_is_gone_is_missing_since_then_until_it_is_back() -> None:
    first = seen(Sighting(provider="up"), names("a", "b", "c"), ["a", "b", "never"], 100)
    assert (first.missing, first.good, first.outcome) == ({}, 100, "ok")  # what was never listed did not vanish
    second = seen(first, names("a", "c"), ["a", "b", "never"], 200)
    third = seen(second, names("a"), ["a", "b", "never"], 300)
    assert second.missing == third.missing == {"b": 200}
    assert seen(third, names("a", "b"), ["a", "b"], 400).missing == {}
    assert seen(third, names("a"), ["a"], 400).missing == {}  # nobody wants it any more


def test_a_missing_target_is_known_by_its_key() -> None:
    sighting = Sighting(provider="up", missing={"up-1": 7, "else": 8})
    assert missing_targets(built(), [sighting]) == {"up/up-1/cloud": 7}
    assert missing_targets(built(), [Sighting(provider="down", missing={"up-1": 7})]) == {}


def test_what_is_wanted_of_a_provider() -> None:
    assert wanted(built(), "up") == {"up-1"}
    assert wanted(built(), "down") == frozenset()


@pytest.mark.parametrize(
    ("before", "now", "why"),
    [
        ("", "", "the list is empty"),
        ("ab", "", "the list is empty"),
        ("abcdef", "ab", "2 models where 6 were"),
        ("abcdef", "abc", "3 of our 3 models"),
        ("abcdef", "defxyz", None),
        ("abcdef", "xyzuvw", "6 of our 6 models"),
        ("abc", "bc", None),
        ("ab", "c", None),  # of so few one cannot tell
        ("", "a", None),
    ],
)
def test_a_list_that_shrank_too_much_is_not_believed(before: str, now: str, why: str | None) -> None:
    targets = {"3 of": "def", "6 of": "abcdef"}.get((why or "")[:4], "ab")
    found = suspicious(names(*before), names(*now), targets)
    assert found is None if why is None else why in str(found)


# --- figures


def test_who_says_the_same_proposes_nothing() -> None:
    catalogue = built(model={"context": 1000, "max_output": 100}, pool={"target": [
        {"provider": "up", "model": "up-1", "cost": {"input": "1", "output": "2.0"}}]})  # fmt: skip
    same = Found(context=1000, max_output=100, price={"input": "1", "output": "2"})
    assert proposed(catalogue, up=same) == []
    assert proposed(catalogue, up=Found()) == []
    assert proposed(catalogue, somebody=Found(context=5)) == []


def test_a_price_is_proposed_for_the_target_and_for_the_model() -> None:
    cost, price = proposed(built(), up=Found(price={"input": "1", "output": "3", "cache_read": "0.1"}))[::-1]
    assert price == Change(
        table="model", key=MODEL, field="price", source="up",
        fields={"price": {"output": "3", "cache_read": "0.1"}}, old={"price": {"output": "2", "cache_read": None}},
    )  # fmt: skip
    assert (cost.table, cost.key, cost.field) == ("target", POND, "cost")
    assert cost.fields == {"cost": {"input": "1", "output": "3", "cache_read": "0.1"}}


def test_the_first_target_with_a_price_speaks_for_the_model() -> None:
    dear, cheap = Found(price={"input": "9"}), Found(price={"input": "5"})
    prices = {
        one.fields["price"]["input"] for one in proposed(two_targets(), up=dear, two=cheap) if one.table == "model"
    }
    assert prices == {"9"}
    prices = {one.fields["price"]["input"] for one in proposed(two_targets(), up=Found(), two=cheap)
              if one.table == "model"}  # fmt: skip
    assert prices == {"5"}


def test_a_price_in_another_currency_is_not_compared() -> None:
    catalogue = built(model={"price": {"input": "1", "output": "2", "currency": "CNY"}})
    assert [one.table for one in proposed(catalogue, up=Found(price={"input": "9"}))] == ["target"]


def test_a_context_must_fit_wherever_a_request_goes() -> None:
    catalogue = two_targets(context=5000)
    (change,) = proposed(catalogue, up=Found(context=4000), two=Found(context=3000))
    assert (change.fields, change.old, change.source) == ({"context": 3000}, {"context": 5000}, "two")
    (change,) = proposed(catalogue, up=Found(context=4000))
    assert change.fields == {"context": 4000}
    (change,) = proposed(built(), up=Found(context=10))
    assert change.old == {"context": None}


def test_an_answer_still_fits_into_a_smaller_context() -> None:
    catalogue = built(model={"context": 1000, "max_output": 900})
    (change,) = proposed(catalogue, up=Found(context=500))
    assert change.fields == {"context": 500, "max_output": 500}
    assert change.old == {"context": 1000, "max_output": 900}


def test_a_cap_on_the_answer_is_proposed_where_there_is_one() -> None:
    (change,) = proposed(built(model={"context": 1000, "max_output": 900}), up=Found(max_output=100))
    assert (change.field, change.fields, change.old) == ("max_output", {"max_output": 100}, {"max_output": 900})
    assert proposed(built(model={"context": 1000}), up=Found(max_output=100)) == []
    assert proposed(built(model={"context": 900, "max_output": 900}), up=Found(max_output=5000)) == []


def test_what_is_accepted_is_not_proposed_again() -> None:
    found = Found(context=500, max_output=5000, price={"input": "7", "image": "0.01"})
    changes = proposed(built(model={"context": 1000, "max_output": 900}), up=found)
    assert len(changes) == 3
    after = load([], tables(model={"context": 1000, "max_output": 900}), changes=changes)
    assert proposed(after, up=found) == []


def test_what_a_provider_says_outranks_a_file() -> None:
    file = Sighting(
        provider="up", kind="file", models={"a": Found(context=1, price={"input": "1"}), "b": Found(context=3)}
    )
    own = Sighting(provider="up", models={"a": Found(context=2)})
    for order in ([file, own], [own, file]):
        assert facts(order) == {"up": {"a": Found(context=2, price={"input": "1"}), "b": Found(context=3)}}


def test_an_advertised_ability_that_no_provider_has_is_remarked() -> None:
    catalogue = two_targets(capabilities=["text", "tools", "vision"])
    lacking = {"up-1": Found(lacks=("audio", "tools"))}
    assert remarks(catalogue, {"up": lacking, "two": lacking}) == [
        "shop shop/one: advertises tools, which no provider of it lists"
    ]
    assert remarks(catalogue, {"up": lacking}) == []  # the other one may have it
