"""Twin of billing/tags.py."""

import pytest

from conflux.billing.tags import MOST_NAME, MOST_TAGS, MOST_VALUE, tags_of


@pytest.mark.parametrize(
    ("body", "tags"),
    [
        ({}, {}),
        ({"user": None, "metadata": None}, {}),
        ({"user": "ann"}, {"user": "ann"}),
        ({"user": "", "metadata": {"a": ""}}, {}),
        ({"metadata": {"team": "red", "n": 3, "on": True}}, {"team": "red", "n": "3", "on": "true"}),
        ({"user": "ann", "metadata": {"user": "bob"}}, {"user": "bob"}),
        ({"user": 5, "metadata": [1]}, {}),
        ({"metadata": {"a": 1.5, "b": {}, "c": None, "": "x", "n" * (MOST_NAME + 1): "x"}}, {}),
        ({"metadata": {"a": "x" * 600}}, {"a": "x" * MOST_VALUE}),
    ],
)
def test_tags(body, tags):
    assert tags_of(body) == tags


def test_no_more_than_so_many():
    assert len(tags_of({"user": "u", "metadata": {str(n): "x" for n in range(99)}})) == MOST_TAGS
