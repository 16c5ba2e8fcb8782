"""What is counted while requests pass, and how it looks to Prometheus.

Law: counting costs a dictionary look-up and an addition; everything that looks like a metric is made when it is asked
for. Money is counted from the same outcome that the ledger settled.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from conflux.neutral.money import NANO_PER_USD
from conflux.relay.parts import Outcome

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)

Label = tuple[str, str]


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


class Metrics(Collector):
    """Implements relay's Meter."""

    def __init__(self, gauges: Callable[[], dict[str, float]]) -> None:
        self._gauges = gauges
        self.in_flight = 0
        self.refused = 0
        self._requests: dict[tuple[str, str, str, int], int] = {}
        self._tokens: dict[tuple[str, str, str], int] = {}
        self._charged: dict[Label, int] = {}
        self._seconds: dict[Label, Histogram] = {}
        self._first: dict[Label, Histogram] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def began(self) -> None:
        self.in_flight += 1

    def ended(self, outcome: Outcome | None) -> None:
        self.in_flight -= 1
        if outcome is None:
            self.refused += 1
            return
        label = (outcome.storefront, outcome.model)
        key = (*label, outcome.ending.value, outcome.status)
        self._requests[key] = self._requests.get(key, 0) + 1
        self._charged[label] = self._charged.get(label, 0) + outcome.charge
        usage = outcome.usage
        for direction, count in (("input", usage.prompt_total), ("output", usage.completion_total)):
            place = (*label, direction)
            self._tokens[place] = self._tokens.get(place, 0) + count
        self._histogram(self._seconds, label).add(outcome.seconds)
        if outcome.first_byte is not None:
            self._histogram(self._first, label).add(outcome.first_byte)

    def _histogram(self, where: dict[Label, Histogram], label: Label) -> Histogram:
        found = where.get(label)
        if found is None:
            found = where[label] = Histogram()
        return found

    def render(self) -> bytes:
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        requests = CounterMetricFamily(
            "conflux_requests", "Requests settled", labels=("storefront", "model", "ending", "status")
        )
        for (storefront, model, ending, status), count in self._requests.items():
            requests.add_metric((storefront, model, ending, str(status)), count)
        yield requests
        yield CounterMetricFamily("conflux_refused", "Requests refused before anything was held", value=self.refused)
        tokens = CounterMetricFamily("conflux_tokens", "Tokens used", labels=("storefront", "model", "direction"))
        for place, count in self._tokens.items():
            tokens.add_metric(place, count)
        yield tokens
        charged = CounterMetricFamily("conflux_charged_usd", "Charged, in USD", labels=("storefront", "model"))
        for label, nano in self._charged.items():
            charged.add_metric(label, nano / NANO_PER_USD)
        yield charged
        yield from self._families()
        yield GaugeMetricFamily("conflux_in_flight", "Requests under way", value=self.in_flight)
        for name, value in self._gauges().items():
            yield GaugeMetricFamily(f"conflux_{name}", name.replace("_", " "), value=value)

    def _families(self) -> Iterable[Metric]:
        for name, text, where in (
            ("conflux_request_seconds", "From the request to its settlement", self._seconds),
            ("conflux_first_byte_seconds", "From the request to the answer's first content", self._first),
        ):
            family = HistogramMetricFamily(name, text, labels=("storefront", "model"))
            for label, histogram in where.items():
                family.add_metric(label, buckets=histogram.buckets(), sum_value=histogram.total)
            yield family
