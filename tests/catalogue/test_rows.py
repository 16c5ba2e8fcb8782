"""Each row's way into a record, and each mistake as the one line an owner reads."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflux.catalogue.rows import (
    ONE_OF,
    ModelRow,
    PoolRow,
    PriceRow,
    ProviderRow,
    StorefrontRow,
    TargetRow,
    model_of,
    pool_of,
    sheet_of,
    storefront_of,
)
from conflux.neutral.money import PriceSheet, Rate
from conflux.neutral.records import Capability, Model
from tests.catalogue.samples import Tables, built, mistakes, tables

SHOP = "conflux.toml: [[storefront]] #1 shop: "
UP = "conflux.toml: [[provider]] #1 up: "
POND = "conflux.toml: [[pool]] #1 pond: "
ONE = "conflux.toml: [[model]] #1 shop/shop/one: "
CNY = "conflux.toml: [[rate]] #1 CNY: "


def pool(**target: Any) -> dict[str, Any]:
    return {"target": [{"provider": "up", "model": "up-1", **target}]}


# (the row that is changed, what it says, the line it is refused with)
MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    # storefronts
    ("storefront", {"margin": "-1"}, SHOP + "margin: '-1' is negative"),
    ("storefront", {"margin": "0"}, SHOP + "margin: must be above 0"),
    ("storefront", {"margin": "x"}, SHOP + "margin: 'x' is not a plain decimal number"),
    ("storefront", {"key_prefixes": ["s h"]}, SHOP + "key_prefixes: 's h': use 2 to 40 letters, digits, _ or -"),
    ("storefront", {"key_prefixes": [""]}, SHOP + "key_prefixes: '': use 2 to 40 letters, digits, _ or -"),
    ("storefront", {"test_prefixes": ["sh_t_"]}, SHOP + "key_prefixes: sh_t_ of test_prefixes is not among them"),
    ("storefront", {"agent_prefixes": ["sh_a_"]}, SHOP + "key_prefixes: sh_a_ of agent_prefixes is not among them"),
    ("storefront", {"header_prefix": "X Y"}, SHOP + "header_prefix: 'X Y': use lower-case letters, digits and -"),
    ("storefront", {"list_shape": "xml"},
     SHOP + "list_shape: 'xml' is not one of openai, tokenflux, llmbase, inference, anthropic, google"),
    ("storefront", {"error_style": "x"}, SHOP + "error_style: 'x' is not one of openai, conflux, inference"),
    ("storefront", {"billing": "x"}, SHOP + "billing: 'x' is not one of usd, tier_credits, token_credits"),
    ("storefront", {"model_echo": "x"}, SHOP + "model_echo: 'x' is not one of requested, upstream"),
    ("storefront", {"default_max_output": 0}, SHOP + "default_max_output: 0 is not a number of tokens"),
    ("storefront", {"default_temperature": 2.5}, SHOP + "default_temperature: 2.5 is not between 0 and 2"),
    ("storefront", {"root_paths": ["/v2/models"]}, SHOP + "root_paths: '/v2/models' is no list; there are /v1/models, "
     "/models, /v1/model-metadata, /api/v1/agents/models, /v1beta/models"),
    ("storefront", {"keyed_paths": [""]}, SHOP + "keyed_paths: '' is no list; there are /v1/models, /models, "
     "/v1/model-metadata, /api/v1/agents/models, /v1beta/models"),
    ("storefront", {"hosts": ["api.example.com:8080"]},
     SHOP + "hosts: 'api.example.com:8080': write a name such as api.example.com, in lower case and without a port"),
    ("storefront", {"hosts": ["api.example.com", "API.example.com"]},
     SHOP + "hosts: 'API.example.com': write a name such as api.example.com, in lower case and without a port"),
    ("storefront", {"allowed_origins": ["example.com"]},
     SHOP + "allowed_origins: 'example.com': write \"*\" or an origin such as https://app.example.com"),
    # providers
    ("provider", {"dialect": None}, UP + "dialect: missing: say which dialect it speaks, for example openai-chat"),
    ("provider", {"base_url": "up.example"}, UP + "base_url: 'up.example': write http://, https:// or unix:/path"),
    ("provider", {"base_url": "http://a b"}, UP + "base_url: 'http://a b': write http://, https:// or unix:/path"),
    ("provider", {"credential": "sk-12345"},
     UP + "credential: write env:NAME or file:PATH: a secret itself does not belong in this file"),
    ("provider", {"credential": "env:"},
     UP + "credential: write env:NAME or file:PATH: a secret itself does not belong in this file"),
    ("provider", {"lane": "slow"}, UP + "lane: 'slow' is not one of auto, compat"),
    ("provider", {"auth": "magic"}, UP + "auth: 'magic' is not one of bearer, x-api-key, api-key, x-goog-api-key, "
     "basic, service-account, account, none"),
    ("provider", {"currency": "EUR"}, UP + "currency: 'EUR' has no [[rate]]: add one with its date"),
    ("provider", {"idle_timeout": 0}, UP + "idle_timeout: must be above 0 seconds"),
    ("provider", {"headers": {"x-a": "b\r\nx-c: d"}},
     UP + "headers.x-a: a header is a plain name and printable ASCII text"),
    # pools
    ("pool", {"target": []},
     POND + "target: missing: write at least one [[pool.target]]; to switch a model off, set its enabled = false"),
    ("pool", pool(weight=0), POND + "target[0].weight: must be at least 1"),
    ("pool", pool(model=""), POND + "target[0].model: must not be empty: it is the name the provider knows"),
    ("pool", pool(effort="huge"),
     POND + "target[0].effort: 'huge' is not one of none, minimal, low, medium, high, xhigh, max"),
    ("pool", pool(cost={"input": "-1"}), POND + "target[0].cost.input: '-1' is negative"),
    ("pool", {"target": [{"provider": "up", "model": "m"}, {"provider": "up", "model": "m", "weight": 2}]},
     POND + "target[1]: up/m/cloud is written twice: give one of them a higher weight, or another variant"),
    # models
    ("model", {"id": "a b"}, "conflux.toml: [[model]] #1 shop/a b: id: 'a b': use 1 to 200 printable ASCII characters "
     "without spaces"),
    ("model", {"aliases": ["é"]}, ONE + "aliases: 'é': use 1 to 200 printable ASCII characters without spaces"),
    ("model", {"kind": "video"}, ONE + "kind: 'video' is not one of chat, embedding, image, audio, rerank"),
    ("model", {"lane": "fast"}, ONE + "lane: 'fast' is not one of auto, compat"),
    ("model", {"effort": "huge"}, ONE + "effort: 'huge' is not one of none, minimal, low, medium, high, xhigh, max"),
    ("model", {"context": 0}, ONE + "context: 0 is not a number of tokens"),
    ("model", {"context": 100, "safe_context": 101}, ONE + "safe_context: 101 is more than the context of 100"),
    ("model", {"context": 100, "max_output": 101}, ONE + "max_output: 101 is more than the context of 100"),
    ("model", {"created": -1}, ONE + "created: -1 is not a Unix time; write 0 where it is not known"),
    ("model", {"dimensions": [8]},
     ONE + "dimensions: only an embedding model has dimensions, and this one's kind is 'chat'"),
    ("model", {"kind": "embedding", "dimensions": [0]}, ONE + "dimensions: each must be at least 1"),
    ("model", {"kind": "embedding", "dimensions": [8, 16], "max_dimension": 32},
     ONE + "max_dimension: 32 is not the largest of dimensions, 16"),
    ("model", {"agent": True},
     ONE + 'agent: only a chat model with "tools" in capabilities can be on the agent list'),
    ("model", {"assumed": ["colour"]}, ONE + "assumed: 'colour' is no field of a model"),
    ("model", {"assumed": ["price.tax"]}, ONE + "assumed: 'price.tax' is no field of a model"),
    # prices
    ("model", {"price": {"input": "-0.1"}}, ONE + "price.input: '-0.1' is negative"),
    ("model", {"price": {"input": "1e-6"}}, ONE + "price.input: '1e-6' is not a plain decimal number"),
    ("model", {"price": {"input": "NaN"}}, ONE + "price.input: 'NaN' is not a plain decimal number"),
    ("model", {"price": {"input": ""}}, ONE + "price.input: '' is not a plain decimal number"),
    ("model", {"price": {"output": "0.30000000000000004"}},
     ONE + "price.output: '0.30000000000000004' is finer than this ledger can hold exactly"),
    ("model", {"price": {"image": "0.0000000000001"}},
     ONE + "price.image: '0.0000000000001' is finer than this ledger can hold exactly"),
    ("model", {"price": {"currency": "EUR"}}, ONE + "price.currency: 'EUR' has no [[rate]]: add one with its date"),
    ("model", {"price": {"unit": 0}}, ONE + "price.unit: must be at least 1"),
    ("model", {"price": {"version": ""}}, ONE + "price.version: must not be empty"),
    ("model", {"price": {"effective_at": "2026-02-30"}},
     ONE + "price.effective_at: '2026-02-30' is not a date such as 2026-11-01"),
    ("model", {"price": {"effective_at": "soon"}}, ONE + "price.effective_at: 'soon' is not a date such as 2026-11-01"),
    # rates
    ("rate", {"usd": "0"}, CNY + "usd: must be above 0"),
    ("rate", {"usd": "-1"}, CNY + "usd: '-1' is negative"),
    ("rate", {"date": "today"}, CNY + "date: 'today' is not a date such as 2026-11-01"),
    ("rate", {"currency": "USD"},
     "conflux.toml: [[rate]] #1 USD: currency: USD is the ledger's own currency and has no rate"),
]  # fmt: skip


def test_the_sample_itself_has_no_mistake() -> None:
    assert mistakes(tables()) == []


@pytest.mark.parametrize(("table", "fields", "line"), MISTAKES, ids=lambda part: str(part)[-60:])
def test_a_mistake_is_one_line(table: str, fields: dict[str, Any], line: str) -> None:
    assert mistakes(tables(**{table: fields})) == [line]


HIDES = "hides a path of the root: choose another"
SHAPED = "write it as / or /name"


@pytest.mark.parametrize(
    ("mount", "what"),
    [("/v1", f"'/v1' {HIDES}"), ("/health/x", f"'/health/x' {HIDES}"), ("/metrics", f"'/metrics' {HIDES}"),
     ("side", f"'side': {SHAPED}"), ("/side/", f"'/side/': {SHAPED}"), ("//side", f"'//side': {SHAPED}"),
     ("/a b", f"'/a b': {SHAPED}"), ("", f"'': {SHAPED}"), ("/side", None), ("/a/b-c_d.e", None)],
)  # fmt: skip
def test_a_mount_is_a_path_of_its_own(mount: str, what: str | None) -> None:
    said = tables()
    said["storefront"].append({"id": "side", "name": "Side", "mount": mount})
    assert mistakes(said) == ([f"conflux.toml: [[storefront]] #2 side: mount: {what}"] if what is not None else [])


def test_an_effort_without_reasoning_is_a_mistake_only_where_the_gate_is_strict() -> None:
    line = ONE + 'effort: this storefront is strict: an entry with an effort must have "reasoning" in capabilities'
    strict: dict[str, Any] = {"strict_capabilities": True}
    assert mistakes(tables(storefront=strict, model={"effort": "high"})) == [line]
    assert mistakes(tables(storefront=strict, model={"effort": "high", "capabilities": ["reasoning"]})) == []
    assert mistakes(tables(model={"effort": "high"})) == []


def test_all_mistakes_of_a_row_are_told() -> None:
    found = mistakes(tables(model={"kind": "video", "context": 0, "price": {"input": "-1", "output": "x"}}))
    assert [line.removeprefix(ONE).partition(":")[0] for line in found] == [
        "kind", "context", "price.input", "price.output",
    ]  # fmt: skip


def test_the_secret_in_a_wrong_credential_is_not_repeated() -> None:
    assert "12345" not in "".join(mistakes(tables(provider={"credential": "sk-12345"})))


# --- what a good row becomes


def one(**fields: Any) -> Model:
    return built(model=fields).models["shop", "shop/one"]


def test_a_models_defaults() -> None:
    model = one()
    assert (model.name, model.kind, model.lane, model.enabled, model.account) == (
        "shop/one",
        "chat",
        "auto",
        True,
        False,
    )
    assert (model.context, model.safe_context, model.role, model.tier) == (None, None, None, None)
    assert model.unit == 1


@pytest.mark.parametrize(
    ("context", "said", "safe"),
    [(262_144, None, 249_036), (262_144, 250_000, 250_000), (None, 250_000, 250_000), (1, None, 0), (None, None, None)],
)
def test_the_safe_context_is_95_percent_unless_said(context: int | None, said: int | None, safe: int | None) -> None:
    fields = {"context": context, "safe_context": said}
    assert one(**{name: value for name, value in fields.items() if value is not None}).safe_context == safe


def test_modalities_follow_capabilities_unless_said() -> None:
    assert one(capabilities=["text", "vision", "files"]).input_modalities == ("text", "image", "file")
    assert one(capabilities=["vision"], input_modalities=["image"]).input_modalities == ("image",)


def test_the_largest_dimension_is_the_maximum() -> None:
    model = one(kind="embedding", dimensions=[64, 512, 128])
    assert (model.dimensions, model.max_dimension) == ((64, 512, 128), 512)
    assert one(kind="embedding").max_dimension is None


def test_every_chat_model_with_tools_is_for_agents_unless_said() -> None:
    assert one(capabilities=["text", "tools"]).agent
    assert not one(capabilities=["text", "tools"], agent=False).agent
    assert not one(capabilities=["text"]).agent
    assert not one(capabilities=["text", "tools"], kind="embedding").agent


def test_a_model_takes_its_storefronts_strictness() -> None:
    catalogue = built(storefront={"strict_capabilities": True})
    assert catalogue.models["shop", "shop/one"].strict
    assert not one().strict


def test_assumed_may_name_a_part_of_price_and_capabilities() -> None:
    names = ["context", "price.cache_read", "capabilities.tools"]
    assert one(assumed=names, capabilities=["tools"]).assumed == frozenset(names)


def test_a_price_sheet_is_exact_and_dated() -> None:
    model = one(price={"input": "0.435", "cache_read": "0", "image": "0.003613", "currency": "CNY", "version": "7"})
    assert model.price == PriceSheet(
        version="7",
        rate=Rate(currency="CNY", nano_usd=140_000_000, date="2026-11-01"),
        input=435_000,
        cache_read=0,
        image=3_613_000_000,
    )
    assert model.price.output is None
    assert not model.price.known


def test_a_provider_speaks_one_dialect_or_several() -> None:
    def dialects(**fields: Any) -> tuple[str, ...]:
        return built(provider=fields).providers["up"].dialects

    assert dialects() == ("openai-chat",)
    assert dialects(dialect=["a", "b"]) == ("a", "b")
    assert dialects(dialect="a", dialects=["b", "a"]) == ("a", "b")


def test_credentials_keep_their_order() -> None:
    provider = built(provider={"credential": "env:A", "credentials": ["env:B", "file:/run/c"]}).providers["up"]
    assert provider.credentials == ("env:A", "env:B", "file:/run/c")


def test_a_targets_cost_is_the_houses_price() -> None:
    (target,) = built(pool=pool(cost={"input": "0.3", "output": "1"}, weight=3, variant="local")).pools["pond"].targets
    assert target.cost is not None
    assert (target.cost.input, target.cost.output) == (300_000, 1_000_000)
    assert (target.weight, target.key) == (3, "up/up-1/local")


# --- prices, whatever is written


@given(st.decimals(min_value=0, max_value=10**9, places=6, allow_nan=False, allow_infinity=False))
def test_every_price_of_six_decimals_is_held_exactly(price: Decimal) -> None:
    told: list[str] = []
    sheet = sheet_of(PriceRow(input=f"{price:f}"), {}, "price", _tell(told))
    assert told == []
    assert Decimal(sheet.input or 0) == price * 10**6


@given(st.text(max_size=12) | st.from_regex(r"-?[0-9]{0,4}\.?[0-9]{0,9}(e-?[0-9])?", fullmatch=True))
def test_any_other_text_is_refused_and_never_rounded(text: str) -> None:
    told: list[str] = []
    sheet = sheet_of(PriceRow(output=text), {}, "price", _tell(told))
    if told:
        assert told[0].startswith("price.output: ")
        assert sheet.output is None
    else:
        assert Decimal(sheet.output or 0) == Decimal(text) * 10**6


@given(st.floats() | st.integers() | st.booleans())
def test_a_price_that_is_no_string_is_refused(price: float | int | bool) -> None:
    (line,) = mistakes(tables(model={"price": {"input": price, "output": "1"}}))
    assert line.startswith(ONE + "price.input: ")


def _tell(told: list[str]) -> Callable[[str, str], None]:
    return lambda field, what: told.append(f"{field}: {what}")


# --- the tables themselves


def test_the_words_belong_to_fields_that_exist() -> None:
    rows = {"storefront": StorefrontRow, "provider": ProviderRow, "model": ModelRow}
    for table, fields in ONE_OF.items():
        assert set(fields) <= set(rows[table].__struct_fields__)


def test_every_field_of_a_model_can_be_written() -> None:
    made = {"strict", "buffered", "unit"}
    assert set(Model.__struct_fields__) - made <= set(ModelRow.__struct_fields__)
    assert one(capabilities=[each.value for each in Capability]).capabilities == frozenset(Capability)


def test_the_sample_tables_are_independent() -> None:
    changed: Tables = tables(model={"id": "x"})
    assert changed["model"][0]["id"] == "x"
    assert tables()["model"][0]["id"] == "shop/one"


def test_prices_that_name_no_version_have_one_of_their_own() -> None:
    versions = {one(price=price).price.version for price in ({}, {"input": "1"}, {"input": "2"}, {"output": "1"})}
    assert len(versions) == 4
    assert one(price={"input": "1"}).price.version == one(price={"input": "1.0"}).price.version
    assert one(price={"effective_at": "2026-11-01"}).price.effective_at == "2026-11-01"


def test_what_no_page_and_no_url_could_hold_is_refused() -> None:
    def wrong_of(**fields: Any) -> set[str]:
        found: set[str] = set()
        row = msgspec.convert({"storefront": "shop", "id": "one", "pool": "pond", **fields}, ModelRow)
        model_of(row, lambda field, what: found.add(field), rates={}, strict=False)
        return found

    assert wrong_of() == wrong_of(id="~acme/one:free@1.2", name="Eins \u00e4") == set()
    for bad in ("../x", "a/../b", "a//b", "/a", "a/", ".", "x?y", "x#z", "z%2F", "a\\b"):
        assert wrong_of(id=bad) == {"id"}, bad
        assert wrong_of(aliases=[bad]) == {"aliases"}, bad
    for text in ("", "  ", "a\u0000", "x" * 201, "a\nb"):
        assert not text or "name" in wrong_of(name=text), text
        assert mistakes(tables(storefront={"name": text}))[0].startswith(SHOP + "name: "), text
    assert wrong_of(context=10**26) == {"context"} and wrong_of(max_output=1 << 41) == {"max_output"}
    found: list[str] = []
    storefront_of(StorefrontRow(id="shop", name="Shop", mount="/", margin="1001"), lambda field, _: found.append(field))
    target = TargetRow(provider="p", model="m", weight=10**26)
    pool_of(PoolRow(id="pond", target=[target]), lambda field, _: found.append(field), rates={})
    assert found == ["margin", "target[0].weight"]
