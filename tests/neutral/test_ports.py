"""What is handed between floors shows no secret."""

from conflux.neutral.ports import ServiceAccount


def test_an_account_is_shown_by_its_name_alone() -> None:
    account = ServiceAccount(email="robot@x", key="very secret", token_uri="https://t")
    assert repr(account) == "ServiceAccount(robot@x)"
