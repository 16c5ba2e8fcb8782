"""Twin of faces/cookies.py."""

import pytest

from conflux.faces.cookies import COOKIE, cookie_of, csrf_of, own_page, page_secret, set_cookie

SECRET = "cfs_" + "a" * 49


@pytest.mark.parametrize(("cookie", "found"), [
    (f"{COOKIE}={SECRET}", SECRET), (f"a=b; {COOKIE}={SECRET}; c", SECRET), (f"{COOKIE}=cf_live_x", None),
    (f"x{COOKIE}={SECRET}", None), ("", None), (f"{COOKIE}=", None), (f"{COOKIE}=cfs_\xff", None),
])  # fmt: skip
def test_where_the_session_is(cookie: str, found: str | None) -> None:
    assert cookie_of({b"cookie": cookie.encode("latin-1")}) == found


def test_the_word_belongs_to_one_session() -> None:
    word = csrf_of(SECRET)
    assert own_page({b"x-conflux-csrf": word.encode()}, SECRET)
    assert not own_page({b"x-conflux-csrf": csrf_of(SECRET + "b").encode()}, SECRET)
    assert not own_page({b"x-conflux-csrf": b"\xff\xfe"}, SECRET) and not own_page({}, SECRET)
    assert SECRET not in word


def test_the_public_api_takes_a_cookie_only_with_the_word() -> None:
    cookie = {b"cookie": f"{COOKIE}={SECRET}".encode()}
    assert page_secret(cookie) is None
    assert page_secret({**cookie, b"x-conflux-csrf": b"wrong"}) == ""
    assert page_secret({**cookie, b"x-conflux-csrf": csrf_of(SECRET).encode()}) == SECRET
    assert page_secret({b"x-conflux-csrf": b"any"}) is None


def test_what_the_browser_is_told() -> None:
    assert set_cookie("x", 9, secure=False) == b"conflux_session=x; Path=/; Max-Age=9; HttpOnly; SameSite=Strict"
    assert set_cookie("x", 9, secure=True).endswith(b"; Secure")
