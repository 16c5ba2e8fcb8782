"""What is switched off."""

from conflux.policy.status import by_status
from tests.policy.samples import caller, model


def test_off_is_off_for_everybody() -> None:
    for who in (None, caller(), caller(admin=True)):
        assert by_status(who, model()) is None
        assert by_status(who, model(enabled=False)) == "it is disabled"
