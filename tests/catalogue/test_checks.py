"""What must hold between rows."""

from typing import Any

from conflux.catalogue.rows import PriceRow
from tests.catalogue.samples import Tables, built, mistakes, tables


def more(table: str, *rows: dict[str, Any], **changed: dict[str, Any]) -> Tables:
    said = tables(**changed)
    said[table] += rows
    return said


def face(name: str, **fields: Any) -> dict[str, Any]:
    return {"id": name, "name": name, "mount": f"/{name}", **fields}


def model(name: str, **fields: Any) -> dict[str, Any]:
    return {"storefront": "shop", "id": name, "pool": "pond", **fields}


def test_an_unknown_provider() -> None:
    said = tables(pool={"target": [{"provider": "up", "model": "a"}, {"provider": "nobody", "model": "b"}]})
    assert mistakes(said) == [
        "conflux.toml: [[pool]] #1 pond: target[1].provider: there is no [[provider]] 'nobody'"
    ]  # fmt: skip


def test_an_unknown_pool() -> None:
    assert mistakes(tables(model={"pool": "sea"})) == [
        "conflux.toml: [[model]] #1 shop/shop/one: pool: there is no [[pool]] 'sea'"
    ]


def test_a_row_with_a_mistake_is_still_asked_what_it_refers_to() -> None:
    said = tables(
        model={"pool": "sea", "context": "much", "price": {"inptu": "1", "output": "-1"}},
        pool={"target": [{"provider": "nobody", "model": "b", "weight": "x"}]},
    )
    assert sorted(one.partition(": [[")[2] for one in mistakes(said)) == sorted(
        [
            "pool]] #1 pond: target[0].weight: expected a whole number, got text",
            "model]] #1 shop/shop/one: context: expected a whole number, got text",
            "model]] #1 shop/shop/one: price.inptu: there is no such field; there are "
            + ", ".join(PriceRow.__struct_fields__),
            "model]] #1 shop/shop/one: price.output: '-1' is negative",
            "pool]] #1 pond: target[0].provider: there is no [[provider]] 'nobody'",
            "model]] #1 shop/shop/one: pool: there is no [[pool]] 'sea'",
        ]
    )


def test_an_unknown_storefront() -> None:
    assert mistakes(tables(model={"storefront": "mall"})) == [
        "conflux.toml: [[model]] #1 mall/shop/one: storefront: there is no [[storefront]] 'mall'; there are shop"
    ]


def test_mounts_hosts_and_key_prefixes_lead_to_one_storefront() -> None:
    said = more(
        "storefront",
        face("side", mount="/", hosts=["a.example"], key_prefixes=["sh_", "si_"], root_paths=["/models"]),
        storefront={"hosts": ["a.example"], "root_paths": ["/models"]},
    )
    assert mistakes(said) == [
        "conflux.toml: [[storefront]] #2 side: mount: '/' belongs to the storefront shop already",
        "conflux.toml: [[storefront]] #2 side: hosts: 'a.example' belongs to the storefront shop already",
        "conflux.toml: [[storefront]] #2 side: key_prefixes: 'sh_' belongs to the storefront shop already",
        "conflux.toml: [[storefront]] #2 side: root_paths: '/models' belongs to the storefront shop already",
    ]


def test_a_prefix_of_a_prefix_is_no_mistake() -> None:
    assert mistakes(more("storefront", face("side", key_prefixes=["sh_side_"]))) == []


def test_something_must_answer_at_the_root() -> None:
    assert mistakes(tables(storefront={"mount": "/shop"})) == [
        "storefronts: mount: none of them is at /, and one must answer there"
    ]


def test_aliases_lead_to_one_model() -> None:
    said = more(
        "model",
        model("two", aliases=["one", "free"]),
        model("three", aliases=["two", "three"], canonical_slug="free"),
        model={"aliases": ["one"]},
    )
    assert mistakes(said) == [
        "conflux.toml: [[model]] #2 shop/two: aliases: 'one' leads to shop/one already",
        "conflux.toml: [[model]] #3 shop/three: aliases: 'two' is the id of another model",
        "conflux.toml: [[model]] #3 shop/three: aliases: 'three' is the id of this model itself",
        "conflux.toml: [[model]] #3 shop/three: canonical_slug: 'free' leads to two already",
    ]


def test_two_storefronts_may_share_ids_and_aliases() -> None:
    said = more("storefront", face("side"), model={"aliases": ["x"]})
    said["model"].append({**model("shop/one", aliases=["x"]), "storefront": "side"})
    assert mistakes(said) == []


def test_an_effort_cannot_contradict_its_targets() -> None:
    target = {"provider": "up", "model": "a", "effort": "low"}
    said = tables(pool={"target": [target]}, model={"effort": "high"})
    assert mistakes(said) == [
        "conflux.toml: [[model]] #1 shop/shop/one: effort: 'high', but the target up/a/cloud of its pool fixes 'low'"
    ]
    assert mistakes(tables(pool={"target": [target]}, model={"effort": "low"})) == []
    assert mistakes(tables(pool={"target": [target]})) == []


def test_a_broken_row_is_told_once_and_what_refers_to_it_is_not_blamed() -> None:
    said = tables(
        provider={"base_url": 5},
        storefront={"margin": 1.4},
        pool={"id": "pond", "target": [{"provider": "up", "model": "a", "weight": "x"}]},
    )
    assert mistakes(said) == [
        "conflux.toml: [[storefront]] #1 shop: margin: expected text, got a number",
        "conflux.toml: [[provider]] #1 up: base_url: expected text, got a whole number",
        "conflux.toml: [[pool]] #1 pond: target[0].weight: expected a whole number, got text",
    ]


def test_a_model_is_judged_even_where_its_storefront_is_broken() -> None:
    found = mistakes(tables(storefront={"margin": 1.4}, model={"context": 0}))
    assert found[1:] == ["conflux.toml: [[model]] #1 shop/shop/one: context: 0 is not a number of tokens"]


def test_a_sixth_storefront_is_data_alone() -> None:
    catalogue = built()
    assert set(catalogue.storefronts) == {"shop"}
    names = ["b", "c", "d", "e", "f"]
    said = more("storefront", *(face(name, key_prefixes=[f"{name}{name}_"]) for name in names))
    said["model"] += [{**model("m"), "storefront": name} for name in names]
    assert mistakes(said) == []
