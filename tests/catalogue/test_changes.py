"""Accepted changes lie over all files, in order, as versions of their own; what they were about may be gone."""

from typing import Any

import msgspec
import pytest

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.changes import ACCEPTED, REJECTED, Change, in_force, lay_cost
from conflux.catalogue.checks import Raw
from conflux.catalogue.loader import load
from conflux.neutral.errors import ConfigError
from tests.catalogue.samples import tables


def model(number: int, field: str = "price", key: tuple[str, ...] = ("shop", "shop/one"), **fields: Any) -> Change:
    return Change(id=number, table="model", key=key, field=field, fields=fields, source="up")


def cost(number: int, key: tuple[str, ...] = ("pond", "up", "up-1", "cloud"), **prices: str) -> Change:
    return Change(id=number, table="target", key=key, field="cost", fields={"cost": prices}, source="up")


def after(*changes: Change, **rows: Any) -> Catalogue:
    return load([], tables(**rows), changes=changes)


def test_a_price_changes_in_its_parts_and_is_a_version_named_after_the_change() -> None:
    price = after(model(7, price={"output": "3"})).models["shop", "shop/one"].price
    assert (price.version, price.input, price.output) == ("change-7", 1_000_000, 3_000_000)
    price = after(model(7, price={"output": "3"}), model(9, price={"input": "4"})).models["shop", "shop/one"].price
    assert (price.version, price.input, price.output) == ("change-9", 4_000_000, 3_000_000)


def test_a_price_says_since_which_day_it_is_in_force() -> None:
    row = {"price": {"input": "1", "output": "2", "effective_at": "2020-01-01"}}
    change = msgspec.structs.replace(model(7, price={"output": "3"}), effective_at=1_795_089_600)
    assert after(change, model=row).models["shop", "shop/one"].price.effective_at == "2026-11-19"
    assert after(model(7, price={"output": "3"}), model=row).models["shop", "shop/one"].price.effective_at == ""


def test_another_field_leaves_the_version_of_the_price() -> None:
    before = after().models["shop", "shop/one"].price.version
    found = after(model(7, "context", context=500)).models["shop", "shop/one"]
    assert (found.context, found.safe_context, found.price.version) == (500, 475, before)


def test_the_cost_of_one_target_changes() -> None:
    pool = [{"provider": "up", "model": "up-1"}, {"provider": "up", "model": "up-1", "variant": "local",
                                                  "cost": {"input": "1", "output": "1", "version": "5"}}]  # fmt: skip
    first, second = (
        after(cost(3, input="5", output="6"), cost(4, output="7"), pool={"target": pool}).pools["pond"].targets
    )
    assert first.cost is not None and second.cost is not None
    assert (first.cost.version, first.cost.input, first.cost.output) == ("change-4", 5_000_000, 7_000_000)
    assert (second.cost.version, second.cost.input) == ("5", 1_000_000)
    assert pool[0] == {"provider": "up", "model": "up-1"}  # what was read is not altered


def test_what_it_was_about_may_be_gone() -> None:
    gone = [
        model(1, key=("shop", "nothing"), price={"input": "1"}),
        Change(id=4, table="model", key=("shop", "nothing"), field="row", fields={"name": "N"}, source="console"),
        cost(2, ("lake", "up", "up-1", "cloud"), input="1"),
        cost(3, ("pond", "up", "other", "cloud"), input="1"),
    ]
    assert after(*gone) == after()
    pools: dict[tuple[str, ...], Raw] = {("pond",): Raw("x", {"target": "no list"})}
    lay_cost(pools, cost(1, input="1"))
    assert pools == {("pond",): Raw("x", {"target": "no list"})}


def test_a_row_that_is_checked_is_told_what_it_lacks() -> None:
    with pytest.raises(ConfigError, match="pool: missing"):
        after(Change(table="model", key=("shop", "nothing"), field="row", fields={"name": "N"}, source="own.csv"))


def test_a_row_may_be_new() -> None:
    row = Change(id=5, table="model", key=("shop", "shop/two"), field="row", source="own.csv",
                 fields={"pool": "pond", "price": {"input": "1", "output": "1"}})  # fmt: skip
    assert after(row).models["shop", "shop/two"].price.version == "change-5"
    pool = Change(id=6, table="pool", key=("lake",), field="row", source="own.toml",
                  fields={"target": [{"provider": "up", "model": "x"}]})  # fmt: skip
    assert after(pool).pools["lake"].targets[0].model == "x"


def test_a_change_that_does_not_fit_says_which_it_is() -> None:
    with pytest.raises(ConfigError, match=r"change 8 \(up\): model shop/shop/one: context: -1 is not a number"):
        after(model(8, "context", context=-1))
    with pytest.raises(ConfigError, match=r"^up: model shop/shop/one: context"):
        after(model(0, "context", context=-1))


def test_in_force_is_what_was_accepted_and_has_begun_in_that_order() -> None:
    def one(number: int, state: str, at: int | None) -> Change:
        return Change(id=number, table="model", key=(), field="row", fields={}, state=state, effective_at=at)

    changes = [one(1, ACCEPTED, 90), one(2, ACCEPTED, 50), one(3, ACCEPTED, 101), one(4, REJECTED, 10),
               one(5, ACCEPTED, None), one(6, ACCEPTED, 50)]  # fmt: skip
    assert [found.id for found in in_force(changes, 100)] == [2, 6, 1]
