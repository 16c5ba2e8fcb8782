"""Whose storefront it is."""

from conflux.policy.storefront import by_storefront
from tests.policy.samples import caller, model


def test_another_storefronts_models_are_for_admins() -> None:
    assert by_storefront(caller(), model()) is None
    assert by_storefront(caller(storefront="mall"), model()) == "the key belongs to the storefront mall"
    assert by_storefront(caller(storefront="mall", admin=True), model()) is None
