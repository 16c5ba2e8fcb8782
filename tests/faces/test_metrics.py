"""Counting what passed, and showing it."""

from conflux.faces.metrics import Histogram, Metrics
from conflux.neutral.ledger import Ending
from conflux.neutral.usage import Usage
from conflux.relay.parts import Outcome


def outcome(**fields: object) -> Outcome:
    base = {
        "storefront": "shop", "model": "shop/one", "ending": Ending.DONE, "status": 200, "stream": False,
        "usage": Usage(input=10, cache_read=5, output=3, reasoning=2), "charge": 1_500_000_000, "credits": 0,
        "seconds": 0.2, "first_byte": 0.02,
    }  # fmt: skip
    return Outcome(**(base | fields))  # type: ignore[arg-type]


def shown(metrics: Metrics) -> dict[str, float]:
    lines = [line for line in metrics.render().decode().splitlines() if line and not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_an_outcome_is_counted_everywhere_once() -> None:
    metrics = Metrics(lambda: {"ready": 1.0})
    for _ in range(2):
        metrics.began()
        metrics.ended(outcome())
    found = shown(metrics)
    label = 'ending="done",model="shop/one",status="200",storefront="shop"'
    assert found[f"conflux_requests_total{{{label}}}"] == 2
    assert found[f'conflux_tokens_total{{direction="input",{label}}}'] == 30
    assert found[f'conflux_tokens_total{{direction="output",{label}}}'] == 10
    assert found[f"conflux_charged_usd_total{{{label}}}"] == 3.0
    assert found[f"conflux_request_seconds_count{{{label}}}"] == 2
    assert found['conflux_request_seconds_bucket{ending="done",le="0.25",model="shop/one",status="200",'
                 'storefront="shop"}'] == 2  # fmt: skip
    assert found["conflux_in_flight"] == 0
    assert found["conflux_ready"] == 1


def test_what_was_refused_is_no_request() -> None:
    metrics = Metrics(dict)
    metrics.began()
    assert shown(metrics)["conflux_in_flight"] == 1
    metrics.ended(None)
    found = shown(metrics)
    assert found["conflux_refused_total"] == 1 and found["conflux_in_flight"] == 0
    assert not any(name.startswith("conflux_requests_total") for name in found)


def test_a_request_without_a_first_byte_adds_none() -> None:
    metrics = Metrics(dict)
    metrics.began()
    metrics.ended(outcome(first_byte=None))
    counts = [value for name, value in shown(metrics).items() if name.startswith("conflux_first_byte_seconds_count")]
    assert counts == [0]


def test_buckets_add_up_and_hold_their_bounds() -> None:
    histogram = Histogram()
    for value in (0.001, 0.005, 0.0051, 299.0, 1000.0):
        histogram.add(value)
    buckets = dict(histogram.buckets())
    assert buckets["0.005"] == 2
    assert buckets["0.01"] == 3
    assert buckets["300.0"] == 4
    assert buckets["+Inf"] == 5
