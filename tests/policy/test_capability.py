"""The capability gate: yes, no and unknown, for every need, on an easy storefront and on a strict one."""

import pytest

from conflux.neutral.errors import Kind
from conflux.neutral.records import Capability
from conflux.neutral.request import Need
from conflux.policy.capability import MEETS, answers, check_capability
from tests.policy.samples import case, envelope, model, refusal

GATED = sorted(MEETS)
# What every catalogue states of a chat model: where it is not there, it is not there.
STATED = {Need.TOOLS, Need.VISION, Need.AUDIO, Need.COMPLETIONS}


def test_every_need_is_gated_but_what_no_model_decides() -> None:
    assert set(Need) - set(MEETS) == {Need.MANY_CHOICES, Need.STORED_FILES}


@pytest.mark.parametrize("need", GATED)
def test_what_is_advertised_is_a_yes(need: Need) -> None:
    able = frozenset({MEETS[need][0]})
    assert answers(model(capabilities=able), need) is True
    assert answers(model(capabilities=able, strict=True), need) is True


@pytest.mark.parametrize("need", GATED)
def test_what_is_not_advertised_is_a_no_where_it_is_stated_or_strict_and_unknown_elsewhere(need: Need) -> None:
    others = frozenset(set(Capability) - {MEETS[need][0]})
    assert answers(model(capabilities=others), need) is (False if need in STATED else None)
    assert answers(model(capabilities=others, strict=True), need) is False


@pytest.mark.parametrize("strict", [False, True])
def test_nobody_says_how_many_choices_a_model_gives(strict: bool) -> None:
    assert answers(model(strict=strict), Need.MANY_CHOICES) is None
    asks = envelope(needs=frozenset({Need.MANY_CHOICES}))
    assert refusal(check_capability, case(of=model(strict=strict), asks=asks)) is None


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("need", GATED)
def test_only_a_no_is_refused_and_by_name(need: Need, strict: bool) -> None:
    one = model(strict=strict)
    found = refusal(check_capability, case(of=one, asks=envelope(needs=frozenset({need}))))
    assert (found is not None) is (answers(one, need) is False)
    if found is not None:
        assert found.kind is Kind.UNSUPPORTED
        assert found.param == MEETS[need][1]
        assert one.id in found.message and need.value in found.message


def test_all_needs_are_looked_at() -> None:
    able = model(capabilities=frozenset({Capability.TOOLS}))
    found = refusal(check_capability, case(of=able, asks=envelope(needs=frozenset({Need.TOOLS, Need.VISION}))))
    assert found is not None and found.param == "messages"


@pytest.mark.parametrize(("kind", "pointer"), [("embedding", "/v1/embeddings"), ("image", "no endpoint"),
                                               ("audio", "no endpoint"), ("rerank", "no endpoint")])  # fmt: skip
def test_other_families_are_refused_on_chat_with_a_pointer(kind: str, pointer: str) -> None:
    found = refusal(check_capability, case(of=model(kind=kind)))
    assert found is not None
    assert (found.kind, found.param) == (Kind.UNSUPPORTED, "model")
    assert pointer in found.message


def test_nobody_is_told_to_leave_out_the_whole_conversation() -> None:
    found = refusal(check_capability, case(of=model(), asks=envelope(needs=frozenset({Need.AUDIO}))))
    assert found is not None and "does not support audio: leave it out of messages, or" in found.message
