"""A small catalogue as data, for tests that change one thing of it."""

import json
from pathlib import Path
from typing import Any

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.loader import load
from conflux.neutral.errors import ConfigError

SEEDS = Path(__file__).resolve().parents[1] / "seeds"

Tables = dict[str, list[dict[str, Any]]]


def tables(**rows: dict[str, Any]) -> Tables:
    """One row of each table; `model={...}` adds to or overrides the fields of that row, None takes a field away."""
    base: Tables = {
        "storefront": [{"id": "shop", "name": "Shop", "mount": "/", "key_prefixes": ["sh_"]}],
        "provider": [{"id": "up", "base_url": "http://127.0.0.1:9100/v1", "dialect": "openai-chat"}],
        "pool": [{"id": "pond", "target": [{"provider": "up", "model": "up-1"}]}],
        "model": [{"storefront": "shop", "id": "shop/one", "pool": "pond", "price": {"input": "1", "output": "2"}}],
        "rate": [{"currency": "CNY", "usd": "0.14", "date": "2026-11-01"}],
    }
    for table, fields in rows.items():
        row = {**base[table][0], **fields}
        base[table][0] = {name: value for name, value in row.items() if value is not None}
    return base


def built(**rows: dict[str, Any]) -> Catalogue:
    return load([], tables(**rows))


def mistakes(said: Tables) -> list[str]:
    """Every line a catalogue is refused with; empty where it is not."""
    try:
        load([], said)
    except ConfigError as error:
        return error.problems
    return []


def seed(name: str) -> Any:
    """A document's figures, as a table that was typed from the document."""
    return json.loads((SEEDS / name).read_text(encoding="utf-8"))
