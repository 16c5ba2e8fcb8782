"""Twin of stores/shared_pepper.py."""

import pytest

from conflux.neutral.errors import ConfigError
from conflux.stores.shared_pepper import check_pepper


async def test_the_first_pepper_is_the_databases_and_another_is_refused(books, ledger, tmp_path):
    for _ in range(2):
        await check_pepper(ledger, b"a" * 32, tmp_path)
    with pytest.raises(ConfigError, match="copy the file pepper"):
        await check_pepper(ledger, b"b" * 32, tmp_path)
    mark = await books.one("SELECT pepper FROM common")
    assert isinstance(mark, str) and (b"a" * 32).hex() not in mark
