"""Whose policy it is."""

import pytest

from conflux.neutral.people import Owner


@pytest.mark.parametrize(
    ("owner", "kind", "text"),
    [
        (Owner(), "workspace", "default"),
        (Owner(workspace="acme"), "workspace", "acme"),
        (Owner(user="ann"), "user", "default/ann"),
        (Owner(workspace="acme", user="ann"), "user", "acme/ann"),
        (Owner(key="key_7"), "key", "key_7"),
        (Owner(workspace="acme", user="ann", key="key_7"), "key", "key_7"),
    ],
)
def test_the_narrowest_name_says_whose(owner: Owner, kind: str, text: str) -> None:
    assert (owner.kind, str(owner)) == (kind, text)
