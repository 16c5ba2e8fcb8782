"""Twin of faces/http_secret.py. What the public face makes of it is in test_http.py."""

import pytest

from conflux.faces.http_secret import header_secret


@pytest.mark.parametrize(("headers", "secret"), [
    ({b"authorization": b"Bearer abc"}, "abc"), ({b"x-api-key": b" abc "}, "abc"), ({}, None),
    ({b"authorization": b"Basic abc"}, ""), ({b"authorization": b"Basic abc", b"api-key": b"k"}, "k"),
])  # fmt: skip
def test_where_a_key_is_read(headers: dict[bytes, bytes], secret: str | None) -> None:
    assert header_secret(headers) == secret
