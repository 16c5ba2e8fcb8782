"""Request ids: they grow with time, and their text is theirs alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.neutral.ledger import ID_CHANCES, new_request_id, request_id_number, request_id_text

NUMBERS = st.integers(0, (1 << 63) - 1)
TIMES = st.integers(0, 2_190_000_000_000)  # milliseconds, into 2039
CHANCES = st.integers(0, ID_CHANCES - 1)


@given(NUMBERS)
def test_an_id_is_read_back(number: int) -> None:
    text = request_id_text(number)
    assert request_id_number(text) == number
    assert text.startswith("req_")
    assert len(text) == 20


@given(NUMBERS, NUMBERS)
def test_ids_sort_as_their_numbers(one: int, other: int) -> None:
    assert (request_id_text(one) < request_id_text(other)) == (one < other)


@given(TIMES, CHANCES, TIMES, CHANCES)
def test_a_later_millisecond_is_a_larger_id(early: int, first: int, late: int, second: int) -> None:
    one, other = new_request_id(early / 1000 + 1e-5, first), new_request_id(late / 1000 + 1e-5, second)
    assert 0 <= one < 1 << 63
    assert (one < other) == ((early, first) < (late, second))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "req_",
        "687f428f153a6fca",
        "req_687f428f153a6fc",
        "req_687f428f153a6fca0",
        "REQ_687f428f153a6fca",
        "req_687F428F153A6FCA",
        "req_687f428f153a6fcg",
        "req_ffffffffffffffff",
        "req_8000000000000000",
        "req_+87f428f153a6fca",
        "req_ 87f428f153a6fca",
        "req_687f_28f153a6fca",
        "req_0x7f428f153a6fca",
        "req_６87f428f153a6fca",
        "req_687f428f153a6fc\n",
    ],
)
def test_what_is_no_id(text: str) -> None:
    assert request_id_number(text) is None


@given(st.text(max_size=24) | st.text("0123456789abcdef_req", min_size=16, max_size=20).map("req_".__add__))
def test_whatever_is_taken_for_an_id_is_written_so(text: str) -> None:
    number = request_id_number(text)
    assert number is None or request_id_text(number) == text
