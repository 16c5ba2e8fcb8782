"""Tokens are counted the same however they are counted."""

import math

from hypothesis import given
from hypothesis import strategies as st

from conflux.sim.plan import CallPlan, call_size, count_tokens, pieces, seed_of, size


@given(st.text())
def test_pieces_are_the_text_and_as_many_as_said(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert len(pieces(text)) == size(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_text_counts_four_bytes_a_token(text: str) -> None:
    assert count_tokens(text) == size(text) == math.ceil(len(text) / 4)


def test_other_text_counts_its_bytes_and_surrogates_do_no_harm() -> None:
    assert count_tokens("日本語") == 3
    assert count_tokens("\ud800") == 1


def test_a_call_counts_name_and_arguments() -> None:
    assert call_size(CallPlan("abcde", '{"x":1}')) == 2 + 2


def test_the_seed_is_the_bodys_and_the_salts() -> None:
    assert seed_of(b"x") == seed_of(b"x")
    assert len({seed_of(b"x"), seed_of(b"y"), seed_of(b"x", 1), seed_of(b"x", 2)}) == 4
