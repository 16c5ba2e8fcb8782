"""Five texts by rule, in their order."""

from typing import Any

import pytest

from conflux.catalogue.limitations import ACCOUNT, COMPAT, DISABLED, OPENROUTER, PROBED, limitations, with_lanes
from conflux.neutral.records import Model, Pool, Provider, Target


def model(**fields: Any) -> Model:
    return Model(storefront="s", id="m", name="m", pool="p", **fields)


CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"provider_label": "Built-in"}, [PROBED]),
    ({"lane": "compat", "provider_label": "bd", "buffered": True}, [COMPAT]),
    ({"provider_label": "OpenRouter", "buffered": True}, [OPENROUTER]),
    ({"provider_label": "OpenRouter"}, []),
    ({"lane": "compat", "account": True}, [ACCOUNT]),
    ({"lane": "compat", "account": True, "enabled": False}, [DISABLED]),
    ({"provider_label": "Built-in", "enabled": False}, [DISABLED]),
]


@pytest.mark.parametrize(("fields", "texts"), CASES)
def test_rules(fields: dict[str, Any], texts: list[str]) -> None:
    assert limitations(model(**fields)) == texts


def test_the_texts_are_five_and_name_no_upstream_address() -> None:
    texts = {DISABLED, ACCOUNT, OPENROUTER, COMPAT, PROBED}
    assert len(texts) == 5
    assert not any("://" in text for text in texts)


def lanes(*provider_lanes: str, said: str) -> Model:
    providers = [
        Provider(id=f"u{number}", base_url="http://x", dialects=("openai-chat",), lane=lane)
        for number, lane in enumerate(provider_lanes)
    ]
    pool = Pool(id="p", targets=tuple(Target(provider=one.id, model="m") for one in providers))
    return with_lanes([model(lane=said)], [pool], providers)[0]


def test_a_compat_row_stays_while_a_provider_behind_it_says_compat() -> None:
    found = lanes("auto", "compat", said="compat")
    assert (found.lane, found.buffered) == ("compat", True)


def test_the_owner_setting_the_providers_to_auto_takes_the_tag_away() -> None:
    found = lanes("auto", "auto", said="compat")
    assert (found.lane, found.buffered) == ("auto", False)


def test_a_built_in_row_over_compat_providers_gets_no_compat_tag() -> None:
    found = lanes("compat", said="auto")
    assert (found.lane, found.buffered) == ("auto", True)
