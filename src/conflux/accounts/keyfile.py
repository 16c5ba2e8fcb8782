"""The encryption keys on disk.

Law: one file in the data directory, for its owner only: a line for each key, its number and its 32 bytes, the newest
last. The newest seals, the older ones only open. Numbers are chance, so a file that was lost and made anew is told from
the one that sealed. Nothing here is ever printed.
"""

import secrets
from pathlib import Path

import msgspec

from conflux.neutral.errors import ConfigError
from conflux.private_file import write_private

FILE = "encryption.key"

_BYTES = 32
_NUMBER_BITS = 32


class SealingKey(msgspec.Struct, frozen=True):
    number: int
    secret: bytes

    def __repr__(self) -> str:
        return f"SealingKey({self.number})"


def open_keys(data_dir: Path) -> tuple[SealingKey, ...]:
    """The keys, newest last; made where there are none. Raises ConfigError for a file that is not ours."""
    path = data_dir / FILE
    try:
        return _read(path)
    except FileNotFoundError:
        return _add(path, ())


def rotate(data_dir: Path) -> tuple[SealingKey, ...]:
    """Add a key. What is sealed stays readable, and should be sealed again (Sealer.stale)."""
    path = data_dir / FILE
    return _add(path, open_keys(data_dir))


def _read(path: Path) -> tuple[SealingKey, ...]:
    found = []
    for place, line in enumerate(path.read_text("ascii", errors="replace").splitlines(), 1):
        number, _, text = line.partition(" ")
        try:
            key = SealingKey(int(number), bytes.fromhex(text))
        except ValueError:
            key = SealingKey(0, b"")
        if len(key.secret) != _BYTES or not 0 < key.number < 1 << _NUMBER_BITS:
            raise ConfigError([f"{path} line {place} is no key: restore the file from your backup"])
        found.append(key)
    if not found:
        raise ConfigError([f"{path} is empty: restore it from your backup"])
    return tuple(found)


def _add(path: Path, keys: tuple[SealingKey, ...]) -> tuple[SealingKey, ...]:
    taken = {key.number for key in keys}
    number = 0
    while number == 0 or number in taken:
        number = secrets.randbits(_NUMBER_BITS)
    keys = (*keys, SealingKey(number, secrets.token_bytes(_BYTES)))
    text = "".join(f"{key.number} {key.secret.hex()}\n" for key in keys)
    # Half a key file would be the loss of all that was sealed, and so would another worker's over ours.
    try:
        write_private(path, text, anew=len(keys) == 1)
    except FileExistsError:
        return _read(path)
    return keys
