"""Twin of stores/postgres_statements.py. What they do is in test_postgres_ledger.py."""

import pytest
from sqlalchemy import Text

from conflux.stores.postgres_statements import TEXTS, WRITE, columns
from conflux.stores.rows import ATTEMPT, ENTRY, HOLD, POSTING, REQUEST
from conflux.stores.schema import metadata
from conflux.stores.usage_rows import DAY_ROW, MODEL_ROW, TAG_ROW

TABLES = (
    *(("request", REQUEST), ("attempt", ATTEMPT), ("entry", ENTRY), ("hold", HOLD)),
    *(("usage_day", DAY_ROW), ("usage_model", MODEL_ROW), ("usage_tag", TAG_ROW)),
)


def test_columns_are_of_the_types_of_the_schema():
    for table, names in TABLES:
        for name in names:
            assert isinstance(metadata.tables[table].columns[name].type, Text) == (name in TEXTS), name


def test_every_place_has_its_value():
    rows = (REQUEST, ATTEMPT, POSTING, ENTRY, HOLD, DAY_ROW, MODEL_ROW, TAG_ROW)
    assert WRITE.count("?") == sum(map(len, rows)) + 4 + 1 + 4


def test_rows_become_columns_and_texts_lose_what_no_text_may_hold():
    rows = [1, "a\0b", None, 2, None, "\0"]
    assert columns(rows, ("id", "detail", "usage")) == [[1, 2], ["a\ufffdb", None], [None, "\ufffd"]]
    assert columns([r"[\u0000 \\u0000 \\\u0000]"], ("detail",)) == [["[\ufffd \\\\u0000 \\\\\ufffd]"]]
    assert columns([], ("id", "detail")) == [[], []]


def test_an_amount_is_never_a_float():
    with pytest.raises(TypeError, match="amount cannot be a float"):
        columns([1, 1.5], ("tx", "amount"))
