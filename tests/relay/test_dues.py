import pytest

from conflux.neutral.errors import GatewayError
from conflux.neutral.plans import Plan, Subscription
from conflux.neutral.records import Caller
from conflux.relay.dues import plan_of
from tests.relay.shops import shop

PLAN = Plan(id="agents", name="A", storefront="shop", windows=())


def caller(subscription):
    return Caller(key_id=1, name="k", storefront="shop", workspace_id=1, workspace="w", user_id=1, user="u", agent=True,
                  subscription=subscription)  # fmt: skip


def test_a_plan_pays_or_nobody_does():
    import msgspec

    catalogue = msgspec.structs.replace(shop(), plans={"agents": PLAN})
    assert plan_of(catalogue, caller(Subscription(3, "agents"))) is PLAN
    for subscription, words in ((None, "has none"), (Subscription(3, "gone"), "not offered")):
        with pytest.raises(GatewayError, match=words):
            plan_of(catalogue, caller(subscription))
