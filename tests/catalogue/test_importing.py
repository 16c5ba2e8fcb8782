"""Rows from elsewhere: three forms, the same rows; what is misshapen is told with its place."""

import json
import tomllib

import pytest

from conflux.catalogue.importing import changes_of, read_rows, to_toml
from conflux.catalogue.loader import load
from conflux.neutral.errors import ConfigError
from tests.catalogue.samples import tables

ROW = {
    "storefront": "shop", "id": "shop/two", "pool": "pond", "context": 8192, "capabilities": ["text", "tools"],
    "price": {"input": "0.15", "output": "0.60"}, "agent": True, "dimensions": [1, 2],
}  # fmt: skip
CSV = """storefront,id,pool,context,capabilities,price.input,price.output,agent,dimensions,name
shop,shop/two,pond,8_192,text; tools,0.15,0.60,TRUE,1;2,
"""


def mistakes(file: str, text: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        read_rows(file, text)
    return error.value.problems


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("m.csv", CSV),
        ("m.csv", "\ufeff" + CSV),
        ("m.json", json.dumps([ROW])),
        ("m.JSON", json.dumps({"model": [ROW]})),
        ("m.toml", to_toml({"model": [ROW]})),
    ],
)
def test_three_forms_of_the_same_rows(file: str, text: str) -> None:
    assert read_rows(file, text) == {"model": [ROW]}


def test_what_is_printed_is_read_back() -> None:
    odd = {"id": 'a "b" \\ \n \x7f é', "pool": "p", "headers": {"x y": "1", "": "2"}, "on": False, "no": None, "t": []}
    assert tomllib.loads(to_toml({"pool": [odd], "model": [ROW, ROW]})) == {
        "pool": [{name: value for name, value in odd.items() if value is not None}], "model": [ROW, ROW],
    }  # fmt: skip


def test_pools_come_before_the_models_that_name_them() -> None:
    rows = read_rows("m.toml", to_toml({"model": [{**ROW, "pool": "lake"}], "pool": [{"id": "lake", "target": []}]}))
    changes = changes_of(rows, "m.toml")
    assert [(one.table, one.key, one.field) for one in changes] == [
        ("pool", ("lake",), "row"), ("model", ("shop", "shop/two"), "row"),
    ]  # fmt: skip
    assert changes[1].fields == {name: value for name, value in ROW.items() if name not in ("storefront", "id")} | {
        "pool": "lake"
    }


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("m.xlsx", "", "write a .toml, .json or .csv file"),
        ("m", "", "write a .toml"),
        ("m.toml", "x = [", "not valid TOML"),
        ("m.json", "{", "not valid JSON"),
        ("m.json", "[" * 100_000, "not valid JSON"),
        ("m.csv", 'a\n"x', "not valid CSV"),
        ("m.csv", "storefront,id\nshop,x,y\n", "more cells than there are names"),
        ("m.csv", "storefront,id,price,price.input\nshop,x,1,2\n", "price stands beside price.input"),
        ("m.csv", "storefront,id,price.input,price\nshop,x,1,\n", "price stands beside price.input"),
        ("m.csv", "storefront,id,id\nshop,x,y\n", "id stands twice"),
        ("m.csv", "storefront,id\n" + "shop,x\n" * 5001, "at most 5000 rows"),
        ("m.json", json.dumps([ROW] * 5001), "at most 5000 rows"),
        ("m.toml", "x = " + "9" * 5000, "not valid TOML"),
        ("m.csv", "", "holds no models"),
        ("m.json", "[]", "holds no models"),
        ("m.json", "5", "holds no models"),
        ("m.json", '{"model": [5]}', "model: write it as a list of rows"),
        ("m.json", '{"model": [{"id": "x"}]}', "model #1: storefront and id: missing"),
        ("m.json", '{"model": [{"id": 5, "storefront": "shop"}]}', "model #1: storefront and id: missing"),
        ("m.toml", to_toml({"model": [ROW], "provider": [{"id": "x"}]}), "provider: only models, pools"),
        ("m.json", json.dumps([ROW, ROW]), "model #2 shop/shop/two: written twice"),
    ],
)
def test_what_is_no_row_is_told(file: str, text: str, words: str) -> None:
    found = mistakes(file, text)
    assert len(found) == 1 and words in found[0] and found[0].startswith(file)


def test_cells_that_do_not_read_are_told_by_the_loader() -> None:
    rows = read_rows(
        "m.csv", "storefront,id,pool,context,agent,colour,price.input\nshop,x,pond,much,perhaps,red,cheap\n"
    )
    with pytest.raises(ConfigError) as error:
        load([], tables(), changes=changes_of(rows, "m.csv"))
    found = [line.removeprefix("m.csv: model shop/x: ").split(":")[0] for line in error.value.problems]
    assert sorted(found) == ["agent", "colour", "context", "price.input"]


def test_a_price_as_a_number_is_none() -> None:
    rows = read_rows("m.json", json.dumps([{**ROW, "price": {"input": 0.1, "output": "1"}}]))
    with pytest.raises(ConfigError, match=r'write it as a string, "0\.1"'):
        load([], tables(), changes=changes_of(rows, "m.json"))


def test_a_figure_of_too_many_digits_is_told_by_the_loader() -> None:
    for cell in ("9" * 5000, "9" * 19):
        rows = read_rows("m.csv", f"storefront,id,pool,context,dimensions\nshop,x,pond,{cell},{cell}\n")
        with pytest.raises(ConfigError) as error:
            load([], tables(), changes=changes_of(rows, "m.csv"))
        assert any("context" in line for line in error.value.problems)


def test_a_price_of_a_later_day_is_a_change_of_its_own() -> None:
    day = 4_070_908_800  # 2099-01-01
    row = {**ROW, "price": {"input": "2", "effective_at": "2099-01-01"}}
    made = changes_of({"model": [row]}, "m.json", None, 1_700_000_000)
    assert [(one.effective_at, one.fields.get("price"), len(one.fields)) for one in made] == [
        (None, None, len(ROW) - 3), (day, {"input": "2"}, 1)]  # fmt: skip
    alone = {"storefront": "shop", "id": "shop/two", "price": row["price"]}
    assert [one.effective_at for one in changes_of({"model": [alone]}, "m.json")] == [day]
    # from its day on, or from a later moment that all rows wait for, it is a price like others
    assert len(changes_of({"model": [row]}, "m.json", None, day)) == 1
    (late,) = changes_of({"model": [row]}, "m.json", day + 5, 1_700_000_000)
    assert late.effective_at == day + 5 and late.fields["price"] == row["price"]
    for said in ("", "2099-02-30", 5, None):  # the loader tells which of them are wrong
        wrong = {**row, "price": {"input": "2", "effective_at": said}}
        assert len(changes_of({"model": [wrong]}, "m.json")) == 1


def test_a_pool_counts_as_it_is() -> None:
    cost = {"input": "1", "output": "2", "effective_at": "2099-01-01"}
    pool = {"id": "lake", "target": [{"provider": "up", "model": "one", "cost": cost}, "no table", {"cost": 5}]}
    with pytest.raises(ConfigError) as error:
        changes_of({"pool": [pool]}, "p.json")
    assert error.value.problems == [
        "p.json: pool lake: target one: cost.effective_at: 2099-01-01 is still to come, and a pool counts as it is: "
        "import it then"
    ]  # fmt: skip
    assert len(changes_of({"pool": [pool]}, "p.json", None, 4_070_908_800)) == 1
