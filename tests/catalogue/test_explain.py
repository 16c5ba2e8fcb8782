"""Every field that does not convert is named, in words an owner knows."""

from typing import Any

import msgspec
import pytest

from conflux.catalogue.explain import explain
from conflux.catalogue.rows import ModelRow, PoolRow, PriceRow, ProviderRow, RateRow, Row, StorefrontRow

MODEL: dict[str, Any] = {"storefront": "s", "id": "i", "pool": "p"}
POOL: dict[str, Any] = {"id": "p", "target": [{"provider": "u", "model": "m"}]}

CASES: list[tuple[type[Row], dict[str, Any], list[tuple[str, str]]]] = [
    (ModelRow, MODEL, []),
    (ModelRow, {"storefront": "s"}, [("id", "missing")]),
    (ModelRow, {**MODEL, "name": 5}, [("name", "expected text, got a whole number")]),
    (ModelRow, {**MODEL, "context": "big"}, [("context", "expected a whole number, got text")]),
    (ModelRow, {**MODEL, "context": 1.5}, [("context", "expected a whole number, got a number")]),
    (ModelRow, {**MODEL, "enabled": "yes"}, [("enabled", "expected true or false, got text")]),
    (ModelRow, {**MODEL, "aliases": "x"}, [("aliases", "expected a list, got text")]),
    (ModelRow, {**MODEL, "aliases": ["x", 1, 2]},
     [("aliases[1]", "expected text, got a whole number"), ("aliases[2]", "expected text, got a whole number")]),
    (ModelRow, {**MODEL, "input_modalities": ["text", 7]},
     [("input_modalities[1]", "expected text, got a whole number")]),
    (ModelRow, {**MODEL, "role": "BOSS"}, [("role", "'BOSS' is not one of SOURCE, FUSE, BOTH, FLUX")]),
    (ModelRow, {**MODEL, "role": 1}, [("role", "1 is not one of SOURCE, FUSE, BOTH, FLUX")]),
    (ModelRow, {**MODEL, "tier": "gold"}, [("tier", "'gold' is not one of core, pro, ultra")]),
    (ModelRow, {**MODEL, "capabilities": ["text", "smell"]},
     [("capabilities[1]", "'smell' is not one of text, tools, vision, files, audio, web_search, completions, "
       "json_mode, structured_outputs, reasoning, logprobs, image_output")]),
    (ModelRow, {**MODEL, "price": "1"}, [("price", "expected a table, got text")]),
    (ModelRow, {**MODEL, "price": {"input": 0.435, "output": 1, "tax": "1"}},
     [("price.input", 'write it as a string, "0.435", not as a number: floats are not exact'),
      ("price.output", 'write it as a string, "1", not as a number: floats are not exact'),
      ("price.tax", "there is no such field; there are " + ", ".join(PriceRow.__struct_fields__))]),
    (ModelRow, {**MODEL, "price": {"unit": "1"}}, [("price.unit", "expected a whole number, got text")]),
    (ModelRow, {**MODEL, "price": {"input": True}}, [("price.input", "expected text, got true or false")]),
    (ModelRow, {**MODEL, "listed_prices": {"a": 1}}, [("listed_prices.a", "expected text, got a whole number")]),
    (PoolRow, POOL, []),
    (PoolRow, {"id": "p", "target": {"provider": "u"}}, [("target", "expected a list, got a table")]),
    (PoolRow, {"id": "p", "target": ["u"]}, [("target[0]", "expected a table, got text")]),
    (PoolRow, {"id": "p", "target": [{"provider": "u", "model": "m"}, {"model": 1, "colour": 2}]},
     [("target[1].provider", "missing"), ("target[1].model", "expected text, got a whole number"),
      ("target[1].colour", "there is no such field; there are provider, model, variant, weight, effort, cost")]),
    (PoolRow, {"id": "p", "target": [{"provider": "u", "model": "m", "cost": {"input": 1.5}}]},
     [("target[0].cost.input", 'write it as a string, "1.5", not as a number: floats are not exact')]),
    (RateRow, {"currency": "CNY", "usd": 0.14, "date": "2026-11-01"}, [("usd", "expected text, got a number")]),
    (ProviderRow, {"id": "u", "base_url": "http://x", "dialect": 3},
     [("dialect", "expected text or a list, got a whole number")]),
    (ProviderRow, {"id": "u", "base_url": "http://x", "headers": ["x"]}, [("headers", "expected a table, got a list")]),
    (StorefrontRow, {"id": "s", "name": "S", "mount": "/", "margin": 1.4}, [("margin", "expected text, got a number")]),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "fields", "said"), CASES, ids=lambda part: str(part)[-50:])
def test_explain(type_: type[Row], fields: dict[str, Any], said: list[tuple[str, str]]) -> None:
    assert list(explain(fields, type_)) == said


def test_an_unknown_field_comes_with_the_known_ones() -> None:
    ((field, what),) = explain({**MODEL, "prize": {}}, ModelRow)
    assert field == "prize"
    assert what == f"there is no such field; there are {', '.join(ModelRow.__struct_fields__)}"


def test_a_long_wrong_word_is_cut() -> None:
    ((_, what),) = explain({**MODEL, "role": "x" * 10_000}, ModelRow)
    assert len(what) < 200


def test_every_field_that_must_be_there_is_text() -> None:
    """The loader judges the rest of a row with an empty text in its place."""
    for type_ in (StorefrontRow, ProviderRow, PoolRow, ModelRow, RateRow):
        required = [field for field in msgspec.structs.fields(type_) if field.required]
        assert required
        assert all(field.type is str for field in required)
