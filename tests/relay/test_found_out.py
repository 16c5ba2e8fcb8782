"""What is found out counts where the catalogue says nothing, and nowhere else."""

from typing import Any

import pytest

from conflux.neutral.people import Status
from conflux.neutral.probes import Finding
from conflux.neutral.records import Capability, Model
from conflux.relay.found_out import stated
from conflux.relay.live import with_statuses
from tests.policy.samples import model
from tests.relay.answers import CANARY
from tests.relay.shops import shop
from tests.relay.world import World

SEES = Capability.VISION
OPEN = frozenset({"capabilities"})


def finding(holds: bool | None, number: int = 0, capability: Capability = SEES) -> Finding:
    key = f"{CANARY}-provider-{number}/{CANARY}-model-{number}/cloud"
    return Finding(target=key, capability=capability, holds=holds)


def found(*findings: Finding, targets: int = 1, **of_model: Any) -> Model:
    world = World(shop(targets, **of_model))
    return with_statuses(world.snapshot, [], 1, findings).catalogue.models["shop", "shop/one"]


def test_what_is_stated_is_never_overturned() -> None:
    for capabilities in (frozenset({Capability.TEXT}), frozenset({Capability.TEXT, SEES})):
        for holds in (True, False, None):
            assert found(finding(holds), capabilities=capabilities).capabilities == capabilities


def test_what_is_left_open_follows_the_finding() -> None:
    blind = frozenset({Capability.TEXT})
    can = found(finding(True), capabilities=blind, assumed=OPEN)
    assert can.capabilities == {Capability.TEXT, SEES} and can.input_modalities == ("text", "image")
    assert found(finding(None), capabilities=blind, assumed=OPEN).capabilities == blind
    assert found(finding(False), capabilities=blind, assumed=OPEN).capabilities == blind


def test_what_is_only_assumed_is_taken_back_by_a_no() -> None:
    both = frozenset({Capability.TEXT, SEES})
    parts = frozenset({"capabilities.vision"})
    for assumed in (OPEN, parts):
        cannot = found(finding(False), capabilities=both, assumed=assumed, input_modalities=("text", "image"))
        assert cannot.capabilities == {Capability.TEXT} and cannot.input_modalities == ("text",)
        assert found(finding(None), capabilities=both, assumed=assumed).capabilities == both
    calls = finding(False, capability=Capability.TOOLS)
    assert Capability.TOOLS in found(calls, capabilities=both | {Capability.TOOLS}, assumed=parts).capabilities


def test_all_targets_must_be_able_to_and_one_that_is_not_spoils_it() -> None:
    blind: dict[str, Any] = {"capabilities": frozenset({Capability.TEXT}), "assumed": OPEN, "targets": 2}
    assert SEES not in found(finding(True), **blind).capabilities
    assert SEES in found(finding(True), finding(True, 1), **blind).capabilities
    seeing = blind | {"capabilities": frozenset({Capability.TEXT, SEES})}
    assert SEES not in found(finding(True), finding(False, 1), **seeing).capabilities
    assert SEES in found(finding(True), finding(None, 1), **seeing).capabilities


def test_it_counts_beside_what_an_admin_switched_off() -> None:
    world = World(shop(capabilities=frozenset({Capability.TEXT}), assumed=OPEN))
    off = [Status(storefront="shop", model="shop/one", enabled=False, changed=0)]
    one = with_statuses(world.snapshot, off, 1, [finding(True)]).catalogue.models["shop", "shop/one"]
    assert not one.enabled and SEES in one.capabilities


@pytest.mark.parametrize(("assumed", "says"), [
    (frozenset(), True), (OPEN, None), (frozenset({"capabilities.vision"}), None),
    (frozenset({"capabilities.tools"}), True),
])  # fmt: skip
def test_what_is_assumed_is_not_stated(assumed: frozenset[str], says: bool | None) -> None:
    assert stated(model(capabilities=frozenset({SEES}), assumed=assumed), SEES) is says
    assert stated(model(capabilities=frozenset()), SEES) is False
