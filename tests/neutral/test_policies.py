"""The words of a policy."""

import msgspec
import pytest

from conflux.neutral.policies import Override, Terms


def test_terms_travel_as_what_was_said() -> None:
    said = b'{"allow":["a/*"],"overrides":[{"client":"codex","models":["x"],"action":"deny"}],"concurrent":2}'
    terms = msgspec.json.decode(said, type=Terms)
    assert msgspec.json.encode(terms) == said
    assert terms.overrides == (Override(client="codex", models=("x",), action="deny"),)
    assert msgspec.json.encode(Terms()) == b"{}"


def test_a_word_nobody_knows_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="alow"):
        msgspec.convert({"alow": []}, Terms)


@pytest.mark.parametrize("name", ["requests_per_minute", "tokens_per_minute", "concurrent"])
def test_any_limit_limits(name: str) -> None:
    assert msgspec.convert({name: 1}, Terms).limited
    assert not Terms(deny=("x",)).limited
