"""Twin of neutral/accounts.py."""

from conflux.neutral.accounts import CredentialRow


def test_what_is_sealed_is_not_shown_in_a_trace() -> None:
    row = CredentialRow(
        id="cred_1", number=1, provider="up", label="main", sealed=b"sealed", last4="1234", created=0, created_by="ann"
    )
    assert repr(row) == "CredentialRow(cred_1)"
