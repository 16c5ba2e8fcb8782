"""Anthropic's list: rows, pages, and the limits of a limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.listings.anthropic import page
from conflux.neutral.errors import GatewayError, Kind
from tests.catalogue.listings.samples import ids, listed

LETTERS = list("abcdefghij")


def shown(**query: str) -> tuple[str, bool]:
    start, end, more = page(LETTERS, query)
    return "".join(LETTERS[start:end]), more


@pytest.mark.parametrize(
    ("query", "letters", "more"),
    [
        ({}, "abcdefghij", False),
        ({"limit": "3"}, "abc", True),
        ({"limit": "10"}, "abcdefghij", False),
        ({"limit": "3", "after_id": "c"}, "def", True),
        ({"limit": "3", "after_id": "g"}, "hij", False),
        ({"after_id": "j"}, "", False),
        ({"limit": "3", "before_id": "d"}, "abc", False),
        ({"limit": "3", "before_id": "h"}, "efg", True),
        ({"before_id": "a"}, "", False),
        ({"limit": "2", "after_id": "cc"}, "de", True),  # gone meanwhile
        ({"limit": "2", "before_id": "cc"}, "bc", True),
        ({"limit": "2", "after_id": ""}, "ab", True),
    ],
)
def test_pages(query: dict[str, str], letters: str, more: bool) -> None:
    assert shown(**query) == (letters, more)


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", "", "1.5", "१", "9" * 5000])
def test_a_limit_out_of_range_is_refused(limit: str) -> None:
    with pytest.raises(GatewayError) as caught:
        page(LETTERS, {"limit": limit})
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID, "limit")
    assert len(caught.value.message) < 200


def test_both_directions_at_once_are_refused() -> None:
    with pytest.raises(GatewayError, match="exclude"):
        page(LETTERS, {"after_id": "a", "before_id": "c"})


@given(names=st.lists(st.text(min_size=1, max_size=5), unique=True).map(sorted), limit=st.integers(1, 7))
def test_the_pages_one_after_the_other_are_the_list_both_ways(names: list[str], limit: int) -> None:
    found: list[str] = []
    query = {"limit": str(limit)}
    while True:
        start, end, more = page(names, query)
        found += names[start:end]
        if not more:
            break
        query["after_id"] = names[end - 1]
    assert found == names
    found, query = [], {"limit": str(limit), "before_id": "\U0010ffff" * 9}
    while True:
        start, end, more = page(names, query)
        found = names[start:end] + found
        if not more:
            break
        query["before_id"] = names[start]
    assert found == names


def test_a_list_and_its_ends(shipped: Catalogue) -> None:
    answer = listed(shipped, "conflux", anthropic=True)
    assert list(answer) == ["data", "has_more", "first_id", "last_id"]
    assert len(answer["data"]) == 20 and answer["has_more"] is True
    assert (answer["first_id"], answer["last_id"]) == (answer["data"][0]["id"], answer["data"][-1]["id"])
    everything = listed(shipped, "conflux", anthropic=True, limit="1000")
    assert ids(everything["data"]) == [model.id for model in shipped.models_of("conflux")]
    nothing = listed(shipped, "conflux", anthropic=True, after_id="zzz")
    assert nothing == {"data": [], "has_more": False, "first_id": None, "last_id": None}


def test_a_row(shipped: Catalogue) -> None:
    rows = {row["id"]: row for row in listed(shipped, "tokenflux", anthropic=True)["data"]}
    row = rows["openai/gpt-4o"]
    assert (row["type"], row["display_name"], row["created_at"]) == ("model", "OpenAI: GPT-4o", "2024-05-13T00:00:00Z")
    assert (row["max_input_tokens"], row["max_tokens"], row["lifecycle"]) == (121_600, 16_384, "active")
    assert rows["qwen/text-embedding-v4"]["created_at"] == "1970-01-01T00:00:00Z"
