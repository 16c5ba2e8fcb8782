"""Who may see and run what, as a table; and that list and run can never disagree."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.catalogue.catalogue import build
from conflux.neutral.errors import Kind
from conflux.neutral.records import Model, Pool, Storefront
from conflux.policy.permitted import check_permitted, permitted, unknown_model
from tests.policy.samples import caller, case, envelope, model, refusal


@pytest.mark.parametrize(
    ("who", "what", "may"),
    [
        ({}, {}, True),
        ({}, {"enabled": False}, False),
        ({"admin": True}, {"enabled": False}, False),
        ({}, {"account": True}, False),
        ({"admin": True}, {"account": True}, False),
        ({}, {"storefront": "other"}, False),
        ({"admin": True}, {"storefront": "other"}, True),
        ({"models": frozenset({"shop/one"})}, {}, True),
        ({"models": frozenset({"shop/two"})}, {}, False),
        ({"models": frozenset()}, {}, False),
        ({"models": frozenset({"shop/two"}), "admin": True}, {}, False),
        ({"agent": True}, {}, False),
        ({"agent": True}, {"agent": True}, True),
        ({"agent": True, "models": frozenset({"shop/two"})}, {"agent": True}, False),
        ({"test": True}, {}, True),
    ],
)
def test_who_may_run_what(who: dict[str, Any], what: dict[str, Any], may: bool) -> None:
    assert permitted(caller(**who), model(**what)) is may


def test_the_public_sees_what_is_enabled_and_needs_no_account() -> None:
    assert permitted(None, model())
    assert not permitted(None, model(enabled=False))
    assert not permitted(None, model(account=True))


def narrowed(of: Model) -> Any:
    return st.builds(
        caller,
        admin=st.booleans(),
        agent=st.booleans(),
        storefront=st.sampled_from(["shop", "other"]),
        models=st.none() | st.frozensets(st.sampled_from([of.id, "shop/two", *of.aliases])),
    )


@given(st.data(), st.booleans(), st.booleans(), st.booleans())
def test_what_is_listed_runs_and_what_is_not_listed_is_unknown(
    data: Any, enabled: bool, account: bool, agent: bool
) -> None:
    one = model(enabled=enabled, account=account, agent=agent, aliases=("uno",))
    by = data.draw(narrowed(one))
    found = refusal(check_permitted, case(by=by, of=one))
    assert (found is None) is permitted(by, one)
    if found is not None:
        assert (found.kind, found.message) == (Kind.MODEL_NOT_FOUND, unknown_model("shop/one").message)


def test_a_forbidden_model_and_one_that_does_not_exist_are_told_alike() -> None:
    forbidden = refusal(check_permitted, case(of=model(enabled=False), asks=envelope(model="uno")))
    assert forbidden is not None
    assert forbidden.message == "Unknown model: uno" == unknown_model("uno").message
    assert (forbidden.kind, forbidden.param, forbidden.code) == (
        unknown_model("uno").kind,
        unknown_model("uno").param,
        unknown_model("uno").code,
    )


def test_a_long_name_is_not_told_back_whole() -> None:
    assert len(unknown_model("x" * 10_000).message) < 250


def test_a_keys_models_hold_whatever_name_the_model_is_called_by() -> None:
    """The list names ids; an alias of one of them is the same model, an alias of another is not."""
    one, two = model(id="shop/one", aliases=("uno",)), model(id="shop/two", aliases=("dos",), canonical_slug="two-1")
    catalogue = build([Storefront(id="shop", name="Shop", mount="/")], [one, two], [Pool(id="pond")], [])
    narrow = caller(models=frozenset({"shop/two"}))
    runs = {
        name: permitted(narrow, found)
        for name in ("shop/one", "uno", "shop/two", "dos", "two-1")
        if (found := catalogue.resolve("shop", name)) is not None
    }
    assert runs == {"shop/one": False, "uno": False, "shop/two": True, "dos": True, "two-1": True}
