"""The catalogue's data as it is written: one Struct per table, and each row's way into a record.

Law: unknown keys and wrong types are mistakes. Figures are exact: prices are decimal strings, never numbers.
"""

from typing import Any

import msgspec

from conflux.neutral.money import (
    USD,
    MoneyError,
    PriceSheet,
    Rate,
    parse_scaled,
    pico_from_per_item,
    pico_from_per_million,
)
from conflux.neutral.records import Capability, FluxRole, Model, Pool, Provider, Storefront, Target, Tier

SAFE_SHARE = (95, 100)


class Row(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    pass


class PriceRow(Row):
    input: str | None = None
    output: str | None = None
    cache_read: str | None = None
    cache_write_5m: str | None = None
    cache_write_1h: str | None = None
    reasoning: str | None = None
    audio: str | None = None
    image: str | None = None
    search: str | None = None
    request: str | None = None
    currency: str = "USD"
    unit: int = 1
    version: str = "1"


class RateRow(Row):
    currency: str
    usd: str
    date: str
    assumed: bool = False


class StorefrontRow(Row):
    id: str
    name: str
    mount: str
    hosts: list[str] = []
    key_prefixes: list[str] = []
    test_prefixes: list[str] = []
    agent_prefixes: list[str] = []
    list_shape: str = "openai"
    error_style: str = "openai"
    billing: str = "usd"
    header_prefix: str = "conflux"
    model_echo: str = "requested"
    strict_capabilities: bool = False
    margin: str = "1"
    default_max_output: int | None = None
    default_temperature: float | None = None
    allowed_origins: list[str] = []


class ProviderRow(Row):
    id: str
    base_url: str
    dialect: str | list[str] | None = None
    dialects: list[str] = []
    label: str = ""
    lane: str = "auto"
    auth: str = "bearer"
    credential: str | None = None
    credentials: list[str] = []
    headers: dict[str, str] = {}
    currency: str = "USD"
    proxy: str | None = None
    quirks: dict[str, Any] = {}
    drain: bool = False
    connect_timeout: float = 5.0
    first_byte_timeout: float = 60.0
    idle_timeout: float = 120.0
    total_timeout: float = 900.0


class TargetRow(Row):
    provider: str
    model: str
    variant: str = "cloud"
    weight: int = 1
    effort: str | None = None
    cost: PriceRow | None = None


class PoolRow(Row):
    id: str
    target: list[TargetRow] = []


class ModelRow(Row):
    storefront: str
    id: str
    pool: str
    name: str | None = None
    kind: str = "chat"
    provider_label: str = ""
    owned_by: str = ""
    description: str = ""
    created: int = 0
    role: FluxRole | None = None
    tier: Tier | None = None
    lane: str = "auto"
    enabled: bool = True
    account: bool = False
    effort: str | None = None
    context: int | None = None
    safe_context: int | None = None
    max_output: int | None = None
    capabilities: list[Capability] = []
    input_modalities: list[str] | None = None
    output_modalities: list[str] = msgspec.field(default_factory=lambda: ["text"])
    modality: str | None = None
    supported_parameters: list[str] = []
    price: PriceRow = msgspec.field(default_factory=PriceRow)
    listed_prices: dict[str, str] = {}
    aliases: list[str] = []
    agent: bool = False
    canonical_slug: str | None = None
    hugging_face_id: str | None = None
    tokenizer: str | None = None
    instruct_type: str | None = None
    dimensions: list[int] = []
    max_dimension: int | None = None
    assumed: list[str] = []


class Mistake(Exception):
    """What is wrong with one field of one row."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(f"{field}: {what}")


ONE_OF: dict[str, dict[str, tuple[str, ...]]] = {
    "storefront": {
        "list_shape": ("openai", "tokenflux", "inference", "llmbase"),
        "error_style": ("openai", "conflux", "inference"),
        "billing": ("usd", "tier_credits", "token_credits"),
        "model_echo": ("requested", "upstream"),
    },
    "provider": {
        "lane": ("auto", "compat"),
        "auth": ("bearer", "x-api-key", "api-key", "x-goog-api-key", "service-account", "account", "none"),
    },
    "model": {
        "kind": ("chat", "embedding", "image", "audio", "rerank"),
        "lane": ("auto", "compat"),
        "effort": ("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    },
}

_PER_TOKEN = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "audio")
_PER_ITEM = ("image", "search", "request")


def check_words(table: str, row: Row) -> None:
    for field, allowed in ONE_OF.get(table, {}).items():
        value = getattr(row, field)
        if value is not None and value not in allowed:
            raise Mistake(field, f"{value!r} is not one of {', '.join(allowed)}")


def rate_of(row: RateRow) -> Rate:
    try:
        return Rate(currency=row.currency, nano_usd=parse_scaled(row.usd, 9), date=row.date)
    except MoneyError as error:
        raise Mistake("usd", str(error)) from None


def sheet_of(row: PriceRow, rates: dict[str, Rate]) -> PriceSheet:
    rate = USD if row.currency == "USD" else rates.get(row.currency)
    if rate is None:
        raise Mistake("price.currency", f"{row.currency!r} has no [[rate]]: add one with its date")
    if row.unit < 1:
        raise Mistake("price.unit", "must be at least 1")
    prices: dict[str, int] = {}
    for names, parse in ((_PER_TOKEN, pico_from_per_million), (_PER_ITEM, pico_from_per_item)):
        for name in names:
            value = getattr(row, name)
            if value is None:
                continue
            try:
                prices[name] = parse(value)
            except MoneyError as error:
                raise Mistake(f"price.{name}", str(error)) from None
    return PriceSheet(version=row.version, rate=rate, **prices)


def storefront_of(row: StorefrontRow) -> Storefront:
    check_words("storefront", row)
    if not row.mount.startswith("/") or (row.mount != "/" and row.mount.endswith("/")):
        raise Mistake("mount", f"{row.mount!r}: write it as / or /name")
    try:
        if parse_scaled(row.margin, 12) <= 0:
            raise Mistake("margin", "must be above 0")
    except MoneyError as error:
        raise Mistake("margin", str(error)) from None
    for name in ("test_prefixes", "agent_prefixes"):
        stray = set(getattr(row, name)) - set(row.key_prefixes)
        if stray:
            raise Mistake(name, f"{', '.join(sorted(stray))} is not among key_prefixes")
    fields = msgspec.structs.asdict(row)
    for name in ("hosts", "key_prefixes", "test_prefixes", "agent_prefixes", "allowed_origins"):
        fields[name] = tuple(fields[name])
    return Storefront(**fields)


def provider_of(row: ProviderRow, *, configured: bool) -> Provider:
    check_words("provider", row)
    named = [row.dialect] if isinstance(row.dialect, str) else row.dialect or []
    dialects = tuple(dict.fromkeys((*named, *row.dialects)))
    if not dialects:
        raise Mistake("dialect", "say which dialect it speaks, for example openai-chat")
    if not row.base_url.startswith(("http://", "https://", "unix:/")):
        raise Mistake("base_url", f"{row.base_url!r}: write http://, https:// or unix:/path")
    credentials = ((row.credential,) if row.credential is not None else ()) + tuple(row.credentials)
    for one in credentials:
        if not one.startswith(("env:", "file:")):
            raise Mistake("credential", "write env:NAME or file:PATH: a secret itself does not belong in this file")
    for name in ("connect_timeout", "first_byte_timeout", "idle_timeout", "total_timeout"):
        if getattr(row, name) <= 0:
            raise Mistake(name, "must be above 0 seconds")
    fields = msgspec.structs.asdict(row)
    for name in ("dialect", "credential"):
        del fields[name]
    return Provider(**{**fields, "dialects": dialects, "credentials": credentials, "configured": configured})


def pool_of(row: PoolRow, rates: dict[str, Rate]) -> Pool:
    targets = []
    for place, one in enumerate(row.target):
        if one.weight < 1:
            raise Mistake(f"target[{place}].weight", "must be at least 1")
        cost = sheet_of(one.cost, rates) if one.cost is not None else None
        targets.append(Target(provider=one.provider, model=one.model, variant=one.variant, weight=one.weight,
                              effort=one.effort, cost=cost))  # fmt: skip
    return Pool(id=row.id, targets=tuple(targets))


def model_of(row: ModelRow, rates: dict[str, Rate], storefront: Storefront) -> Model:
    check_words("model", row)
    for name in ("context", "safe_context", "max_output", "max_dimension"):
        value = getattr(row, name)
        if value is not None and value < 1:
            raise Mistake(name, f"{value} is not a number of tokens")
    if row.context is not None and row.safe_context is not None and row.safe_context > row.context:
        raise Mistake("safe_context", f"{row.safe_context} is more than the context of {row.context}")
    safe = row.safe_context
    if safe is None and row.context is not None:
        safe = row.context * SAFE_SHARE[0] // SAFE_SHARE[1]
    capabilities = frozenset(row.capabilities)
    modalities = row.input_modalities
    if modalities is None:
        modalities = ["text", *(["image"] if Capability.VISION in capabilities else []),
                      *(["file"] if Capability.FILES in capabilities else [])]  # fmt: skip
    fields = msgspec.structs.asdict(row)
    fields.update(
        name=row.name or row.id,
        safe_context=safe,
        capabilities=capabilities,
        strict=storefront.strict_capabilities,
        input_modalities=tuple(modalities),
        price=sheet_of(row.price, rates),
        unit=row.price.unit,
        assumed=frozenset(row.assumed),
    )
    for name in ("output_modalities", "supported_parameters", "aliases", "dimensions"):
        fields[name] = tuple(fields[name])
    return Model(**fields)
