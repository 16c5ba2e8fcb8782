"""Twin of accounts/keyfile.py."""

import pytest

from conflux.accounts import keyfile
from conflux.accounts.keyfile import FILE, open_keys, rotate
from conflux.neutral.errors import ConfigError


def test_made_once_for_its_owner_only(tmp_path):
    keys = open_keys(tmp_path)
    assert len(keys) == 1 and len(keys[0].secret) == 32
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert open_keys(tmp_path) == keys
    assert [one.name for one in tmp_path.iterdir()] == [FILE]


def test_a_rotated_file_keeps_the_old_keys_before_the_new(tmp_path):
    first = open_keys(tmp_path)
    second = rotate(tmp_path)
    assert second[:1] == first and len(second) == 2
    assert second[1].number != first[0].number and second[1].secret != first[0].secret
    assert open_keys(tmp_path) == second
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "1 00ff\n", "nonsense\n", "0 " + "00" * 32 + "\n", "1 " + "zz" * 32 + "\n"])
def test_a_broken_file_is_refused_and_never_replaced(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ConfigError, match="restore"):
        open_keys(tmp_path)
    with pytest.raises(ConfigError):
        rotate(tmp_path)
    assert (tmp_path / FILE).read_text() == text


def test_a_key_does_not_show_its_secret(tmp_path):
    (key,) = open_keys(tmp_path)
    assert key.secret.hex() not in repr(key) and repr(key.secret) not in repr(key)


def test_of_workers_that_start_at_once_all_have_the_first_ones_key(tmp_path, monkeypatch):
    """Each looks before any has made one; what one of them sealed, all must open, after a restart too."""
    read = keyfile._read
    looked: list[object] = []
    made: list[object] = []

    def looks(path):
        if not looked:  # the other makes it right after we looked
            looked.append(path)
            made.extend(open_keys(tmp_path))
            raise FileNotFoundError(path)
        return read(path)

    monkeypatch.setattr(keyfile, "_read", looks)
    ours = open_keys(tmp_path)
    assert list(ours) == made == list(read(tmp_path / FILE))
    assert [one.name for one in tmp_path.iterdir()] == [FILE]
