"""Who sits on a panel where nobody says."""

from typing import Any

from conflux.neutral.records import FluxRole, Model, Tier
from conflux.routing.flux_plan import Seat, best_first, choose_fuser, choose_sources, may_draft, may_fuse

CENT = 10_000_000


def seat(name: str, cost: int = 0, *, ready: bool = True, **fields: Any) -> Seat:
    base: dict[str, Any] = {"storefront": "s", "id": name, "name": name, "pool": name, "role": FluxRole.BOTH,
                            "tier": Tier.PRO}  # fmt: skip
    return Seat(Model(**base | fields), cost, ready)


def sources(*seats: Seat, count: int = 3) -> list[str]:
    return [model.id for model in choose_sources(seats, count)]


def test_roles_decide_who_may_sit_where() -> None:
    roles = [None, *FluxRole]
    assert [role for role in roles if may_draft(seat("a", role=role).model)] == [FluxRole.SOURCE, FluxRole.BOTH]
    assert [role for role in roles if may_fuse(seat("a", role=role).model)] == [FluxRole.FUSE, FluxRole.BOTH]
    assert sources(seat("a", role=FluxRole.FUSE), seat("b", role=FluxRole.SOURCE)) == ["b"]
    assert choose_fuser([seat("a", role=FluxRole.SOURCE)]) is None


def test_the_cheapest_first_and_a_better_tier_is_worth_some_money() -> None:
    assert sources(seat("dear", 3), seat("cheap", 1), seat("mid", 2), count=2) == ["cheap", "mid"]
    assert sources(seat("core", tier=Tier.CORE), seat("ultra", CENT, tier=Tier.ULTRA), count=1) == ["ultra"]
    assert sources(seat("core", tier=Tier.CORE), seat("ultra", 10 * CENT, tier=Tier.ULTRA), count=1) == ["core"]


def test_what_the_catalogue_states_of_a_model_outweighs_its_tier() -> None:
    good = seat("good", CENT // 4, tier=Tier.CORE, quality=0.9)
    assert sources(good, seat("pro"), count=1) == ["good"]
    assert sources(seat("bad", tier=Tier.ULTRA, quality=0.2), seat("pro"), count=1) == ["pro"]
    assert best_first([seat("pro").model, good.model]) == [1, 0]
    assert sources(seat("none", tier=None), seat("core", tier=Tier.CORE), count=1) == ["core"]


def test_different_makes_as_long_as_there_are_some_and_no_pool_twice() -> None:
    glm = [seat(f"x/glm-{place}", place) for place in range(3)]
    assert sources(*glm, seat("kimi", 9)) == ["x/glm-0", "kimi", "x/glm-1"]
    twins = [seat("x/glm-0", pool="one"), seat("y/glm-1", pool="one")]
    assert sources(*twins) == ["x/glm-0"]


def test_who_cannot_be_asked_now_comes_last() -> None:
    assert sources(seat("a", ready=False), seat("b", 5), count=1) == ["b"]
    assert sources(seat("a", ready=False), count=1) == ["a"]


def test_the_fuser_is_worth_more_than_a_source() -> None:
    ultra, pro = seat("ultra", CENT, tier=Tier.ULTRA), seat("pro", tier=Tier.PRO)
    assert sources(ultra, pro, count=1) == ["pro"]
    fuser = choose_fuser([ultra, pro])
    assert fuser is not None and fuser.id == "ultra"


def test_the_best_first_and_of_equals_the_first_named() -> None:
    models = [seat("a", tier=Tier.CORE).model, seat("b").model, seat("c", tier=Tier.ULTRA).model, seat("d").model]
    assert best_first(models) == [2, 1, 3, 0]
