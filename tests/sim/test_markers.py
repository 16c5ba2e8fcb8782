"""What markers say, and that nothing that looks like one is passed over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.sim.markers import FAULTS, USAGE_MANNERS, Found, read
from conflux.sim.plan import CallPlan, UsagePlan

GOLDEN: dict[str, Found] = {
    "no marker": Found(),
    "[[say: hello, you]]": Found(say="hello, you"),
    "[[say:]]": Found(say=""),
    "[[say: two\nlines]]": Found(say="two\nlines"),
    "[[say: one]] and [[say: two]]": Found(say="two"),
    "[[think: hm]]": Found(think="hm"),
    "[[refuse]]": Found(refuse=True),
    "[[echo]]": Found(echo=True),
    "[[call]]": Found(calls=[CallPlan("", "")]),
    "[[call: read]]": Found(calls=[CallPlan("read", "")]),
    '[[call: read {"path": "a"}]]': Found(calls=[CallPlan("read", '{"path": "a"}')]),
    '[[call: f {"m": [[1, 2], [3]]}]] [[call: g\n{"t": "]]"} ]]': Found(
        calls=[CallPlan("f", '{"m": [[1, 2], [3]]}'), CallPlan("g", '{"t": "]]"}')]
    ),
    "[[stream: 40]]": Found(tokens=40),
    "[[stream: 40 tokens at 2.5/s]]": Found(tokens=40, rate=2.5),
    "[[stream: 1 token at 20]]": Found(tokens=1, rate=20),
    "[[slow-first: 250]]": Found(first_ms=250),
    "[[finish: content_filter]]": Found(finish="content_filter"),
    "[[fail: 500]]": Found(fail="500"),
    "[[fail: 429 retry-after=2]]": Found(fail="429", retry_after="2"),
    "[[fail: 429 code=rate_limit_exceeded retry-after=Wed, 21 Oct 2026 07:28:00 GMT]]": Found(
        fail="429", code="rate_limit_exceeded", retry_after="Wed, 21 Oct 2026 07:28:00 GMT"
    ),
    "[[fail: reset-mid]]": Found(fail="reset-mid", fail_at=2),
    "[[fail: reset-mid 17]]": Found(fail="reset-mid", fail_at=17),
    "[[usage: prompt=10 completion=5 cached=3 reasoning=2]]": Found(
        usage=UsagePlan(prompt=10, completion=5, cached=3, reasoning=2)
    ),
    "[[usage: missing]]": Found(usage=UsagePlan(manner="missing")),
    "[[usage: prompt=7 twice]]": Found(usage=UsagePlan(prompt=7, manner="twice")),
    # Not ours:
    "if [[ -f x ]]; then": Found(),
    "[[1, 2], [3, 4]]": Found(),
    "[[ some wiki words ]]": Found(),
    "[[Some wiki words]]": Found(),
    # Looks like ours:
    "[[sey: hello]]": Found(unknown=["sey"]),
    "[[Say: hello]]": Found(unknown=["Say"]),
    "[[fail 500]]": Found(unknown=["fail without a colon"]),
    "[[fail: 200]]": Found(unknown=["fail: 200"]),
    "[[fail: reset]]": Found(unknown=["fail: reset"]),
    "[[fail: 500 twice]]": Found(unknown=["fail: 500 twice"]),
    "[[fail: 429 retry-after=1\r\nset-cookie: x]]": Found(unknown=["fail: 429 retry-after=1\r\nset-cookie: x"]),
    "[[fail: 429 retry-after=1\r]]": Found(fail="429", retry_after="1"),
    "[[fail: 429 retry-after=1\rset-cookie: x]]": Found(unknown=["fail: 429 retry-after=1\rset-cookie: x"]),
    "[[fail: 429 retry-after=soon\u00e9]]": Found(unknown=["fail: 429 retry-after=soon\u00e9"]),
    "[[stream: many]]": Found(unknown=["stream: many"]),
    "[[slow-first: soon]]": Found(unknown=["slow-first: soon"]),
    "[[slow-first: ²]]": Found(unknown=["slow-first: ²"]),
    "[[finish: badly]]": Found(unknown=["finish: badly"]),
    "[[usage: prompt=-1]]": Found(unknown=["usage: prompt=-1"]),
    "[[usage]]": Found(unknown=["usage: says nothing"]),
    "[[call: f [1]]]": Found(unknown=["call with arguments that are no JSON object: [1]"]),
    "[[call: f {x}]]": Found(unknown=["call with arguments that are no JSON object: {x}"]),
    "[[say: no end": Found(unknown=["say: without an end: [[say: no end"]),
}


@pytest.mark.parametrize("text", GOLDEN)
def test_golden(text: str) -> None:
    assert read(text) == [GOLDEN[text]]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_can_be_asked_for(fault: str) -> None:
    assert read(f"[[fail: {fault} 3]]") == [Found(fail=fault, fail_at=3)]


@pytest.mark.parametrize("manner", USAGE_MANNERS)
def test_every_manner_of_usage_can_be_asked_for(manner: str) -> None:
    assert read(f"[[usage: {manner}]]") == [Found(usage=UsagePlan(manner=manner))]


def test_then_parts_the_steps() -> None:
    assert read('[[call: f {"a": 1}]] [[then]] [[call: g]] [[think: x]] [[then]] [[say: done]]') == [
        Found(calls=[CallPlan("f", '{"a": 1}')]),
        Found(calls=[CallPlan("g", "")], think="x"),
        Found(say="done"),
    ]


@pytest.mark.parametrize("piece", ["[[say: ", "[[call: x ", '[[call: x {"', "[[", "[[call: [["])
def test_a_long_row_of_unfinished_markers_is_read_once(piece: str) -> None:
    steps = read(piece * 100_000)
    assert len(steps) == 1 and len(steps[0].unknown) <= 2


def test_a_deep_argument_is_no_json() -> None:
    (step,) = read("[[call: f " + '{"a":' * 100_000 + "]]")
    assert step.unknown and not step.calls


@given(st.text(alphabet="[]:{}\"' -sayfilecthn0129=\n", max_size=60))
def test_any_text_is_read(text: str) -> None:
    assert read(text)
