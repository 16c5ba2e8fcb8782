"""The snapshot's look-ups."""

import pytest

from conflux.catalogue.catalogue import build, live_targets
from conflux.neutral.records import Model, Pool, Storefront, Target

ROOT = Storefront(id="a", name="A", mount="/", key_prefixes=("k_", "k_test_"))
SIDE = Storefront(id="b", name="B", mount="/b", key_prefixes=("k_te", "kb_"))


def model(storefront: str, name: str, *aliases: str, slug: str | None = None) -> Model:
    return Model(storefront=storefront, id=name, name=name, pool="p", aliases=aliases, canonical_slug=slug)


CATALOGUE = build(
    [ROOT, SIDE],
    [model("a", "z"), model("a", "m", "em", slug="m-1"), model("a", "B"), model("b", "z", "zed")],
    [Pool(id="p")],
    [],
)


def test_models_of_a_storefront_are_sorted_by_id() -> None:
    assert [one.id for one in CATALOGUE.models_of("a")] == ["B", "m", "z"]
    assert CATALOGUE.models_of("nobody") == ()


@pytest.mark.parametrize(
    ("storefront", "name", "found"),
    [
        ("a", "m", "m"),
        ("a", "em", "m"),
        ("a", "m-1", "m"),
        ("a", "zed", None),
        ("b", "zed", "z"),
        ("b", "m", None),
        ("a", "", None),
        ("nobody", "m", None),
    ],
)
def test_resolve(storefront: str, name: str, found: str | None) -> None:
    model = CATALOGUE.resolve(storefront, name)
    assert (model.id if model is not None else None) == found
    assert model is None or model.storefront == storefront


def test_an_id_wins_over_an_alias() -> None:
    catalogue = build([ROOT], [model("a", "x", "y"), model("a", "y")], [], [])
    found = catalogue.resolve("a", "y")
    assert found is not None and found.id == "y"


@pytest.mark.parametrize(
    ("secret", "storefront"),
    [("k_abc", "a"), ("k_test_abc", "a"), ("k_te", "b"), ("k_teX", "b"), ("kb_1", "b"), ("kc_1", None), ("", None)],
)
def test_the_longest_prefix_of_a_key_picks_the_storefront(secret: str, storefront: str | None) -> None:
    found = CATALOGUE.storefront_of_key(secret)
    assert (found.id if found is not None else None) == storefront


def test_the_root_is_what_is_mounted_at_the_root() -> None:
    assert CATALOGUE.root is ROOT


def test_live_targets_keeps_the_order_of_what_can_be_called() -> None:
    targets = tuple(Target(provider=name, model="m") for name in ("x", "y", "x2"))
    assert live_targets(Pool(id="p", targets=targets), {"x", "x2"}.__contains__) == (targets[0], targets[2])
    assert live_targets(Pool(id="p", targets=targets), lambda _: False) == ()
