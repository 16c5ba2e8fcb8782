"""What was found out is kept and told beside what is stated, and nothing else changes."""

from typing import Any

import pytest
from msgspec.structs import replace

from conflux.faces.probe_admin import ProbeAdmin, view
from conflux.neutral.errors import ConfigError, NoSuch
from conflux.neutral.flux import FluxTerms
from conflux.neutral.probes import Finding
from conflux.neutral.records import Capability, Model, Storefront
from conflux.relay.snapshot import LiveTarget
from tests.policy.samples import model
from tests.relay.answers import CANARY
from tests.relay.shops import shop
from tests.relay.world import World

TARGET = f"{CANARY}-provider-0/{CANARY}-model-0/cloud"


class Book:
    """Implements probes.ProbeBook."""

    def __init__(self) -> None:
        self.kept: list[Finding] = []

    async def findings(self) -> list[Finding]:
        return self.kept

    async def keep(self, finding: Finding) -> Finding:
        known = [one for one in self.kept if one.capability is finding.capability]
        kept = replace(known[0], tried=finding.tried) if finding.holds is None and known else finding
        self.kept = [*(one for one in self.kept if one not in known), kept]
        return kept

    async def doubt(self, target: str, capability: Capability, *, believed: bool) -> bool:
        raise AssertionError("nobody who asks is in doubt")


def admin(holds: bool | None = True, *, server: bool = True, **how: Any) -> tuple[ProbeAdmin, Book, list[str]]:
    world, book, asked = World(shop(**how)), Book(), list[str]()

    async def examine(front: Storefront, of: Model, target: LiveTarget, capability: Capability) -> Finding:
        asked.append(f"{front.id} {of.id} {target.key} {capability.value}")
        return Finding(target=target.key, capability=capability, holds=holds, evidence=("red: 'red'",), found=5000,
                       tried=5000, cost=1500)  # fmt: skip

    return ProbeAdmin(book, lambda: world.snapshot, examine if server else None, lambda: 65.0), book, asked


async def test_every_target_is_asked_for_all_that_can_be_probed_and_it_is_kept() -> None:
    probe, book, asked = admin(targets=2)
    found = await probe.run({"id": "uno"})
    assert (found["model"], found["storefront"], len(found["probes"]), len(asked)) == ("shop/one", "shop", 6, 6)
    assert len(book.kept) == 3  # the last of each
    row = found["probes"][0]
    assert (row["target"], row["holds"], row["asked"], row["evidence"]) == (TARGET, "yes", "yes", ["red: 'red'"])


async def test_one_capability_alone() -> None:
    probe, _, asked = admin()
    await probe.run({"id": "shop/one", "storefront": "shop", "capability": "vision"})
    assert asked == [f"shop shop/one {TARGET} vision"]


async def test_what_is_known_is_told_beside_what_is_stated() -> None:
    probe, _, _ = admin(holds=False, capabilities=frozenset({Capability.VISION}))
    await probe.run({"id": "shop/one"})
    rows = {row["capability"]: row for row in (await probe.list({}))["probes"]}
    assert (rows["vision"]["stated"], rows["vision"]["holds"], rows["vision"]["questioned"]) == ("yes", "no", True)
    assert (rows["tools"]["stated"], rows["tools"]["holds"], rows["tools"]["questioned"]) == ("no", "no", False)
    assert (rows["vision"]["age_seconds"], rows["vision"]["cost_usd"]) == (60, "0.0000015")
    assert (rows["vision"]["usable"], rows["tools"]["usable"], rows["vision"]["tried_seconds"]) == ("yes", "no", 60)


async def test_what_the_catalogue_leaves_open_is_not_stated_and_nothing_to_question() -> None:
    probe, _, _ = admin(holds=False, capabilities=frozenset({Capability.VISION}), assumed=frozenset({"capabilities"}))
    await probe.run({"id": "shop/one"})
    rows = {row["capability"]: row for row in (await probe.list({}))["probes"]}
    assert (rows["vision"]["stated"], rows["vision"]["usable"], rows["vision"]["questioned"]) == (
        "unknown",
        "yes",
        False,
    )
    assert view(Finding(target=TARGET, capability=Capability.VISION, holds=None), model(), 1.0)["tried_seconds"] is None


async def test_what_was_found_counts_when_the_call_returns() -> None:
    world, book, fresh = World(shop()), Book(), list[int]()

    async def examine(front: Storefront, of: Model, target: LiveTarget, capability: Capability) -> Finding:
        return Finding(target=target.key, capability=capability, holds=True)

    async def refresh() -> None:
        fresh.append(len(book.kept))

    await ProbeAdmin(book, lambda: world.snapshot, examine, lambda: 65.0, refresh).run({"id": "uno"})
    assert fresh == [3]


async def test_a_try_that_found_nothing_out_says_so_and_shows_what_was_known() -> None:
    probe, book, _ = admin(holds=None)
    book.kept = [Finding(target=TARGET, capability=Capability.VISION, holds=True, found=1000, tried=1000)]
    (row,) = (await probe.run({"id": "shop/one", "capability": "vision"}))["probes"]
    assert (row["holds"], row["asked"], row["age_seconds"]) == ("yes", "unknown", 64)


def test_of_a_target_that_is_gone_nothing_is_stated() -> None:
    finding = Finding(target="gone/m", capability=Capability.VISION, holds=True)
    found = view(finding, None, 1.0)
    assert (found["stated"], found["questioned"], found["age_seconds"]) == ("unknown", False, None)
    assert view(replace(finding, holds=None), model(), 1.0)["questioned"] is False


@pytest.mark.parametrize(("params", "words"), [
    ({"id": "shop/one", "capability": "audio"}, "'audio' cannot be probed; there are vision, tools"),
    ({"id": "shop/one", "capabilities": ["vision"]}, "capabilities"),
    ({}, "id"),
])  # fmt: skip
async def test_a_wrong_wish_is_named_and_nobody_asked(params: dict[str, Any], words: str) -> None:
    probe, _, asked = admin()
    with pytest.raises(ConfigError) as error:
        await probe.run(params)
    assert words in str(error.value) and not asked


async def test_there_must_be_a_model_a_server_and_somebody_to_ask() -> None:
    with pytest.raises(NoSuch, match="no model 'nobody'"):
        await admin()[0].run({"id": "nobody"})
    with pytest.raises(ConfigError, match="no server runs"):
        await admin(server=False)[0].run({"id": "shop/one"})
    probe, _, asked = admin(of_provider={"configured": False, "credentials": ("env:NONE",)})
    with pytest.raises(ConfigError, match="nothing to ask"):
        await probe.run({"id": "shop/one"})
    assert not asked


@pytest.mark.parametrize(
    ("how", "told"),
    [({"kind": "embedding"}, "of the kind embedding"), ({"flux": FluxTerms(recipe=True)}, "is a panel")],
)
async def test_what_has_no_eyes_to_look_with_is_not_asked(how: dict[str, Any], told: str) -> None:
    probe, _, asked = admin(**how)
    with pytest.raises(ConfigError, match=told):
        await probe.run({"id": "uno"})
    assert asked == []
