"""Twin of accounts/sealing.py."""

import pytest

from conflux.accounts.keyfile import open_keys, rotate
from conflux.accounts.sealing import Sealer, SealError


@pytest.fixture
def sealer(tmp_path):
    return Sealer(open_keys(tmp_path))


def test_what_is_sealed_opens_in_its_place(sealer):
    sealed = sealer.seal("credential:1", b"sk-canary")
    assert sealer.open("credential:1", sealed) == b"sk-canary"
    assert b"canary" not in sealed
    assert sealer.seal("credential:1", b"sk-canary") != sealed


def test_it_opens_in_no_other_place(sealer):
    with pytest.raises(SealError, match="credential:2"):
        sealer.open("credential:2", sealer.seal("credential:1", b"secret"))


def test_any_changed_byte_is_noticed(sealer):
    sealed = sealer.seal("a", b"secret")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealError):
            sealer.open("a", bytes(changed))
    for cut in range(len(sealed)):
        with pytest.raises(SealError):
            sealer.open("a", sealed[:cut])


def test_a_rotated_key_opens_the_old_and_seals_anew(tmp_path, sealer):
    sealed = sealer.seal("a", b"secret")
    assert not sealer.stale(sealed)
    after = Sealer(rotate(tmp_path))
    assert after.open("a", sealed) == b"secret"
    assert after.stale(sealed) and not after.stale(after.seal("a", b"secret"))
    with pytest.raises(SealError, match="key file"):
        sealer.open("a", after.seal("a", b"secret"))


def test_a_key_file_made_anew_is_told_from_the_lost_one(tmp_path, sealer):
    sealed = sealer.seal("a", b"secret")
    (tmp_path / "encryption.key").unlink()
    with pytest.raises(SealError, match="restore that file"):
        Sealer(open_keys(tmp_path)).open("a", sealed)
