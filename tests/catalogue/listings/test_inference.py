"""Document 3: nine fields, and credits that hold the margin."""

from conflux.catalogue.catalogue import Catalogue
from conflux.relay.live import with_storefront_prices
from tests.catalogue.listings.samples import has_types, listed, rendered
from tests.catalogue.samples import seed

THREE = seed("3-inference.json")


def test_nine_fields_in_their_types(shipped: Catalogue) -> None:
    answer = listed(shipped, "inference")
    assert list(answer) == ["models"]
    assert len(answer["models"]) == 15
    for row in answer["models"]:
        assert list(row) == list(THREE["types"])
        has_types(row, THREE["types"])
    assert {row["provider"] for row in answer["models"]} == {row["provider"] for row in THREE["models"]}


def test_credits_are_per_thousand_tokens_of_the_sheet() -> None:
    row = rendered("inference", {"price": {"input": "1.75", "output": "14"}, "capabilities": ["text", "tools"]})
    assert (row["cost_per_1k_input"], row["cost_per_1k_output"]) == (0.00175, 0.014)
    assert (row["supports_tools"], row["supports_vision"]) == (True, False)


def test_the_margin_is_in_what_is_shown(shipped: Catalogue) -> None:
    shown = {row["id"]: row for row in listed(with_storefront_prices(shipped), "inference")["models"]}
    assert (shown["gpt-5.2"]["cost_per_1k_input"], shown["gpt-5.2"]["cost_per_1k_output"]) == (0.00245, 0.0196)


def test_nothing_of_the_query_changes_it(shipped: Catalogue) -> None:
    plain = listed(shipped, "inference")
    assert listed(shipped, "inference", filter="cheap", metadata="true", client_version="1.0.0") == plain
