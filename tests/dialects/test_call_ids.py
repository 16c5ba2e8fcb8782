"""Ids that a wire cannot carry, and back."""

from hypothesis import given
from hypothesis import strategies as st

from conflux.dialects import gemini_ids
from conflux.dialects.call_ids import plain, short, unwrap, wrap


def test_an_id_that_fits_stays() -> None:
    assert wrap("toolu_01-a") == "toolu_01-a" and unwrap("toolu_01-a") == "toolu_01-a" and short("a", 40) == "a"


@given(st.text(min_size=1))
def test_case_10_every_id_comes_back(call_id: str) -> None:
    given_out = wrap(call_id)
    assert given_out.isascii() and given_out.replace("_", "").replace("-", "").isalnum() | (given_out == call_id)
    assert unwrap(given_out) == (call_id if not call_id.startswith("call_cfx_") else unwrap(call_id))


def test_what_only_looks_wrapped_stays() -> None:
    assert unwrap("call_cfx_!") == "call_cfx_!" and unwrap("call_cfx__w") == "call_cfx__w"


def test_a_long_one_is_the_same_short_one_everywhere() -> None:
    assert short("x" * 90, 40) == short("x" * 90, 40) != short("y" * 90, 40)
    assert len(short("x" * 90, 40)) <= 40


@given(st.text(min_size=1), st.text(min_size=1))
def test_case_10_an_upstream_gets_what_it_takes(one: str, other: str) -> None:
    found = plain(one, 64)
    assert len(found) <= 64 and found.isascii() and found.replace("_", "").replace("-", "").isalnum() | (found == one)
    assert (found == plain(other, 64)) == (one == other)


def test_what_gemini_signed_is_not_for_others() -> None:
    signed = gemini_ids.sign("call_1", "A" * 400)
    assert short(signed, 40) == plain(signed, 64) == "call_1"
