"""The presets, and what is none."""

import pytest

from conflux.neutral.errors import GatewayError, Kind
from conflux.routing.prefer import BALANCED, PRESETS, preset_named


def test_there_are_four_and_each_prefers_what_it_is_called() -> None:
    assert list(PRESETS) == ["cost", "balanced", "speed", "quality"]
    for name in PRESETS:
        assert preset_named(name).name == name
    assert max(PRESETS.values(), key=lambda one: one.second).name == "speed"
    assert max(PRESETS.values(), key=lambda one: one.quality).name == "quality"
    cost = PRESETS["cost"]
    assert all(cost.second < one.second and cost.quality < one.quality for one in PRESETS.values() if one is not cost)
    assert PRESETS[BALANCED].quality == 1


@pytest.mark.parametrize("name", ["fast", "", None, 3, ["cost"], "x" * 10_000])
def test_any_other_is_refused_with_the_list(name: object) -> None:
    with pytest.raises(GatewayError) as refused:
        preset_named(name)
    assert (refused.value.kind, refused.value.param) == (Kind.INVALID, "prefer")
    assert "cost, balanced, speed, quality" in refused.value.message and len(refused.value.message) < 300
