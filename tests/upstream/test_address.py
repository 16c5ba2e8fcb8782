"""Origins and proxies, split or refused with a text that says how to write them."""

import pytest

from conflux.upstream.address import Address, Proxy, split_origin, split_proxy


@pytest.mark.parametrize(
    ("origin", "found"),
    [
        ("https://api.example.com", Address(True, "api.example.com", 443, b"api.example.com")),
        ("https://api.example.com/", Address(True, "api.example.com", 443, b"api.example.com")),
        ("https://api.example.com:443", Address(True, "api.example.com", 443, b"api.example.com")),
        ("https://api.example.com:80", Address(True, "api.example.com", 80, b"api.example.com:80")),
        ("http://API.example.com", Address(False, "api.example.com", 80, b"api.example.com")),
        ("http://127.0.0.1:9100", Address(False, "127.0.0.1", 9100, b"127.0.0.1:9100")),
        ("http://[::1]:9100", Address(False, "::1", 9100, b"[::1]:9100")),
        ("https://[::1]", Address(True, "::1", 443, b"[::1]")),
        ("https://bücher.example", Address(True, "xn--bcher-kva.example", 443, b"xn--bcher-kva.example")),
        ("unix:/run/model.sock", Address(False, "", 0, b"localhost", "/run/model.sock")),
    ],
)
def test_an_origin(origin: str, found: Address) -> None:
    assert split_origin(origin) == found


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "api.example.com",
        "ftp://api.example.com",
        "https://",
        "https://:443",
        "https://api.example.com/v1",
        "https://api.example.com?x=1",
        "https://api.example.com#x",
        "https://user:word@api.example.com",
        "https://@api.example.com",
        "https://api.example.com:0",
        "https://api.example.com:65536",
        "https://api.example.com:x",
        "https://api.example.com\r\nx: y",
        "https://api .example.com",
        "https://a..b",
        "https://" + "a" * 64 + ".example",
        "unix:relative.sock",
        "unix:/a\0b",
    ],
)
def test_what_is_no_origin(wrong: str) -> None:
    with pytest.raises(ValueError) as caught:
        split_origin(wrong)
    assert "word" not in str(caught.value)


def test_connect_always_names_the_port() -> None:
    assert split_origin("https://api.example.com").target == b"api.example.com:443"
    assert split_origin("https://[::1]:8443").target == b"[::1]:8443"


@pytest.mark.parametrize(
    ("proxy", "found"),
    [
        ("http://proxy.example:3128", Proxy("proxy.example", 3128, False, None)),
        ("https://proxy.example", Proxy("proxy.example", 443, True, None)),
        ("http://me:a%3Ab%40@proxy.example:3128", Proxy("proxy.example", 3128, False, b"me:a:b@")),
        ("http://me@proxy.example:3128", Proxy("proxy.example", 3128, False, b"me:")),
    ],
)
def test_a_proxy(proxy: str, found: Proxy) -> None:
    assert split_proxy(proxy) == found


@pytest.mark.parametrize(
    "wrong", ["proxy:3128", "socks5://me:word@proxy:1080", "http://me:word@:3128", "http://me:word@proxy:99999"]
)
def test_what_is_no_proxy_and_no_password_in_the_text(wrong: str) -> None:
    with pytest.raises(ValueError) as caught:
        split_proxy(wrong)
    assert "word" not in str(caught.value)
