"""A signature comes back to its issuer, whoever carried it meanwhile."""

import base64

import pytest

from conflux.dialects.signatures import unwrap, wrap

SIGNATURES = ("EuYB+/==", "x", "", "ünï \n code")


@pytest.mark.parametrize("signature", SIGNATURES)
def test_case_25_a_foreign_signature_keeps_its_issuer(signature: str) -> None:
    carried = wrap(signature, "gemini", "anthropic-messages")
    assert base64.b64decode(carried, validate=True)
    assert unwrap(carried, "anthropic-messages") == (signature, "gemini")
    assert unwrap(carried, "gemini") == (signature, "gemini")


@pytest.mark.parametrize("signature", SIGNATURES)
def test_an_own_signature_passes_untouched(signature: str) -> None:
    assert wrap(signature, "gemini", "gemini") == signature
    assert unwrap(signature, "gemini") == (signature, "gemini")


def test_what_only_looks_wrapped_is_left_alone() -> None:
    for odd in ("Y2Z4LTEg", "Y2Z4LTEg!", "Y2Z4LTEg/w==", base64.b64encode(b"cfx-1 nobody").decode()):
        assert unwrap(odd, "gemini") == (odd, "gemini")


def test_what_is_wrapped_wrongly_is_handed_back_as_it_is() -> None:
    spoilt = wrap("abc", "anthropic-messages", "gemini")[:-3] + "é=="
    assert unwrap(spoilt, "gemini") == (spoilt, "gemini")
