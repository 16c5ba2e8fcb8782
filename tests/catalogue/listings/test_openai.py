"""The root's superset: every document's names in one row."""

import json

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.limitations import COMPAT, PROBED
from conflux.catalogue.listings import SHAPES
from conflux.catalogue.listings.choose import View
from conflux.catalogue.listings.pages import Encoder
from conflux.catalogue.listings.row import Row
from tests.catalogue.listings.samples import by_id, listed, rows
from tests.catalogue.samples import seed

FOUR, FIVE = seed("4-tokenflux.json"), seed("5-llmbase.json")
SUPERSET = {
    "object", "owned_by", "max_output_length", "input_modalities", "output_modalities", "supported_features",
    "role", "tier", "safe_context_length", "status", "limitations", *FOUR["types"]["model"],
}  # fmt: skip


def test_the_roots_rows_are_openais_and_all_the_other_names(shipped: Catalogue) -> None:
    found = by_id(listed(shipped, "conflux"))
    assert all(set(row) == SUPERSET for row in found.values())
    assert set(FIVE["example"]["data"][0]) <= SUPERSET
    row = found["conflux/deepseek-v4-pro"]
    assert row["object"] == "model"
    assert type(row["created"]) is int
    assert row["owned_by"] == "conflux"
    assert (row["role"], row["status"], row["tier"]) == ("BOTH", "enabled", "ultra")
    assert (row["context_length"], row["safe_context_length"]) == (1_048_576, 996_147)
    assert row["limitations"] == [PROBED]
    assert (row["pricing"]["prompt"], row["pricing"]["completion"]) == ("0.000000435", "0.00000087")
    assert found["nvidia/kimi-k2.6"]["context_length"] is None
    assert found["nvidia/kimi-k2.6"]["safe_context_length"] == 250_000
    assert found["nvidia/kimi-k2.6"]["limitations"] == [COMPAT]


def test_no_row_names_a_pool_a_target_or_a_provider_address(shipped: Catalogue) -> None:
    hidden = {provider.base_url for provider in shipped.providers.values()}
    for face in shipped.storefronts.values():
        for row in rows(shipped, face.id):
            shown = Encoder(SHAPES).row(View(face.list_shape, rich=True), row).decode()
            assert not {"pool", "targets", "lane", "providers"} & set(json.loads(shown))
            assert not any(address in shown for address in hidden)


def test_the_status_is_the_callers(shipped: Catalogue) -> None:
    model = shipped.models["conflux", "codex/gpt-5.5-high"]
    for status in ("enabled", "account_needed"):
        assert json.loads(Encoder(SHAPES).row(View("openai"), Row(model, status)))["status"] == status


def test_effort_variants_are_rows_of_their_own(shipped: Catalogue) -> None:
    found = by_id(listed(shipped, "conflux"))
    assert {f"codex/gpt-5.5-{effort}" for effort in ("low", "medium", "high", "xhigh")} <= set(found)
    assert found["codex/gpt-5.5-xhigh"]["name"] == "GPT-5.5 XHigh"
