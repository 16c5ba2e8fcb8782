"""What may be called for a model, and what a test key may not."""

from msgspec.structs import replace

from conflux.relay.snapshot import stand_in
from tests.policy.samples import model
from tests.relay.shops import shop
from tests.relay.world import World


def test_a_models_targets_are_its_pools() -> None:
    world = World(shop(2))
    assert [one.live.provider.id for one in world.snapshot.targets(model(), test=False)] == [
        "canary-provider-0",
        "canary-provider-1",
    ]
    assert world.snapshot.targets(model(pool="dry"), test=False) == ()


def test_a_test_key_is_given_the_simulator_for_any_pool_but_an_accounts() -> None:
    world = World(shop(2))
    for pool in ("pond", "dry"):
        (only,) = world.snapshot.targets(model(pool=pool), test=True)
        assert only.live.provider.simulated
        assert only.target.model == pool
    assert world.snapshot.targets(model(account=True), test=True) == ()


def test_without_a_simulator_a_test_key_is_given_nothing() -> None:
    alone = replace(World().snapshot, simulator=None)
    assert alone.targets(model(), test=True) == ()
    assert len(alone.targets(model(), test=False)) == 1


def test_the_stand_in_plays_the_pool() -> None:
    simulator = World().snapshot.simulator
    assert simulator is not None
    played = stand_in(simulator, "pond")
    assert (played.key, played.weight, played.live) == ("simulator/pond/cloud", 1, simulator)


def test_a_storefront_that_is_gone_is_none() -> None:
    assert World().snapshot.storefront("shop") is not None
    assert World().snapshot.storefront("gone") is None
