"""Layers of rows, and what happens to files that are wrong."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.limitations import COMPAT, PROBED, limitations
from conflux.catalogue.loader import load, shipped_dir
from conflux.catalogue.rows import ModelRow, PoolRow, ProviderRow, RateRow, StorefrontRow
from conflux.neutral.errors import ConfigError
from conflux.neutral.money import per_million
from conflux.neutral.records import Capability, Model, Tier
from tests.catalogue.samples import Tables, built, mistakes, tables

SHOP = """
[[storefront]]
id = "shop"
name = "Shop"
mount = "/"

[[provider]]
id = "up"
base_url = "http://127.0.0.1:9100"
dialect = "openai-chat"

[[pool]]
id = "pond"
[[pool.target]]
provider = "up"
model = "up-1"

[[model]]
storefront = "shop"
id = "one"
pool = "pond"
price = { input = "1", output = "2" }
"""


def shipped_with(**owner: list[dict[str, Any]]) -> Catalogue:
    return load([shipped_dir()], owner)


def conflux(catalogue: Catalogue, name: str) -> Model:
    return catalogue.models["conflux", name]


def refused(*directories: Path, owner: Tables | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(directories, owner)
    return caught.value.problems


# --- files and directories


def test_rows_may_be_spread_over_files_in_any_order(tmp_path: Path) -> None:
    head, model = SHOP.split("[[model]]")
    (tmp_path / "a.toml").write_text("[[model]]" + model)
    (tmp_path / "b.toml").write_text(head)
    (tmp_path / "notes.txt").write_text("not read")
    assert list(load([tmp_path]).models) == [("shop", "one")]


def test_a_file_that_changed_is_read_anew_and_one_that_did_not_says_the_same(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(SHOP)
    price = {"storefront": "shop", "id": "one", "price": {"input": "3"}}
    assert load([tmp_path], {"model": [price]}) == load([tmp_path], {"model": [price]})
    first = load([tmp_path])
    assert first == load([tmp_path])  # what the owner laid over it is not in the file
    file.write_text(SHOP.replace('output = "2"', 'output = "4"'))
    assert load([tmp_path]) != first


def test_a_missing_and_an_empty_directory(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    assert refused(missing) == [
        f"{missing}: this catalogue directory does not exist",
    ]
    assert refused(tmp_path) == [f"{tmp_path}: this catalogue directory holds no .toml file"]


def test_a_file_that_is_no_toml_is_named_and_its_rows_are_not_missed(tmp_path: Path) -> None:
    head, model = SHOP.split("[[model]]")
    (tmp_path / "models.toml").write_text("[[model]]" + model + "\n[[model]]\nstorefront = 'shop'\nid = 'x'\n")
    (tmp_path / "pools.toml").write_text(head + "\nid = = 1\n")
    found = refused(tmp_path)
    assert len(found) == 2
    assert found[0].startswith(f"{tmp_path}/pools.toml: not valid TOML: ")
    assert found[1] == f"{tmp_path}/models.toml: [[model]] #2 shop/x: pool: missing"


def test_a_file_that_is_no_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b'x = "\xff"')
    assert refused(tmp_path)[0].startswith(f"{tmp_path}/a.toml: not valid TOML: ")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.toml").mkdir()
    assert refused(tmp_path) == [f"{tmp_path}/a.toml: cannot be read: Is a directory"]


def test_tables_nobody_knows_and_tables_that_are_no_lists() -> None:
    said = tables()
    said["modle"] = [{}]
    said["pool"] = {"id": "pond"}  # type: ignore[assignment]
    assert mistakes(said) == [
        "conflux.toml: pool: write it as [[pool]], a table for each",
        "conflux.toml: modle: there is no such table; there are storefront, provider, pool, model, rate, plan",
        "conflux.toml: [[model]] #1 shop/shop/one: pool: there is no [[pool]] 'pond'",
    ]


@pytest.mark.parametrize("bad", [None, "", 5])
def test_a_row_that_does_not_say_which_it_is(bad: Any) -> None:
    said = tables()
    said["model"].append({"storefront": bad, "pool": "pond"})
    said["provider"].append({"id": bad, "base_url": "http://x"})
    assert mistakes(said) == [
        "conflux.toml: [[provider]] #2: id: missing, it says which row this is",
        "conflux.toml: [[model]] #2: storefront and id: missing, it says which row this is",
    ]


def test_the_same_row_twice_in_one_layer(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(SHOP)
    (tmp_path / "b.toml").write_text('[[pool]]\nid = "pond"\n[[pool.target]]\nprovider = "up"\nmodel = "b"\n')
    assert refused(tmp_path) == [f"{tmp_path}/b.toml: [[pool]] #1 pond: id: written twice: keep one of the two rows"]
    said = tables()
    said["model"].append(dict(said["model"][0]))
    assert mistakes(said) == ["conflux.toml: [[model]] #2 shop/shop/one: id: written twice: keep one of the two rows"]


def test_mistakes_of_all_files_and_of_the_owner_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(SHOP.replace('mount = "/"', 'mount = "/"\ncolour = 1'))
    (tmp_path / "b.toml").write_text('[[rate]]\ncurrency = "CNY"\nusd = 0.14\ndate = "x"\n')
    owner = {"model": [{"storefront": "shop", "id": "one", "context": -1, "price": {"input": 3.0}}]}
    found = refused(tmp_path, owner=owner)
    assert [line.split(": ")[:3] for line in found] == [
        [f"{tmp_path}/b.toml", "[[rate]] #1 CNY", "usd"],
        [f"{tmp_path}/b.toml", "[[rate]] #1 CNY", "date"],
        [f"{tmp_path}/a.toml", "[[storefront]] #1 shop", "colour"],
        ["conflux.toml", "[[model]] #1 shop/one", "price.input"],
        ["conflux.toml", "[[model]] #1 shop/one", "context"],
    ]


def test_the_error_reads_as_its_lines() -> None:
    with pytest.raises(ConfigError) as caught:
        built(model={"context": 0, "max_output": 0})
    assert str(caught.value) == "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 2


# Whatever TOML can say, in a field that exists or in one that does not.
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates() | st.datetimes()
    | st.sampled_from(["0.1", "high", "chat", "compat", "CNY", "up", "pond", "BOTH", "text", "/"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
ROWS = {"storefront": StorefrontRow, "provider": ProviderRow, "pool": PoolRow, "model": ModelRow, "rate": RateRow}
FIELDS = {
    table: st.sampled_from([*type_.__struct_fields__, "other"]) | st.text(max_size=8) for table, type_ in ROWS.items()
}
CHANGES = st.fixed_dictionaries(
    {}, optional={table: st.dictionaries(names, ANYTHING, max_size=4) for table, names in FIELDS.items()}
)


@given(CHANGES)
def test_any_rows_are_a_catalogue_or_lines_that_say_why_not(changes: dict[str, dict[str, Any]]) -> None:
    for line in mistakes(tables(**changes)):
        assert line.isprintable()
        assert len(line) <= 2000
        assert ": " in line


# --- the owner over the shipped


def test_the_configuration_contracts_example() -> None:
    catalogue = shipped_with(
        provider=[{"id": "local", "dialect": "openai-chat", "base_url": "http://127.0.0.1:9100/v1",
                   "credential": "env:LOCAL_KEY"}],
        pool=[{"id": "deepseek-v4-pro", "target": [{"provider": "local", "model": "deepseek-v4-pro-260425",
                                                    "weight": 1}]}],
        model=[{"storefront": "conflux", "id": "conflux/deepseek-v4-pro", "pool": "deepseek-v4-pro"}],
    )  # fmt: skip
    before = load([shipped_dir()])
    assert conflux(catalogue, "conflux/deepseek-v4-pro").price == conflux(before, "conflux/deepseek-v4-pro").price
    (target,) = catalogue.pools["deepseek-v4-pro"].targets  # replaced whole
    assert (target.provider, target.model) == ("local", "deepseek-v4-pro-260425")
    local = catalogue.providers["local"]
    assert (local.configured, local.credentials, local.dialects) == (True, ("env:LOCAL_KEY",), ("openai-chat",))
    assert not catalogue.providers["openai"].configured
    assert len(catalogue.models) == len(before.models)


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"name": "Mine"}, {"name": "Mine"}),
        ({"enabled": False}, {"enabled": False}),
        ({"tier": "core"}, {"tier": Tier.CORE, "assumed": frozenset()}),
        ({"aliases": ["pro"]}, {"aliases": ("pro",)}),
        (
            {"capabilities": ["text"]},
            {"capabilities": frozenset({Capability.TEXT}), "input_modalities": ("text",), "agent": False},
        ),
        ({"context": 1000}, {"context": 1000, "safe_context": 950}),
        ({"safe_context": 1000}, {"safe_context": 1000}),
        ({"max_output": 5}, {"max_output": 5}),
    ],
)
def test_a_model_is_overridden_field_by_field(fields: dict[str, Any], changed: dict[str, Any]) -> None:
    name = "conflux/deepseek-v4-pro"
    before = conflux(load([shipped_dir()]), name)
    after = conflux(shipped_with(model=[{"storefront": "conflux", "id": name, **fields}]), name)
    said = {field: getattr(after, field) for field in Model.__struct_fields__}
    assert said == {field: getattr(before, field) for field in Model.__struct_fields__} | changed


def test_another_context_drops_the_old_safe_budget() -> None:
    after = shipped_with(model=[{"storefront": "conflux", "id": "conflux/kimi-k2.6", "context": 100_000}])
    assert conflux(after, "conflux/kimi-k2.6").safe_context == 95_000


def test_prices_are_overridden_one_by_one_and_get_a_version_of_their_own() -> None:
    def kimi(**price: str) -> Model:
        row = {"storefront": "llmbase", "id": "moonshotai/kimi-k2.6", "price": price}
        return shipped_with(model=[row]).models["llmbase", "moonshotai/kimi-k2.6"]

    shipped = load([shipped_dir()]).models["llmbase", "moonshotai/kimi-k2.6"]
    dearer = kimi(input="2")
    assert per_million(dearer.price.input or 0) == "2"
    assert dearer.price.output == shipped.price.output
    versions = {shipped.price.version, dearer.price.version, kimi(input="3").price.version}
    assert len(versions) == 3
    assert kimi(input="2").price.version == dearer.price.version
    assert kimi(input="2", version="2026-12").price.version == "2026-12"


def test_what_the_owner_states_is_no_longer_assumed() -> None:
    def kimi(**fields: Any) -> frozenset[str]:
        row = {"storefront": "llmbase", "id": "moonshotai/kimi-k2.6", **fields}
        return shipped_with(model=[row]).models["llmbase", "moonshotai/kimi-k2.6"].assumed

    shipped = load([shipped_dir()]).models["llmbase", "moonshotai/kimi-k2.6"].assumed
    assert shipped - kimi(max_output=5) == {"max_output"}
    assert shipped - kimi(price={"cache_read": "0.1"}) == {"price.cache_read"}
    assert shipped - kimi(price={"input": "1"}) == set()
    assert shipped - kimi(capabilities=["text", "tools"]) == {"capabilities.tools"}
    assert kimi(assumed=["tier"]) == {"tier"}


def test_a_new_model_and_pool() -> None:
    catalogue = shipped_with(
        provider=[{"id": "ollama"}],
        pool=[{"id": "mine", "target": [{"provider": "ollama", "model": "gemma"}]}],
        model=[{"storefront": "conflux", "id": "conflux/mine", "pool": "mine", "price": {"input": "0", "output": "0"}}],
    )
    assert conflux(catalogue, "conflux/mine").price.free
    assert catalogue.providers["ollama"].configured
    assert catalogue.providers["ollama"].base_url.startswith("http://127.0.0.1:")


def test_a_provider_is_overridden_field_by_field() -> None:
    openai = shipped_with(provider=[{"id": "openai", "base_url": "http://proxy.example/v1"}]).providers["openai"]
    assert openai.base_url == "http://proxy.example/v1"
    assert openai.credentials == ("env:OPENAI_API_KEY",)
    assert openai.configured
    mine = shipped_with(provider=[{"id": "openai", "credential": "env:MINE", "dialect": "openai-chat"}])
    assert mine.providers["openai"].credentials == ("env:MINE",)
    assert mine.providers["openai"].dialects == ("openai-chat",)


def test_a_pool_is_replaced_whole_and_not_mixed(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(SHOP)
    assert refused(tmp_path, owner={"pool": [{"id": "pond"}]}) == [
        "conflux.toml: [[pool]] #1 pond: target: missing: write at least one [[pool.target]]; to switch a model off, "
        "set its enabled = false"
    ]


def test_what_is_said_in_another_form_replaces_the_form_below(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        SHOP.replace('dialect = "openai-chat"', 'dialect = "openai-chat"\ncredential = "env:OLD"')
        + '[[model]]\nstorefront = "shop"\nid = "e"\nkind = "embedding"\npool = "pond"\ndimensions = [8, 16]\n'
        "max_dimension = 16\n"
    )
    catalogue = load(
        [tmp_path],
        {
            "provider": [{"id": "up", "dialects": ["gemini"], "credentials": ["env:NEW"]}],
            "model": [{"storefront": "shop", "id": "e", "dimensions": [4]}],
        },
    )
    assert (catalogue.providers["up"].dialects, catalogue.providers["up"].credentials) == (("gemini",), ("env:NEW",))
    assert catalogue.models["shop", "e"].max_dimension == 4


def test_an_owner_who_sets_a_lane_to_auto_takes_the_compat_text_away() -> None:
    name = "nvidia/deepseek-v4-pro"
    assert limitations(conflux(load([shipped_dir()]), name)) == [COMPAT]
    after = shipped_with(provider=[{"id": "nvidia", "lane": "auto"}])
    assert limitations(conflux(after, name)) == []
    assert limitations(conflux(after, "conflux/deepseek-v4-pro")) == [PROBED]


def test_a_storefront_is_renamed_moved_added_and_removed() -> None:
    catalogue = shipped_with(
        storefront=[
            {"id": "conflux", "name": "Ours", "header_prefix": "ours"},
            {"id": "tokenflux", "enabled": False},
            {"id": "llmbase", "mount": "/base"},
            {"id": "sixth", "name": "Sixth", "mount": "/tokenflux", "key_prefixes": ["tf_"]},
        ],
        model=[{"storefront": "sixth", "id": "m", "pool": "gpt-4o"}],
    )
    assert list(catalogue.storefronts) == ["conflux", "inference", "llmbase", "sixth"]
    assert catalogue.root.name == "Ours"
    assert catalogue.root.default_max_output == 4096
    assert catalogue.models_of("tokenflux") == ()
    assert not any(model.storefront == "tokenflux" for model in catalogue.models.values())
    assert [model.id for model in catalogue.models_of("sixth")] == ["m"]
    face = catalogue.storefront_of_key("tf_x")
    assert face is not None and face.id == "sixth"


def test_a_directory_of_the_owners_lies_between_the_shipped_and_the_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        '[[model]]\nstorefront = "conflux"\nid = "gpt-4o-mini"\nname = "directory"\nmax_output = 7\n'
        '[[provider]]\nid = "here"\nbase_url = "http://127.0.0.1:1"\ndialect = "openai-chat"\n'
    )
    owner = {"model": [{"storefront": "conflux", "id": "gpt-4o-mini", "name": "file"}]}
    catalogue = load([shipped_dir(), tmp_path], owner)
    mini = conflux(catalogue, "gpt-4o-mini")
    assert (mini.name, mini.max_output) == ("file", 7)
    assert catalogue.providers["here"].configured
    assert not catalogue.providers["openai"].configured


def test_loading_changes_nothing_of_what_it_was_given() -> None:
    owner: Tables = {"model": [{"storefront": "conflux", "id": "gpt-4o-mini", "price": {"input": "1"}}]}
    load([shipped_dir()], owner)
    assert owner == {"model": [{"storefront": "conflux", "id": "gpt-4o-mini", "price": {"input": "1"}}]}


def test_the_shipped_directory_is_the_repositorys() -> None:
    assert shipped_dir() == Path(__file__).resolve().parents[2] / "catalogue"


def test_a_price_of_a_file_that_is_still_to_come_is_refused() -> None:
    today = date(2026, 11, 22)

    def problems(begins: str) -> list[str]:
        said = {"input": "1", "output": "2", "effective_at": begins}
        target = {"provider": "openai", "model": "m", "cost": said}
        model = {"storefront": "conflux", "id": "one", "pool": "pond", "name": "One", "price": said}
        try:
            load([shipped_dir()], {"pool": [{"id": "pond", "target": [target]}], "model": [model]}, today=today)
        except ConfigError as error:
            return error.problems
        return []

    assert problems("2026-11-22") == problems("2026-11-23") == []  # a day, for clocks that are ahead
    assert problems("2026-11-24") == [
        f"conflux.toml: [[{row}.effective_at: 2026-11-24 is still to come, and a file counts as it is: write it then, "
        "or give a model's price that begins later in the console"
        for row in ("model]] #1 conflux/one: price", "pool]] #1 pond: target[0].cost")
    ]
    assert len(problems("2026-11-31")) == 2 and "is not a date" in problems("2026-11-31")[0]
