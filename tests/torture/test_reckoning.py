"""The reckoning finds what is wrong: each kind is planted once."""

import pytest

from tests.torture.reckoning import Answer, reckon
from tests.torture.upstream import Served


def receipt(name="1.1", output=100, cost="0.1"):
    return {"id": f"req_{name}", "tags": {"user": name} if name else {}, "cost_usd": cost, "usage": {"output": output}}


def answer(tokens=100, *, whole=True):
    return Answer("1.1", True, tokens * 4, whole, 200, "req_1")


SERVED = {"1.1": [Served(100, True)]}
LONG = {"1.1": [Served(600)]}


def test_what_agrees_is_not_wrong():
    assert not any(reckon([answer()], SERVED, [receipt()]).counts().values())
    cut = reckon([answer(500, whole=False)], LONG, [receipt(output=244)])
    assert not any(cut.counts().values())
    assert not any(reckon([], SERVED, [receipt(cost="0")]).counts().values())


@pytest.mark.parametrize(
    ("kind", "answers", "served", "receipts"),
    [
        ("delivered_unbilled", [answer()], SERVED, []),
        ("delivered_unbilled", [answer()], SERVED, [receipt(cost="0")]),
        ("undercounted", [answer()], SERVED, [receipt(output=99)]),
        ("undercounted", [answer(500, whole=False)], LONG, [receipt(output=243)]),
        ("overcounted", [answer()], SERVED, [receipt(output=101)]),
        ("double_billed", [answer()], SERVED, [receipt(), receipt()]),
        ("billed_unserved", [], {}, [receipt()]),
        ("untagged", [], SERVED, [receipt(name="")]),
    ],
)
def test_each_kind_of_wrong_is_found(kind, answers, served, receipts):
    counts = reckon(answers, served, receipts).counts()
    assert counts.pop(kind) == 1
    assert not any(counts.values())
