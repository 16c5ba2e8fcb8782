"""JSON read strictly: what two readers could understand differently is refused."""

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conflux.dialects.strict_json import MAX_DEPTH, _same_keys, decode_measured, decode_object, encode
from conflux.neutral.errors import GatewayError, Kind


def refused(raw: bytes) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        decode_object(raw)
    assert caught.value.kind is Kind.INVALID
    encode({"message": caught.value.message, "param": caught.value.param})
    return caught.value


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"a" :1,"a":2}',
        b'{"a":1,"a"\n:2}',
        b'{"a"\t:1,"a"\r\n :2}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":1,"b":{"x":[{"k":1,"k":2}]}}',
        b'{"":1,"":2}',
        '{"é":1,"\\u00e9":2}'.encode(),
        '{"\\ud83d\\ude00":1,"😀":2}'.encode(),
        b'{"a":{"b":{"c":1}},"a":2}',
        b'{"a":2,"a":{"b":{"c":1}}}',
        b'{"a":[],"a":[],"t":"\\u003a"}',
        b'{"a":"\\u003A","a":"x"}',
        b'{"a":1,"a":2,"x":"\\":","y":" :"}',
        b'{"a\\u0022:":1,"a\\":":2}',
        b'{"a:":1,"a\\u003a":2}',
        b'{"model":"cheap","model":"dear","messages":[]}',
    ],
)
def test_case_44_a_key_twice_is_refused(raw: bytes) -> None:
    error = refused(raw)
    assert "twice" in error.message
    assert error.param is not None


def test_the_key_that_is_there_twice_is_the_one_that_is_named() -> None:
    assert refused(b'{"a":1,"b":{"c":1,"d":2,"e":3,"d":4},"f":1}').param == "d"
    long = b"k" * 500
    assert len(refused(b'{"%s":1,"%s":2}' % (long, long)).message) < 150


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
        b'{"a":"{\\"a\\":1,\\"a\\":2}"}',
        b'{"a" : "x : y", "b" :1}',
        b'{"a":"\\u003a","b":"\\u0022\\u003A"}',
        b'{"a:":1,"b":":::"}',
        b'{"a":"\\\\u003a"}',
        b' \t\r\n{ "a" : [ ] } ',
        b"{}",
    ],
)
def test_a_key_once_is_not(raw: bytes) -> None:
    assert decode_object(raw) == json.loads(raw)


@pytest.mark.parametrize(
    "word", ["NaN", "Infinity", "-Infinity", "nan", "inf", "1e999", "-1e999", "01", "1.", ".5", "+1", "0x1"]
)
def test_case_44_what_is_no_number_is_refused(word: str) -> None:
    refused(b'{"a":%s}' % word.encode())
    refused(b'{"a":[1,{"b":%s}]}' % word.encode())


def test_numbers_every_reader_agrees_on_keep_their_value() -> None:
    for number in (0, -0.0, 2**53, 2**63, 2**64, 10**40, 1e308, 5e-324, 0.1, -1.5e-7):
        (found,) = decode_object(json.dumps({"a": number}).encode()).values()
        assert found == number
        assert math.copysign(1, found) == math.copysign(1, number)
        assert json.loads(encode({"a": found})) == {"a": number}
    refused(b'{"a":' + b"9" * 5000 + b"}")


@pytest.mark.parametrize(
    "text",
    [
        b"\\ud800",
        b"\\udfff",
        b"x\\ud800y",
        b"\\ud800\\u0041",
        b"\\ud800\\ud800",
        b"\\ude00\\ud83d",
        b"\\uD83D\\\\ude00",
        b"\\ud83d\\n",
    ],
)
def test_case_44_half_a_pair_is_refused(text: bytes) -> None:
    for raw in (b'{"a":"' + text + b'"}', b'{"' + text + b'":1}', b'{"a":"' + text + b'","b":"\\u003a"}'):
        assert "surrogate" in refused(raw).message


def test_a_whole_pair_passes() -> None:
    assert decode_object(b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}


@pytest.mark.parametrize(
    "text", [b"\xed\xa0\x80", b"\xed\xa0\xbd\xed\xb8\x80", b"\xff", b"\xc3", b"\xc0\xaf", b"\xf4\x90\x80\x80"]
)
def test_case_44_what_is_not_utf8_is_refused(text: bytes) -> None:
    assert refused(b'{"a":"' + text + b'"}').message == "the body is not valid UTF-8"
    refused(b'{"' + text + b'":1}')


def nested(depth: int, opening: bytes = b'{"a":', closing: bytes = b"}") -> bytes:
    return opening * depth + b"1" + closing * depth


def test_depth() -> None:
    decode_object(nested(MAX_DEPTH))
    decode_object(b'{"a":' + nested(MAX_DEPTH - 1, b"[", b"]") + b"}")
    for raw in (nested(MAX_DEPTH + 1), b'{"a":' + nested(MAX_DEPTH, b"[", b"]") + b"}", nested(100_000)):
        assert refused(raw).message == "the body is nested more than 64 levels deep"
    many = b'{"a":[' + b",".join([nested(MAX_DEPTH - 2)] * 50) + b"]}"
    decode_object(many)
    refused(many.replace(b"1", b"{}", 1).replace(b"{}", b'{"b":1}', 1))


@pytest.mark.parametrize(
    "raw", [b"", b" ", b"[]", b"null", b"1", b'"a"', b"{} {}", b"{}\x00", b"\xef\xbb\xbf{}", b"\x00", b"{'a':1}"]
)
def test_what_is_not_one_object_is_refused(raw: bytes) -> None:
    refused(raw)


TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ['":', '" :', "\\u003a", "\\", '"', ":", "\u2028", "\x7f"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(
    st.dictionaries(TEXT, VALUES, max_size=5),
    st.booleans(),
    st.sampled_from([None, 0, 3]),
    st.sampled_from([":", " : "]),
)
def test_whatever_is_sound_is_read_as_others_read_it(
    value: Any, ascii_only: bool, indent: int | None, colon: str
) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only, indent=indent, separators=(",", colon)).encode()
    found, size = decode_measured(raw)
    assert found == value == json.loads(raw)
    assert json.loads(encode(found)) == value
    assert size == len(encode(found))


@given(st.binary(max_size=40) | TEXT.map(lambda text: text.encode()), st.binary(max_size=20))
@example(b'{"a":1', b',"a":2}')
@example(b'{"a":"\x7f', b'"}')
@example(b'{"a":"\xe2\x80', b'\xa8"}')
def test_whatever_is_read_is_read_as_others_read_it(start: bytes, rest: bytes) -> None:
    """The same value, or a refusal, of which others know, but for what this house's law refuses."""
    for raw in (start + rest, b'{"a":' + start + b"}", b'{"a":"' + start + b'","' + rest + b'":0}'):
        try:
            found = decode_object(raw)
        except GatewayError:
            continue
        assert found == json.loads(raw)


@given(st.lists(st.tuples(TEXT, VALUES), max_size=4), TEXT, st.booleans(), st.sampled_from([":", " : ", "\n:"]))
def test_a_key_twice_is_never_missed(pairs: list[tuple[str, Any]], key: str, ascii_only: bool, colon: str) -> None:
    def dump(value: Any) -> str:
        return json.dumps(value, ensure_ascii=ascii_only, separators=(",", colon))

    twice = [(key, 1), *pairs, (key, {"x": "y"})]
    raw = ("{" + ",".join(f"{dump(name)}{colon}{dump(value)}" for name, value in twice) + "}").encode()
    assert "twice" in refused(raw).message
    assert "twice" in refused(b'{"o":[0,' + raw + b"]}").message


@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=5))
def test_counting_never_says_the_same_where_a_key_was_lost(value: dict[str, Any]) -> None:
    raw = json.dumps(value).encode()
    for name in value:
        assert not _same_keys(raw, encode({other: inner for other, inner in value.items() if other != name}))


def test_a_large_body_is_read_in_one_go() -> None:
    value = {"messages": [{"role": "user", "content": 'é: "x" ' * 1000, "n": number} for number in range(500)]}
    raw = json.dumps(value).encode()
    found, size = decode_measured(raw)
    assert found == value
    assert size < len(raw)


@pytest.mark.parametrize("piece", [b"[],", b"{},", b"1,", b'"a",'])
def test_a_body_that_is_all_small_values_is_refused_before_it_is_read(piece: bytes) -> None:
    raw = b'{"foo":[' + piece * 1_100_000 + b"0]}"
    assert "more values" in refused(raw).message


def test_a_large_text_is_no_large_number_of_values() -> None:
    raw = json.dumps({"messages": [{"role": "user", "content": "word, (code) " * 60_000}]}).encode()
    assert len(raw) > 600_000
    assert decode_measured(raw + b" " * 600_000)[0]["messages"]
