"""The head of a request: exact bytes, and nothing that could become another line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.neutral.ports import Outbound
from conflux.upstream import head as module
from conflux.upstream.head import Heads

FIXED = b"host: up\r\naccept-encoding: identity\r\n"
OURS = [
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"host",
    b"content-length",
    b"accept-encoding",
]


def head(**more: object) -> bytes:
    return Heads(b"", FIXED).of(Outbound(**{"origin": "http://up", "path": "/v1", **more}))  # type: ignore[arg-type]


def test_the_bytes() -> None:
    made = head(headers=[(b"A", b"1"), (b"b", b"")], head=b"c: 3\r\n", tail=b"d: 4\r\n", body=b"xyz")
    assert made == b"POST /v1 HTTP/1.1\r\n" + FIXED + b"c: 3\r\nA: 1\r\nb: \r\nd: 4\r\ncontent-length: 3\r\n\r\n"


def test_what_is_remembered_of_one_request_is_no_other_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BEGUN", 2)
    heads = Heads(b"", FIXED)
    for method, path, lines in [
        ("POST", "/a", b""),
        ("GET", "/a", b""),
        ("POST", "/b", b""),
        ("POST", "/a", b"k: 1\r\n"),
    ] * 2:
        for number in (b"1", b"2"):
            call = Outbound(origin="http://up", method=method, path=path, head=lines, tail=b"n: " + number + b"\r\n")
            said = heads.of(call)
            assert said.startswith(f"{method} {path} HTTP/1.1\r\n".encode() + FIXED + lines + b"n: " + number + b"\r\n")
            assert len(heads._begun) <= 2
    for _ in range(2):
        with pytest.raises(ValueError):
            heads.of(Outbound(origin="http://up", path="/a", head=b"host: other\r\n"))


def test_through_a_proxy_the_whole_address_is_named() -> None:
    call = Outbound(origin="http://up", path="/v1?x=1", method="GET")
    assert Heads(b"http://up:81", FIXED).of(call).startswith(b"GET http://up:81/v1?x=1 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("POST", b"", b"0"), ("PUT", b"", b"0"), ("PATCH", b"", b"0"), ("DELETE", b"a", b"1"), ("GET", b"", None)],
)
def test_the_length(method: str, body: bytes, length: bytes | None) -> None:
    lines = head(method=method, body=body).split(b"\r\n")
    assert [line for line in lines if line.startswith(b"content-length")] == (
        [] if length is None else [b"content-length: " + length]
    )


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("spelt", [bytes.lower, bytes.title, bytes.upper])
def test_headers_of_the_connection_are_ours(name: bytes, spelt: object) -> None:
    name = spelt(name)  # type: ignore[operator]
    with pytest.raises(ValueError, match="belongs to the connection"):
        head(headers=[(b"ok", b"1"), (name, b"x")])
    with pytest.raises(ValueError, match="belongs to the connection"):
        head(head=b"ok: 1\r\n" + name + b": x\r\n")
    with pytest.raises(ValueError, match="belongs to the connection"):
        head(tail=b"ok: 1\r\n" + name + b": x\r\n")


@pytest.mark.parametrize("name", [b"ted", b"hostess", b"upgrade-insecure-requests", b"accept-encodings", b"x-host"])
def test_names_that_only_begin_like_ours_are_the_callers(name: bytes) -> None:
    assert name + b": x\r\n" in head(headers=[(name, b"x")])
    assert name + b": x\r\n" in head(head=name + b": x\r\n")


@pytest.mark.parametrize("bad", [b"\r", b"\n", b"\0", b"\r\n", b"\r\nx: y", b"\n\n", b"\r\n\r\nGET / HTTP/1.1"])
def test_line_breaks_and_nul_are_refused_wherever_they_are(bad: bytes) -> None:
    text = bad.decode()
    for wrong in (
        {"headers": [(b"a", b"1" + bad)]},
        {"headers": [(b"a", bad + b"1")]},
        {"headers": [(b"a" + bad, b"1")]},
        {"headers": [(b"a", b"1" + bad + b"\r\n")]},
        {"path": "/a" + text},
        {"path": text + "/a"},
        {"method": "GET" + text},
        {"head": bad},
        {"head": b"a" + bad + b": 1\r\n"},
        {"head": b"a: 1\r\n" + bad + b"\r\n"},
        {"head": b"a: 1" + bad + b"\r\n"},
    ):
        if wrong in ({"head": b"a: 1\r\nx: y\r\n"}, {"head": b"a: 1\r\n\r\nx: y\r\n"}):
            continue  # whole lines, as `head` is meant: who makes them has looked at each
        with pytest.raises(ValueError):
            head(**wrong)


@pytest.mark.parametrize(
    "name", [b"", b" ", b"a b", b"a:", b"a: b", b" a", b"a ", b"te ", b"\xc3\xa9", b"a\tb", b"(a)"]
)
def test_a_name_is_a_token(name: bytes) -> None:
    with pytest.raises(ValueError):
        head(headers=[(name, b"x")])


@pytest.mark.parametrize(
    "lines", [b"a", b"a: 1", b"a: 1\n", b"a: 1\r\n\r\n", b"\r\n", b": 1\r\n", b"a : 1\r\n", b" a: 1\r\n"]
)
def test_ready_made_lines_are_whole_lines(lines: bytes) -> None:
    for where in ("head", "tail"):
        with pytest.raises(ValueError):
            head(**{where: lines})


@pytest.mark.parametrize("path", ["", "a", "@evil.example/", "http://evil.example/", "/a b", "/é", "/a\tb", "/\x7f"])
def test_a_path_is_a_path(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        head(path=path)


@pytest.mark.parametrize("method", ["", "get", "GET /", "CONNECT", "GÉT", "POST\t"])
def test_a_method_is_a_method(method: str) -> None:
    with pytest.raises(ValueError, match="method"):
        head(method=method)


def test_the_text_names_the_header_and_never_shows_its_value() -> None:
    with pytest.raises(ValueError) as caught:
        head(headers=[(b"authorization", b"Bearer secret\r\n")])
    assert "authorization" in str(caught.value) and "secret" not in str(caught.value)
    with pytest.raises(ValueError) as caught:
        head(head=b"authorization: Bearer secret\n\r\n")
    assert "authorization" in str(caught.value) and "secret" not in str(caught.value)


@given(st.lists(st.tuples(st.binary(max_size=6), st.binary(max_size=8)), max_size=4))
def test_whatever_is_given_either_goes_out_as_it_is_or_not_at_all(headers: list[tuple[bytes, bytes]]) -> None:
    try:
        made = head(headers=headers, method="GET")
    except ValueError:
        return
    lines = made.removesuffix(b"\r\n\r\n").split(b"\r\n")[3:]
    assert [tuple(line.split(b": ", 1)) for line in lines] == headers
