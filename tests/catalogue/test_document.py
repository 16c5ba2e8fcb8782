"""docs/catalogue.md is what the data say."""

from pathlib import Path

from conflux.catalogue.document import render_doc
from conflux.catalogue.limitations import ACCOUNT, COMPAT, DISABLED, OPENROUTER, PROBED
from conflux.catalogue.loader import load, shipped_dir
from tests.catalogue.samples import built

PAGE = Path(__file__).resolve().parents[2] / "docs" / "catalogue.md"


def test_the_committed_page_is_current() -> None:
    made = render_doc(load([shipped_dir()]))
    assert PAGE.read_text(encoding="utf-8") == made, "run: python -m conflux.catalogue.document > docs/catalogue.md"


def test_every_model_and_every_assumed_figure_is_on_the_page() -> None:
    catalogue = load([shipped_dir()])
    page = render_doc(catalogue)
    listed, _, assumed = page.partition("## Assumed figures")
    for model in catalogue.models.values():
        assert f"| `{model.id}` |" in listed
        if model.assumed:
            assert f"| {model.storefront} | `{model.id}` | {', '.join(sorted(model.assumed))} |" in assumed
    for text in (DISABLED, ACCOUNT, OPENROUTER, COMPAT, PROBED):
        assert text in listed


def test_a_small_catalogue() -> None:
    page = render_doc(
        built(model={"name": "One | two", "enabled": False, "price": {"input": "0.5", "currency": "CNY"},
                     "aliases": ["1"]})
    )  # fmt: skip
    assert "| model | name | provider | context | safe |" not in page  # columns that say nothing are left out
    assert "| `shop/one` | One \\| two | - | - | CNY 0.500 | - |  | `1` | disabled |" in page
    assert "| CNY | 0.14 USD | 2026-11-01 |" in page


def test_without_foreign_currencies_there_is_no_section_for_them() -> None:
    assert "## Currencies" not in render_doc(built())
