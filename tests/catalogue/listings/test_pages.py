"""Rows once, lists as often as asked."""

import json
from typing import Any

import msgspec
import pytest

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.listings import SHAPES
from conflux.catalogue.listings.choose import View
from conflux.catalogue.listings.pages import Encoder, keep
from conflux.catalogue.listings.row import Row
from conflux.neutral.records import Model
from tests.catalogue.listings.samples import by_id, listed, rows

VIEWS = [View(shape, rich=rich) for shape in SHAPES for rich in (False, True)]


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_an_empty_list_and_a_bare_model(view: View) -> None:
    encoder, model = Encoder(SHAPES), Model(storefront="s", id="bare", name="Bare", pool="p")
    for shown in ([], [Row(model)]):
        paged = SHAPES[view.shape].paged
        answer = json.loads(encoder.page(view, shown, {}, paged) if paged else encoder.list(view, shown))
        assert len(answer["models" if view.shape in ("inference", "google") else "data"]) == len(shown)
    assert json.loads(encoder.row(view, Row(model)))["baseModelId" if view.shape == "google" else "id"] == "bare"


def test_one_model_is_rendered_as_in_the_list(shipped: Catalogue) -> None:
    for face in shipped.storefronts.values():
        answer = listed(shipped, face.id)
        shown = [Encoder(SHAPES).row(View(face.list_shape), row) for row in rows(shipped, face.id)]
        assert [json.loads(row) for row in shown] == (answer.get("data") or answer["models"])


def test_a_row_is_rendered_once_and_not_mixed_up(shipped: Catalogue) -> None:
    rendered: list[str] = []

    def render(row: Row) -> dict[str, Any]:
        rendered.append(row.model.id)
        return {"id": row.model.id, "status": row.status}

    shapes = {"openai": msgspec.structs.replace(SHAPES["openai"], render=render, rich=None)}
    encoder, one = Encoder(shapes), rows(shipped, "conflux")[0]
    view = View("openai")
    assert encoder.list(view, [one]) == encoder.list(view, [one])
    assert rendered == [one.model.id]
    assert encoder.row(view, one) != encoder.row(view, Row(one.model, "account_needed"))


def test_keep(shipped: Catalogue) -> None:
    shown = rows(shipped, "llmbase")
    assert list(keep(View("llmbase"), shown)) == shown
    assert len(keep(View("llmbase", agents=True), shown)) == len(shown) - 1


def test_every_storefronts_shape_is_in_the_table_and_every_list_sorted(shipped: Catalogue) -> None:
    assert {face.list_shape for face in shipped.storefronts.values()} <= set(SHAPES)
    names = list(by_id(listed(shipped, "conflux")))
    assert names == sorted(names)
