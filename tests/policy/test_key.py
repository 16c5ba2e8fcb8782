"""A revoked or expired key opens nothing, from the very second."""

import pytest

from conflux.neutral.errors import GatewayError, Kind
from conflux.policy.key import check_caller, check_key
from tests.policy.samples import NOW, caller, case, refusal


@pytest.mark.parametrize(
    ("fields", "works"),
    [
        ({}, True),
        ({"revoked": True}, False),
        ({"expires_at": int(NOW)}, False),
        ({"expires_at": int(NOW) - 1}, False),
        ({"expires_at": int(NOW) + 1}, True),
        ({"expires_at": int(NOW) + 1, "revoked": True}, False),
        ({"admin": True, "revoked": True}, False),
        ({"expires_at": 0}, False),
    ],
)
def test_when_a_key_works(fields: dict[str, int], works: bool) -> None:
    found = refusal(check_key, case(by=caller(**fields)))
    assert (found is None) is works
    if found is not None:
        assert found.kind is Kind.UNAUTHENTICATED


def test_it_says_which_of_the_two() -> None:
    with pytest.raises(GatewayError, match="revoked"):
        check_caller(caller(revoked=True), NOW)
    with pytest.raises(GatewayError, match="expired"):
        check_caller(caller(expires_at=1), NOW)


def test_a_key_in_memory_expires_by_itself() -> None:
    held = caller(expires_at=int(NOW) + 10)
    check_caller(held, NOW)
    with pytest.raises(GatewayError):
        check_caller(held, NOW + 10)


@pytest.mark.parametrize("what", ["workspace", "user"])
def test_what_is_switched_off_opens_nothing_and_says_so(what: str) -> None:
    found = refusal(check_key, case(by=caller(closed=what)))
    assert found is not None and (found.kind, found.message.split()[1]) == (Kind.FORBIDDEN, what)
