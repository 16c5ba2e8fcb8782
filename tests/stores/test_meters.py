import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.ledger import Quota
from conflux.neutral.plans import Plan, PlanWindow
from conflux.stores.meters import Meter

NEVER = -(10**15)


def plan(*windows):
    return Plan(id="p", name="P", storefront="s", windows=tuple(PlanWindow(**one) for one in windows))


def quota(of, tokens=10):
    return Quota(subscription=1, plan=of, tokens=tokens)


def test_a_window_rolls_to_the_millisecond():
    two = plan({"seconds": 10, "requests": 2})
    meter = Meter(NEVER)
    meter.put(1, 1000, 5)
    meter.put(2, 3500, 5)
    for moment in (3500, 10_999):
        with pytest.raises(GatewayError) as refused:
            meter.check(quota(two), moment)
        assert refused.value.kind is Kind.RATE_LIMITED
        assert refused.value.retry_after == -(-(11_000 - moment) // 1000)
        assert (refused.value.details or {})["resets_at"] == "1970-01-01T00:00:11Z"
    meter.check(quota(two), 11_000)
    assert meter.standing(two.windows[0], 10_999).requests == 2
    assert meter.standing(two.windows[0], 11_000).requests == 1


def test_the_last_window_to_free_is_waited_for():
    both = plan({"seconds": 10, "requests": 1}, {"seconds": 100, "tokens": 20})
    meter = Meter(NEVER)
    meter.put(1, 1000, 15)
    with pytest.raises(GatewayError) as refused:
        meter.check(quota(both), 2000)
    assert (refused.value.details or {})["window"] == "100 seconds" and refused.value.retry_after == 99
    meter.check(quota(both, 5), 11_000)


def test_what_never_fits_is_not_to_be_waited_for():
    with pytest.raises(GatewayError) as refused:
        Meter(NEVER).check(quota(plan({"seconds": 10, "tokens": 9})), 0)
    assert refused.value.kind is Kind.PAYMENT_REQUIRED and refused.value.retry_after is None


def test_what_is_given_back_counts_no_more():
    meter = Meter(NEVER)
    one = plan({"seconds": 10, "requests": 1})
    meter.put(1, 1000, 5)
    meter.drop(1, 1000)
    meter.drop(1, 1000)
    meter.check(quota(one), 1000)


def test_a_meter_is_bounded():
    meter = Meter(NEVER)
    long = plan({"seconds": 1, "requests": 10_000})
    for number in range(5000):
        meter.put(number, number * 10, 1)
        meter.check(quota(long, 1), number * 10)
    assert len(meter._order) == len(meter._tokens) < 1500


@given(
    st.integers(1, 4),
    st.integers(1, 40),
    st.lists(st.tuples(st.integers(-8, 12), st.integers(1, 15), st.integers(0, 15), st.booleans()), max_size=40),
)
def test_no_window_ever_holds_more_than_the_plan(requests, tokens, steps):
    """Looked at from every edge, while the clock goes on and back; and what is refused did not fit."""
    of = plan({"seconds": 7, "requests": requests, "tokens": tokens}, {"seconds": 20, "requests": requests * 2})
    meter, moment = Meter(NEVER), 100_000
    taken: dict[int, tuple[int, int]] = {}
    for number, (seconds, wanted, used, settles) in enumerate(steps):
        moment += seconds * 1000
        try:
            meter.check(quota(of, wanted), moment)
        except GatewayError:
            assert not _fits(of, taken.values(), wanted, moment)
            continue
        assert _fits(of, taken.values(), wanted, moment)
        taken[number] = (moment, min(used, wanted) if settles else wanted)
        meter.put(number, moment, wanted)
        meter.put(number, *taken[number])
        if seconds >= 0:
            continue
    ends = sorted({began for began, _ in taken.values()})
    if ends == [began for began, _ in taken.values()]:  # no clock went back
        for end in ends:
            within = [one for one in taken.values() if end - 7000 < one[0] <= end]
            assert len(within) <= requests


def _fits(of, taken, wanted, moment):
    for window in of.windows:
        within = [one for one in taken if one[0] > moment - window.seconds * 1000]
        if window.requests is not None and len(within) + 1 > window.requests:
            return False
        if window.tokens is not None and sum(used for _, used in within) + wanted > window.tokens:
            return False
    return True
