"""Ids that carry signatures, and give them back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.dialects.gemini_ids import made, sign, split


@given(st.binary(max_size=200), st.sampled_from(["call_1", "x", "toolu_01-a"]))
def test_case_28_what_was_signed_is_split_again(raw: bytes, call_id: str) -> None:
    import base64

    signature = base64.b64encode(raw).decode()
    signed = sign(call_id, signature)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", signed)
    assert split(signed) == (call_id, signature or None)


@pytest.mark.parametrize("odd", ["not base64!", "ünï", "a"])
def test_a_signature_that_is_no_base64_comes_back_too(odd: str) -> None:
    signed = sign("call_1", odd)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", signed)
    assert split(signed) == ("call_1", odd)


@pytest.mark.parametrize("call_id", ["call_1", "", "toolu_ts_1", "_cfxts_x", "a_cfxts_", "a_cfxtx_zz"])
def test_an_id_that_carries_nothing_is_left_alone(call_id: str) -> None:
    assert split(call_id) == (call_id, None)


def test_made_ids_differ_where_anything_does() -> None:
    assert made("a", 1) == made("a", 1) != made("a", 2)
