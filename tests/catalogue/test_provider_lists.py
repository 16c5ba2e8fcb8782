"""Lists of providers as they come: what is read exactly, what is left out and named, what is refused whole."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.catalogue.provider_lists import LIST_BYTES, Found, Listing, ListRefused, read_file, read_list


def listed(*rows: Any, **beside: Any) -> Listing:
    return read_list(json.dumps({"data": list(rows), **beside}).encode())


def priced(text: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """The price of a prompt as it stands in the JSON, read."""
    found = read_list(b'{"data": [{"id": "m", "pricing": {"prompt": %s}}]}' % text.encode())
    return found.models["m"].price, found.notes


def test_the_plain_shape_says_who_is_there_and_nothing_else() -> None:
    found = listed({"id": "gpt-x", "object": "model", "created": 1, "owned_by": "o"}, {"id": "a/b:free"}, object="list")
    assert found == Listing({"gpt-x": Found(), "a/b:free": Found()})


@pytest.mark.parametrize("field", ["context_length", "max_model_len", "context_window"])
def test_local_servers_say_the_context_in_their_own_words(field: str) -> None:
    assert listed({"id": "m", "object": "model", field: 4096}).models == {"m": Found(context=4096)}


def test_gemini_lists_names_of_resources() -> None:
    rows = [
        {"name": "models/gem-1", "displayName": "Gem", "inputTokenLimit": 1000, "outputTokenLimit": 10},
        {"name": 5},
    ]
    found = read_list(json.dumps({"models": rows}).encode())
    assert found.models == {"gem-1": Found(context=1000, max_output=10)} and len(found.notes) == 1
    with pytest.raises(ListRefused, match="only the first page"):
        read_list(json.dumps({"models": rows, "nextPageToken": "x"}).encode())


ROUTED = {
    "id": "acme/large",
    "name": "Acme: Large",
    "context_length": 200_000,
    "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"], "tokenizer": "Other"},
    "pricing": {
        "prompt": "0.000003", "completion": "0.000015", "request": "0", "image": "0.0048", "web_search": "0.01",
        "internal_reasoning": "0", "input_cache_read": "0.0000003", "input_cache_write": "0.00000375",
    },
    "top_provider": {"context_length": 190_000, "max_completion_tokens": 64_000, "is_moderated": True},
    "supported_parameters": ["tools", "temperature", "response_format"],
}  # fmt: skip


def test_a_router_says_context_prices_and_abilities() -> None:
    assert listed(ROUTED) == Listing(
        {
            "acme/large": Found(
                context=190_000,
                max_output=64_000,
                price={
                    "input": "3", "output": "15", "cache_read": "0.3", "cache_write_5m": "3.75", "image": "0.0048",
                    "search": "0.01",
                },
                lacks=("audio", "files", "logprobs", "reasoning", "structured_outputs"),
            )
        }
    )  # fmt: skip


def test_a_zero_is_a_statement_only_where_it_cannot_mean_something_else() -> None:
    row: dict[str, Any] = {
        "id": "m",
        "pricing": {"prompt": "0", "completion": "0", "internal_reasoning": "0", "input_cache_read": 0},
    }
    assert listed(row).models["m"].price == {"input": "0", "output": "0"}
    row = {"id": "m", "context_length": 0, "top_provider": {"context_length": None, "max_completion_tokens": 0}}
    assert listed(row) == Listing({"m": Found()})


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ('"0.00000015"', "0.15"),
        ("0.00000015", "0.15"),  # a number is read by its text
        ("1e-06", "1"),
        ("1.5E-7", "0.15"),
        ('"1.50e-07"', "0.15"),
        ("0.1e-5", "1"),
        ("0.000000000001", "0.000001"),  # the finest there is
        ('"0.0000030000000000000000000"', "3"),
        ("1", "1000000"),
    ],
)
def test_prices_are_exact(text: str, price: str) -> None:
    assert priced(text) == ({"input": price}, ())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1.5000000000000002e-07", "1.5000000000000002e-07 is finer than money is counted here"),
        ('"0.0000000000001"', "finer than money"),
        ("2", "more than anybody asks for"),
        ("1e99", "more than anybody asks for"),
        ("1e400", "not a decimal number"),
        ('"free"', "not a decimal number"),
        ('"1e-999999999"', "not a decimal number"),
        ('"١"', "not a decimal number"),
        ('" 1"', "not a decimal number"),
        ('""', "not a decimal number"),
        ('"NaN"', "not a decimal number"),
        ("true", "not a decimal number"),
        ("{}", "not a decimal number"),
        ("[1]", "not a decimal number"),
        ("9" * 30, "not a decimal number"),
    ],
)
def test_a_price_that_is_none_is_named_and_left_out(text: str, words: str) -> None:
    price, notes = priced(text)
    assert price == {}
    assert len(notes) == 1 and words in notes[0] and notes[0].startswith("m: price of prompt: ")


def test_a_price_that_depends_is_not_stated() -> None:
    assert priced('"-1"') == ({}, ())
    assert priced("null") == ({}, ())


@given(st.integers(0, 10**12))
def test_every_price_that_money_can_hold_arrives_exactly(pico: int) -> None:
    for text in (f"{Decimal(pico).scaleb(-12):f}", f'"{Decimal(pico).scaleb(-12):f}"', f"{pico}e-12"):
        price, notes = priced(text)
        assert notes == () and Decimal(price["input"]) == Decimal(pico).scaleb(-6)


@pytest.mark.parametrize("value", [1.5, "128000", True, -1, [1], {"n": 1}, 10**10])
def test_a_context_that_is_no_number_of_tokens_is_left_out(value: Any) -> None:
    found = listed({"id": "m", "context_length": value})
    assert found.models == {"m": Found()}
    assert found.notes == ("m: context_length: not a number of tokens; it is left out",)


@pytest.mark.parametrize("row", [1, None, {}, {"id": 5}, {"id": ""}, {"id": "a b"}, {"id": "x" * 201}, {"id": "é\n"}])
def test_an_entry_without_a_usable_id_is_left_out(row: Any) -> None:
    assert listed(row, {"id": "m"}) == Listing({"m": Found()}, ("an entry without a usable id is left out",))


def test_what_is_listed_twice_counts_once() -> None:
    found = listed({"id": "m", "context_length": 8}, {"id": "m", "context_length": 9})
    assert found == Listing({"m": Found(context=8)}, ("m: listed twice; the first one counts",))


def test_fields_of_the_wrong_kind_state_nothing() -> None:
    row = {"id": "m", "pricing": [1], "architecture": "x", "top_provider": 3, "supported_parameters": {"tools": 1}}
    assert listed(row) == Listing({"m": Found()})
    assert listed({"id": "m", "supported_parameters": []}) == Listing({"m": Found()})  # not published


def test_of_many_mistakes_the_first_are_told() -> None:
    notes = listed(*[None] * 1000).notes
    assert len(notes) == 21 and notes[-1] == "and 980 more such lines"


REFUSED: list[tuple[bytes, str]] = [
    (b"", "empty"),
    (b"  \n", "empty"),
    (b"\n<!DOCTYPE html><html>secret</html>", "a web page"),
    (b'{"data": [{"id": "m"', "cut off"),
    (b'{"data": [{"id": "\xff"}]}', "not JSON"),
    (b"[" * 20_000, "nested too deeply"),
    (b'{"a":' * 20_000, "nested too deeply"),
    (b"[]", 'no "data"'),
    (b"null", 'no "data"'),
    (b'{"data": {"id": "m"}}', 'no "data"'),
    (b'{"error": {"message": "secret"}}', 'no "data"'),
    (b'{"data": [], "has_more": true}', "only the first page"),
    (b'{"data": [' + b"{}," * 300_000 + b"{}]}", "more pieces"),
    (b" " * (LIST_BYTES + 1), "more than 4194304 bytes"),
    (b'{"data": [' + b"0," * 10_000 + b"0]}", "more than 10000 models"),
]


@pytest.mark.parametrize(("body", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_a_body_that_is_no_list_is_refused_whole(body: bytes, words: str) -> None:
    with pytest.raises(ListRefused, match=words) as error:
        read_list(body)
    assert "secret" not in str(error.value)


FIELDS = ["id", "pricing", "prompt", "context_length", "top_provider", "models", "cost", "limit"]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | st.floats() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
)


@given(st.binary(max_size=200) | ANYTHING.map(lambda one: json.dumps({"data": [one], "p": one}).encode()))
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    for read in (read_list, read_file):
        try:
            read(body)
        except ListRefused:
            continue


# --- a file of facts

FACTS = {
    "acme": {
        "id": "acme",
        "env": ["ACME_KEY"],
        "models": {
            "large": {
                "id": "large", "reasoning": True, "tool_call": False,
                "modalities": {"input": ["text"], "output": ["text"]},
                "limit": {"context": 200_000, "output": 8192},
                "cost": {"input": 0.15, "output": 0.6, "cache_read": 0.075, "cache_write": 0, "input_audio": 1.5},
            },
            "small": {"id": "small"},
        },
    },
    "other": {"models": {"x": 5}},
    "nobody": {"id": "nobody"},
}  # fmt: skip


def test_a_file_of_facts_has_providers_with_models() -> None:
    found = read_file(json.dumps(FACTS).encode())
    assert found == {
        "acme": Listing(
            {
                "large": Found(
                    context=200_000,
                    max_output=8192,
                    price={"input": "0.15", "output": "0.6", "cache_read": "0.075", "audio": "1.5"},
                    lacks=("audio", "tools", "vision"),
                ),
                "small": Found(),
            }
        ),
        "other": Listing({}, ("an entry without a usable id is left out",)),
    }


def test_a_saved_list_is_a_file_too() -> None:
    body = json.dumps({"data": [ROUTED]}).encode()
    assert read_file(body) == read_list(body)


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"a": 1}', b'{"a": {"models": []}}'])
def test_a_file_of_something_else_is_refused(body: bytes) -> None:
    with pytest.raises(ListRefused, match="neither a list of models nor providers"):
        read_file(body)
