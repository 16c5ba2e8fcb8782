"""Google's list: rows, and pages that go on where they stopped."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.listings.choose import LISTS
from conflux.catalogue.listings.google import paged
from conflux.neutral.errors import GatewayError, Kind
from tests.catalogue.listings.samples import listed

ASKS = LISTS["/v1beta/models"]


@given(names=st.lists(st.text(min_size=1, max_size=5), unique=True).map(sorted), size=st.integers(1, 7))
def test_the_pages_one_after_the_other_are_the_list(names: list[str], size: int) -> None:
    found: list[str] = []
    query = {"pageSize": str(size)}
    while True:
        start, end, ends = paged(names, query)
        found += names[start:end]
        if not ends:
            break
        query["pageToken"] = ends["nextPageToken"]
    assert found == names


@pytest.mark.parametrize("size", ["0", "-1", "x", "1.5", "१", "9" * 5000])
def test_a_size_that_is_none_is_refused(size: str) -> None:
    with pytest.raises(GatewayError) as caught:
        paged(["a"], {"pageSize": size})
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID, "pageSize")
    assert len(caught.value.message) < 200


def test_more_than_the_most_is_the_most() -> None:
    start, end, ends = paged([f"{number:05}" for number in range(1001)], {"page_size": "5000"})
    assert (start, end, ends) == (0, 1000, {"nextPageToken": "00999"})


def row(shipped: Catalogue, storefront: str, name: str) -> Any:
    rows = listed(shipped, storefront, ASKS, pageSize="1000")["models"]
    return next(one for one in rows if one["baseModelId"] == name)


def test_rows(shipped: Catalogue) -> None:
    found = row(shipped, "tokenflux", "openai/gpt-4o")
    assert (found["name"], found["displayName"]) == ("models/openai/gpt-4o", "OpenAI: GPT-4o")
    assert (found["inputTokenLimit"], found["outputTokenLimit"]) == (121_600, 16_384)
    assert found["supportedGenerationMethods"] == ["generateContent", "countTokens"]
    embedding = row(shipped, "tokenflux", "qwen/text-embedding-v4")
    assert embedding["supportedGenerationMethods"] == [] and None not in embedding.values()
