"""What is counted while requests pass, and how it looks to Prometheus.

Law: counting costs a dictionary look-up and an addition; everything that looks like a metric is made when it is asked
for. Money is counted from the same outcome that the ledger settled.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from conflux.neutral.ledger import Ending
from conflux.neutral.money import NANO_PER_USD
from conflux.relay.parts import Outcome

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


class Histogram:
    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(_BOUNDS) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(_BOUNDS, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        found, sum_ = [], 0
        for bound, count in zip((*map(str, _BOUNDS), "+Inf"), self.counts, strict=True):
            sum_ += count
            found.append((bound, float(sum_)))
        return found


class Tally:
    """What came of the requests that ended alike."""

    __slots__ = ("charged", "first", "input", "output", "requests", "seconds")

    def __init__(self) -> None:
        self.requests = 0
        self.input = 0
        self.output = 0
        self.charged = 0
        self.seconds = Histogram()
        self.first = Histogram()


class Metrics(Collector):
    """Implements relay's Meter."""

    def __init__(self, gauges: Callable[[], dict[str, float]]) -> None:
        self._gauges = gauges
        self.in_flight = 0
        self.refused = 0
        self._tallies: dict[tuple[str, str, Ending, int], Tally] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def began(self) -> None:
        self.in_flight += 1

    def ended(self, outcome: Outcome | None) -> None:
        self.in_flight -= 1
        if outcome is None:
            self.refused += 1
            return
        key = (outcome.storefront, outcome.model, outcome.ending, outcome.status)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = Tally()
        usage = outcome.usage
        tally.requests += 1
        tally.input += usage.prompt_total
        tally.output += usage.completion_total
        tally.charged += outcome.charge
        tally.seconds.add(outcome.seconds)
        if outcome.first_byte is not None:
            tally.first.add(outcome.first_byte)

    def render(self) -> bytes:
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        labels = ("storefront", "model", "ending", "status")
        requests = CounterMetricFamily("conflux_requests", "Requests settled", labels=labels)
        tokens = CounterMetricFamily("conflux_tokens", "Tokens used", labels=(*labels, "direction"))
        charged = CounterMetricFamily("conflux_charged_usd", "Charged, in USD", labels=labels)
        seconds = HistogramMetricFamily("conflux_request_seconds", "From request to settlement", labels=labels)
        first = HistogramMetricFamily("conflux_first_byte_seconds", "From request to first content", labels=labels)
        for (storefront, model, ending, status), tally in self._tallies.items():
            label = (storefront, model, ending.value, str(status))
            requests.add_metric(label, tally.requests)
            tokens.add_metric((*label, "input"), tally.input)
            tokens.add_metric((*label, "output"), tally.output)
            charged.add_metric(label, tally.charged / NANO_PER_USD)
            seconds.add_metric(label, buckets=tally.seconds.buckets(), sum_value=tally.seconds.total)
            first.add_metric(label, buckets=tally.first.buckets(), sum_value=tally.first.total)
        yield from (requests, tokens, charged, seconds, first)
        yield CounterMetricFamily("conflux_refused", "Requests refused before anything was held", value=self.refused)
        yield GaugeMetricFamily("conflux_in_flight", "Requests under way", value=self.in_flight)
        for name, value in self._gauges().items():
            yield GaugeMetricFamily(f"conflux_{name}", name.replace("_", " "), value=value)


class MetricsFace:
    """/metrics on a port of its own, for whoever may reach that port."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        found = scope["path"] == "/metrics"
        body = self._metrics.render() if found else b""
        headers = [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),
                   (b"content-length", str(len(body)).encode())]  # fmt: skip
        await send({"type": "http.response.start", "status": 200 if found else 404, "headers": headers})
        await send({"type": "http.response.body", "body": body})
