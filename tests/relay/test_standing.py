"""What one kind of caller may do, compiled: shared by those who are narrowed alike, and gone with its snapshot."""

from typing import Any

import pytest
from msgspec.structs import replace

from conflux.catalogue.listings.row import Row
from conflux.neutral.records import Caller, Storefront
from conflux.relay import standing as module
from conflux.relay.standing import PUBLIC, Standing, standing_of, verdict_of
from tests.policy.samples import caller, model, policy, rule
from tests.relay.shops import PRICE, shop
from tests.relay.world import World

CODEX = [(b"user-agent", b"codex_cli_rs/0.1")]
OVERRIDES = policy(overrides=(rule("substitute", "gpt-*", "shop/one", client="codex", to="shop/two"),))


def world(**fields: Any) -> World:
    return World(shop(more=[model(id="shop/two", price=PRICE), model(id="shop/idle", pool="dry"),
                            model(id="shop/account", account=True, pool="dry")], **fields))  # fmt: skip


def storefront(of: World) -> Storefront:
    return of.snapshot.catalogue.storefronts["shop"]


def standing(of: World, who: Caller | None, headers: Any = ()) -> Standing:
    return standing_of(of.snapshot, who, storefront(of), list(headers))


def ids(found: Standing) -> list[str]:
    return [row.model.id for row in found.rows]


def test_callers_who_may_do_the_same_share_one() -> None:
    one = world()
    narrow = {"models": frozenset({"shop/one"})}
    assert standing(one, caller()) is standing(one, caller(key_id=2, name="other", workspace_id=7))
    assert standing(one, caller(**narrow)) is standing(one, caller(key_id=3, **narrow))
    assert standing(one, caller(**narrow)) is not standing(one, caller())
    limited = caller(policies=(policy(requests_per_minute=1),))
    assert ids(standing(one, limited)) == ids(standing(one, caller()))


@pytest.mark.parametrize(
    "fields",
    [
        {"admin": True},
        {"test": True},
        {"agent": True},
        {"storefront": "mall"},
        {"models": frozenset()},
        {"policies": (policy(deny=("x",)),)},
        {"policies": (policy("user", deny=("x",)),)},
        {"policies": (policy(allow=()),)},
        {"policies": (policy(entitle=("x",)),)},
        {"policies": (OVERRIDES,)},
    ],
)
def test_everything_that_narrows_is_in_the_fingerprint(fields: dict[str, Any]) -> None:
    one = world()
    assert standing(one, caller(**fields)).fingerprint != standing(one, caller()).fingerprint


def test_a_coding_agent_has_its_own_only_where_a_rule_asks() -> None:
    one = world()
    plain, ruled = caller(), caller(policies=(OVERRIDES,))
    assert standing(one, plain, CODEX) is standing(one, plain)
    assert standing(one, ruled, CODEX) is not standing(one, ruled)


def test_the_public_sees_the_catalogue_and_a_key_what_would_answer() -> None:
    one = world()
    assert ids(standing(one, None)) == ["shop/idle", "shop/one", "shop/two"]
    assert standing(one, None).fingerprint == ("shop", PUBLIC, None)
    assert ids(standing(one, caller())) == ["shop/one", "shop/two"]
    entitled = caller(policies=(policy(entitle=("shop/account",)),))
    assert [(row.model.id, row.status) for row in standing(one, entitled).rows] == [
        ("shop/account", "account_needed"),
        ("shop/one", "enabled"),
        ("shop/two", "enabled"),
    ]


def test_a_task_chooses_among_what_runs_as_itself() -> None:
    one = world()
    by = caller(policies=(OVERRIDES, policy("key", entitle=("*",))))
    assert ids(standing(one, by, CODEX)) == ["shop/account", "shop/one", "shop/two"]
    assert [model.id for model in standing(one, by, CODEX).own] == ["shop/two"]
    assert [model.id for model in standing(one, by).own] == ["shop/one", "shop/two"]


def test_a_name_means_its_model_or_what_a_rule_makes_of_it() -> None:
    one, by = world(), caller(policies=(OVERRIDES,))

    def served(name: str, who: Caller | None, headers: Any = ()) -> str | None:
        found = verdict_of(standing(one, who, headers), one.snapshot, who, storefront(one), name).served
        return found.id if found is not None else None

    assert [served(name, by) for name in ("shop/one", "uno", "gpt-5", "nobody")] == ["shop/one", "shop/one", None, None]
    assert [served(name, by, CODEX) for name in ("shop/one", "uno", "gpt-5", "nobody")] == [
        "shop/two", "shop/two", "shop/two", None,
    ]  # fmt: skip
    assert [served(name, None) for name in ("uno", "gpt-5")] == ["shop/one", None]


def test_a_new_snapshot_begins_with_none() -> None:
    one = world()
    assert isinstance(standing(one, caller()).rows[0], Row)
    off = replace(model(id="shop/one"), enabled=False)
    again = World(shop(enabled=off.enabled))
    assert ids(standing(again, caller())) == []


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 3)
    one = world()
    for number in range(10):
        standing(one, caller(models=frozenset({str(number)})))
    assert len(one.snapshot.standings) <= 3


def test_only_so_many_names_are_kept_and_none_that_was_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_NAMES", 2)
    one, by = world(), caller(policies=(OVERRIDES,))
    found = standing(one, by, CODEX)
    for name in ("nobody", "gpt-1", "gpt-2", "gpt-3", "gpt-1", "gpt-3"):
        verdict = verdict_of(found, one.snapshot, by, storefront(one), name)
        assert (verdict.served is not None) is name.startswith("gpt")
    assert set(found.names) == {"gpt-1", "gpt-2"}
