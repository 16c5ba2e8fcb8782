"""Rows and lists as bytes, each row rendered once.

Law: an encoder lives as long as one catalogue does. A list is its encoded rows between the head and the tail of the
shape, so callers who see different sets of models share the work.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from conflux.catalogue.listings.choose import FILTERS, View
from conflux.catalogue.listings.row import Pager, Row, Shape


class Encoder:
    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self._shapes = shapes
        self._rows: dict[tuple[str, bool, str, str, str], bytes] = {}

    def row(self, view: View, row: Row) -> bytes:
        model = row.model
        key = (view.shape, view.rich, model.storefront, model.id, row.status)
        found = self._rows.get(key)
        if found is None:
            shape = self._shapes[view.shape]
            render = shape.rich if view.rich and shape.rich is not None else shape.render
            found = self._rows[key] = msgspec.json.encode(render(row))
        return found

    def list(self, view: View, rows: Iterable[Row]) -> bytes:
        """The whole list of a view."""
        shape = self._shapes[view.shape]
        rows = keep(view, rows)
        content = b",".join([self.row(view, row) for row in rows])
        if not view.extra or shape.extra is None:
            return shape.head + content + shape.tail
        name, render = shape.extra
        more = msgspec.json.encode([found for row in rows if (found := render(row)) is not None])
        return b"%b%b],%b:%b}" % (shape.head, content, msgspec.json.encode(name), more)

    def page(self, view: View, rows: Iterable[Row], query: Mapping[str, str], paged: Pager) -> bytes:
        """The page of a paged list that the query asks for."""
        rows = keep(view, rows)
        ids = [row.model.id for row in rows]
        start, end, ends = paged(ids, query)
        content = b",".join([self.row(view, row) for row in rows[start:end]])
        tail = b"," + msgspec.json.encode(ends)[1:] if ends else b"}"
        return b"%b%b]%b" % (self._shapes[view.shape].head, content, tail)


def keep(view: View, rows: Iterable[Row]) -> Sequence[Row]:
    return [row for row in rows if not view.agents or FILTERS["agents"](row.model)]
