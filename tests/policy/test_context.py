"""The safe context in numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.neutral.errors import GatewayError, Kind
from conflux.policy.context import OUTPUT_WHEN_UNKNOWN, ROOM_FOR_ANSWER, Room, room
from tests.policy.samples import model


@pytest.mark.parametrize(
    ("limits", "given_", "expected"),
    [
        # nobody knows a limit: what was asked for, else the storefront's default, else 4,096
        ({}, (10, None, None), Room(4096, False)),
        ({}, (10, None, 700), Room(700, False)),
        ({}, (10, 50, 700), Room(50, False)),
        ({}, (10**9, None, None), Room(4096, False)),
        # the model's cap stands in where nothing was asked, and holds where more was
        ({"max_output": 8000}, (10, None, None), Room(8000, False)),
        ({"max_output": 8000}, (10, None, 4096), Room(4096, False)),
        ({"max_output": 8000}, (10, 32_000, 4096), Room(8000, True)),
        ({"max_output": 8000}, (10, 8000, None), Room(8000, False)),
        ({"max_output": 300}, (10, None, 4096), Room(300, False)),  # a default is nobody's wish: nothing to report
        # what is left of the safe budget is all there is
        ({"safe_context": 10_000}, (4000, 32_000, None), Room(6000, True, 26_000)),
        ({"safe_context": 10_000}, (4000, 6000, None), Room(6000, False)),
        ({"safe_context": 10_000}, (8976, 32_000, None), Room(1024, True, 30_976)),
        ({"safe_context": 10_000}, (9999, 1, None), Room(1, False)),
        ({"safe_context": 10_000, "max_output": 500}, (9500, 32_000, None), Room(500, True)),
    ],
)
def test_how_much_may_come_out(
    limits: dict[str, int], given_: tuple[int, int | None, int | None], expected: Room
) -> None:
    tokens, wanted, default = given_
    assert room(model(**limits), input_tokens=tokens, wanted=wanted, default=default) == expected


@pytest.mark.parametrize(
    ("tokens", "wanted", "least"), [(8977, 32_000, 1024), (10_000, 1, 1), (9_500, 501, 501), (10_001, None, 1024)]
)
def test_what_cannot_fit_is_refused_with_the_numbers(tokens: int, wanted: int | None, least: int) -> None:
    with pytest.raises(GatewayError) as refused:
        room(model(safe_context=10_000), input_tokens=tokens, wanted=wanted, default=None)
    error = refused.value
    assert (error.kind, error.param) == (Kind.CONTEXT_LENGTH, "messages")
    assert error.details == {"input_tokens": tokens, "room_for_answer": least, "safe_context": 10_000}
    for number in (tokens, least, 10_000):
        assert str(number) in error.message


maybe = st.none() | st.integers(1, 10**6)


@given(st.integers(0, 10**6), maybe, maybe, maybe, maybe)
def test_input_and_output_stay_within_every_limit(
    tokens: int, wanted: int | None, default: int | None, safe: int | None, cap: int | None
) -> None:
    one = model(safe_context=safe, max_output=cap)
    asked = wanted or default or cap or OUTPUT_WHEN_UNKNOWN
    least = min(asked, cap or asked, ROOM_FOR_ANSWER)
    try:
        found = room(one, input_tokens=tokens, wanted=wanted, default=default)
    except GatewayError:
        assert safe is not None and tokens + least > safe
        return
    assert least <= found.max_output <= asked
    assert cap is None or found.max_output <= cap
    assert safe is None or tokens + found.max_output <= safe
    assert found.clamped is (wanted is not None and found.max_output < wanted)
