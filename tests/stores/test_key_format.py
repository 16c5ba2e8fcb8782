"""Twin of stores/key_format.py."""

import hashlib
import hmac
import string

import pytest

from conflux.stores.key_format import digest, key_number, new_secret, well_formed


def test_a_key_is_prefix_chance_and_checksum():
    secret = new_secret("cf_live_")
    assert secret.startswith("cf_live_") and len(secret) == len("cf_live_") + 43 + 6
    assert set(secret[8:]) <= set(string.ascii_letters + string.digits)
    assert well_formed(secret)
    assert len({new_secret("cf_live_") for _ in range(200)}) == 200


def test_a_mistyped_key_is_known_by_itself():
    secret = new_secret("cf_live_")
    for place in range(len(secret)):
        other = "a" if secret[place] != "a" else "b"
        assert not well_formed(secret[:place] + other + secret[place + 1 :])
    swapped = secret[:20] + secret[21] + secret[20] + secret[22:]
    assert swapped == secret or not well_formed(swapped)
    for wrong in ("", "cf_live_", secret[:-1], secret + "0", secret[1:], "é" * 60, "\ud800" * 60, "x" * 5000):
        assert not well_formed(wrong)


@pytest.mark.parametrize("prefix", ["", "with space_", "é_", "tab\t_"])
def test_a_prefix_that_no_header_could_carry_is_refused(prefix):
    with pytest.raises(ValueError, match="cannot begin"):
        new_secret(prefix)


def test_the_digest_is_hmac_sha_256_with_the_pepper():
    assert digest(b"p" * 32, "cf_live_x") == hmac.new(b"p" * 32, b"cf_live_x", hashlib.sha256).digest()
    assert digest(b"q" * 32, "cf_live_x") != digest(b"p" * 32, "cf_live_x")


@pytest.mark.parametrize(
    ("text", "number"),
    [("key_7", 7), ("7", 7), ("key_", -1), ("", -1), ("key_-1", -1), ("key_٣", -1), ("key_" + "9" * 19, -1)],
)
def test_a_keys_id_is_the_number_of_its_row(text, number):
    assert key_number(text) == number
