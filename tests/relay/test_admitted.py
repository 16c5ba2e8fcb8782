"""What a request has become once it is allowed."""

import pytest

from conflux.billing.amounts import Hold, Unpriced, ceiling
from conflux.neutral.money import PriceSheet
from conflux.relay.admitted import expected_tokens, hold_for
from tests.policy.samples import envelope, model
from tests.relay.test_flux_account import seats
from tests.relay.world import World


def test_a_hold_needs_a_price_unless_nothing_is_posted() -> None:
    most = ceiling(model().price)
    assert hold_for(most, envelope(size=100), 10, 100, 0, free=False).amount >= 100 * 1000 + 10 * 2000
    assert hold_for(None, envelope(), 10, 100, 0, free=True) == Hold(0, 0)
    for unpriced in (None, ceiling(PriceSheet(input=1))):
        with pytest.raises(Unpriced):
            hold_for(unpriced, envelope(), 10, 100, 0, free=False)


def test_a_panel_is_expected_to_use_what_all_its_seats_do() -> None:
    parts, panel = World().parts, seats()
    alone = [expected_tokens(parts, one) for one in panel.flux.sources]
    assert expected_tokens(parts, panel) > sum(alone) > 0
