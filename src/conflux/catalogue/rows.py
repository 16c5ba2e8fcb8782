"""The catalogue's data as it is written: one Struct per table, and each row's way into a record.

Law: unknown keys and wrong types are mistakes. Figures are exact: prices are decimal strings, never numbers.
Every `*_of` tells all mistakes of its row and answers all the same: a loader that was told of one throws it away.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from conflux.catalogue.listings import SHAPES
from conflux.catalogue.listings.choose import LISTS
from conflux.catalogue.quirks import check_quirks
from conflux.catalogue.recipes import Wrong, check_seat, recipe_of
from conflux.neutral.money import (
    PER_ITEM,
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
    version: str | None = None  # None: told from its content
    effective_at: str = ""  # since when, for the receipt


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
    fallback: bool = False
    margin: str = "1"
    usage_cost: bool = True
    prefer: str = "balanced"
    default_max_output: int | None = None
    default_temperature: float | None = None
    allowed_origins: list[str] = []
    root_paths: list[str] = []
    keyed_paths: list[str] = []
    enabled: bool = True  # false: this face and its models are left out


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
    variables: dict[str, str] = {}
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
    hedge: bool = False
    target: list[TargetRow] = []


class ModelRow(Row):
    storefront: str
    id: str
    pool: str | None = None  # only a panel has none
    name: str | None = None
    kind: str = "chat"
    provider_label: str = ""
    owned_by: str = ""
    description: str = ""
    created: int = 0
    role: FluxRole | None = None
    flux: dict[str, Any] | None = None  # a panel's recipe, in the words of a request's `flux`
    tier: Tier | None = None
    quality: float | None = None
    quality_source: str = ""
    lane: str = "auto"
    enabled: bool = True
    account: bool = False
    effort: str | None = None
    context: int | None = None
    safe_context: int | None = None
    max_output: int | None = None
    capabilities: list[Capability] | None = None  # not said: nobody states any
    input_modalities: list[str] | None = None
    output_modalities: list[str] = msgspec.field(default_factory=lambda: ["text"])
    modality: str | None = None
    supported_parameters: list[str] = []
    price: PriceRow = msgspec.field(default_factory=PriceRow)
    listed_prices: dict[str, str] = {}
    aliases: list[str] = []
    agent: bool | None = None  # not said: every chat model with tools is
    canonical_slug: str | None = None
    hugging_face_id: str | None = None
    tokenizer: str | None = None
    instruct_type: str | None = None
    dimensions: list[int] = []
    max_dimension: int | None = None
    assumed: list[str] = []


ONE_OF: dict[str, dict[str, tuple[str, ...]]] = {
    "storefront": {
        "list_shape": tuple(SHAPES),
        "error_style": ("openai", "conflux", "inference"),
        "billing": ("usd", "tier_credits", "token_credits"),
        "model_echo": ("requested", "upstream"),
        "prefer": ("cost", "balanced", "speed", "quality"),
    },
    "provider": {
        "lane": ("auto", "compat"),
        "auth": ("bearer", "x-api-key", "api-key", "x-goog-api-key", "basic", "service-account", "account", "none"),
    },
    "model": {
        "kind": ("chat", "embedding", "image", "audio", "rerank"),
        "lane": ("auto", "compat"),
        "effort": ("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    },
}

_PER_TOKEN = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "audio")
_PATHS = ("root_paths", "keyed_paths")
_NAME_LIMIT = 200
_MOUNT = re.compile(r"^/(?:[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*)?$", re.ASCII)
_PREFIX = re.compile(r"^[A-Za-z0-9_-]{2,40}$", re.ASCII)
_HEADER = re.compile(r"^[a-z0-9]+(?:-[a-z0-9]+)*$", re.ASCII)
_HOST = re.compile(r"^[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?$", re.ASCII)
_ORIGIN = re.compile(r"^(?:\*|https?://[^/\s]+)$", re.ASCII)
_CREDENTIAL = re.compile(r"^(?:env:[A-Za-z_][A-Za-z0-9_]*|file:\S.*)$", re.ASCII)
_NO_PATH = re.compile(r"[?#%\\]|(?:^|/)\.{0,2}(?:/|$)")
_FIGURE_MOST = 1 << 40  # of tokens
_WEIGHT_MOST = 1_000_000
_MARGIN_MOST = 1000
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$", re.ASCII)
# The first steps of paths that the root answers itself.
_TAKEN_MOUNTS = frozenset({"v1", "v1beta", "api", "models", "chat", "code", "health", "metrics", "admin"})


def check_words(table: str, row: Row, wrong: Wrong) -> None:
    for field, allowed in ONE_OF.get(table, {}).items():
        value = getattr(row, field)
        if value is not None and value not in allowed:
            wrong(field, f"{value!r} is not one of {', '.join(allowed)}")


def check_name(field: str, name: str, wrong: Wrong) -> None:
    """Ids and aliases travel in URLs, headers and logs."""
    if not name or len(name) > _NAME_LIMIT or not name.isascii() or not name.isprintable() or " " in name:
        wrong(field, f"{name[:40]!r}: use 1 to {_NAME_LIMIT} printable ASCII characters without spaces")
    elif _NO_PATH.search(name):
        wrong(field, f"{name[:40]!r}: a URL would not hold it: leave out ? # % \\ and parts that are empty, . or ..")


def check_text(field: str, text: str, wrong: Wrong) -> None:
    """What people read, in a line."""
    if not text.strip() or len(text) > _NAME_LIMIT or not text.isprintable():
        wrong(field, f"{text[:40]!r}: use 1 to {_NAME_LIMIT} printable characters")


def rate_of(row: RateRow, wrong: Wrong) -> Rate:
    nano = 0
    try:
        nano = parse_scaled(row.usd, 9)
        if nano == 0:
            wrong("usd", "must be above 0")
    except MoneyError as error:
        wrong("usd", str(error))
    if row.currency == "USD":
        wrong("currency", "USD is the ledger's own currency and has no rate")
    if day_of(row.date) is None:
        wrong("date", f"{row.date!r} is not a date such as 2026-11-01")
    return Rate(currency=row.currency, nano_usd=nano, date=row.date)


def day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.match(text) else None
    except ValueError:  # the 30th of February
        return None


def sheet_of(row: PriceRow, rates: Mapping[str, Rate], path: str, wrong: Wrong) -> PriceSheet:
    rate = USD if row.currency == "USD" else rates.get(row.currency)
    if rate is None:
        wrong(f"{path}.currency", f"{row.currency!r} has no [[rate]]: add one with its date")
        rate = USD
    if row.unit < 1:
        wrong(f"{path}.unit", "must be at least 1")
    if row.version == "":
        wrong(f"{path}.version", "must not be empty")
    if row.effective_at and day_of(row.effective_at) is None:
        wrong(f"{path}.effective_at", f"{row.effective_at!r} is not a date such as 2026-11-01")
    prices: dict[str, int] = {}
    for names, parse in ((_PER_TOKEN, pico_from_per_million), (PER_ITEM, pico_from_per_item)):
        for name in names:
            value = getattr(row, name)
            if value is None:
                continue
            try:
                prices[name] = parse(value)
            except MoneyError as error:
                wrong(f"{path}.{name}", str(error))
    version = row.version if row.version is not None else _content_version(row.currency, prices)
    return PriceSheet(version=version, effective_at=row.effective_at, rate=rate, **prices)


def _content_version(currency: str, prices: Mapping[str, int]) -> str:
    """Another price is another version, also where nobody counts them."""
    content = repr((currency, sorted(prices.items())))
    return hashlib.blake2b(content.encode(), digest_size=4).hexdigest()


def storefront_of(row: StorefrontRow, wrong: Wrong) -> Storefront:
    check_words("storefront", row, wrong)
    check_text("name", row.name, wrong)
    if not _MOUNT.match(row.mount):
        wrong("mount", f"{row.mount!r}: write it as / or /name")
    elif row.mount.split("/")[1] in _TAKEN_MOUNTS:
        wrong("mount", f"{row.mount!r} hides a path of the root: choose another")
    _check_storefront_figures(row, wrong)
    for prefix in row.key_prefixes:
        if not _PREFIX.match(prefix):
            wrong("key_prefixes", f"{prefix!r}: use 2 to 40 letters, digits, _ or -")
    for name in ("test_prefixes", "agent_prefixes"):
        stray = set(getattr(row, name)) - set(row.key_prefixes)
        if stray:
            wrong("key_prefixes", f"{', '.join(sorted(stray))} of {name} is not among them")
    if not _HEADER.match(row.header_prefix):
        wrong("header_prefix", f"{row.header_prefix!r}: use lower-case letters, digits and -")
    _check_names(row, wrong)
    for name in _PATHS:
        for path in getattr(row, name):
            if path not in LISTS:
                wrong(name, f"{path!r} is no list; there are {', '.join(LISTS)}")
    fields = msgspec.structs.asdict(row)
    del fields["enabled"]
    for name in ("hosts", "key_prefixes", "test_prefixes", "agent_prefixes", "allowed_origins", *_PATHS):
        fields[name] = tuple(fields[name])
    return Storefront(**fields)


def _check_names(row: StorefrontRow, wrong: Wrong) -> None:
    for host in row.hosts:
        if not _HOST.match(host):
            wrong("hosts", f"{host!r}: write a name such as api.example.com, in lower case and without a port")
    for origin in row.allowed_origins:
        if not _ORIGIN.match(origin):
            wrong("allowed_origins", f'{origin!r}: write "*" or an origin such as https://app.example.com')


def _check_storefront_figures(row: StorefrontRow, wrong: Wrong) -> None:
    try:
        margin = parse_scaled(row.margin, 12)
        if margin == 0:
            wrong("margin", "must be above 0")
        if margin > _MARGIN_MOST * 10**12:
            wrong("margin", f"must be at most {_MARGIN_MOST}")
    except MoneyError as error:
        wrong("margin", str(error))
    if row.default_max_output is not None and row.default_max_output < 1:
        wrong("default_max_output", f"{row.default_max_output} is not a number of tokens")
    if row.default_temperature is not None and not 0 <= row.default_temperature <= 2:
        wrong("default_temperature", f"{row.default_temperature} is not between 0 and 2")


def provider_of(row: ProviderRow, wrong: Wrong, *, rates: Mapping[str, Rate], configured: bool) -> Provider:
    check_words("provider", row, wrong)
    named = [row.dialect] if isinstance(row.dialect, str) else row.dialect or []
    dialects = tuple(dict.fromkeys((*named, *row.dialects)))
    if not dialects:
        wrong("dialect", "missing: say which dialect it speaks, for example openai-chat")
    if not row.base_url.startswith(("http://", "https://", "unix:/")) or any(one.isspace() for one in row.base_url):
        wrong("base_url", f"{row.base_url!r}: write http://, https:// or unix:/path")
    credentials = ((row.credential,) if row.credential is not None else ()) + tuple(row.credentials)
    for one in credentials:
        if not _CREDENTIAL.match(one):
            wrong("credential", "write env:NAME or file:PATH: a secret itself does not belong in this file")
    if row.currency != "USD" and row.currency not in rates:
        wrong("currency", f"{row.currency!r} has no [[rate]]: add one with its date")
    for name, value in row.headers.items():
        if not _HEADER.match(name.lower()) or not value.isascii() or not value.isprintable():
            wrong(f"headers.{name}", "a header is a plain name and printable ASCII text")
    for name in ("connect_timeout", "first_byte_timeout", "idle_timeout", "total_timeout"):
        if not 0 < getattr(row, name) < float("inf"):
            wrong(name, "must be above 0 seconds")
    check_quirks(row.quirks, wrong)
    fields = msgspec.structs.asdict(row)
    for name in ("dialect", "credential"):
        del fields[name]
    return Provider(**{**fields, "dialects": dialects, "credentials": credentials, "configured": configured})


def pool_of(row: PoolRow, wrong: Wrong, *, rates: Mapping[str, Rate]) -> Pool:
    if not row.target:
        wrong("target", "missing: write at least one [[pool.target]]; to switch a model off, set its enabled = false")
    targets: list[Target] = []
    for number, one in enumerate(row.target):
        path = f"target[{number}]"
        if one.weight < 1:
            wrong(f"{path}.weight", "must be at least 1")
        if one.weight > _WEIGHT_MOST:
            wrong(f"{path}.weight", f"must be at most {_WEIGHT_MOST}")
        if not one.model:
            wrong(f"{path}.model", "must not be empty: it is the name the provider knows")
        if one.effort is not None and one.effort not in ONE_OF["model"]["effort"]:
            wrong(f"{path}.effort", f"{one.effort!r} is not one of {', '.join(ONE_OF['model']['effort'])}")
        cost = sheet_of(one.cost, rates, f"{path}.cost", wrong) if one.cost is not None else None
        target = Target(provider=one.provider, model=one.model, variant=one.variant, weight=one.weight,
                        effort=one.effort, cost=cost)  # fmt: skip
        if any(target.key == other.key for other in targets):
            wrong(path, f"{target.key} is written twice: give one of them a higher weight, or another variant")
        targets.append(target)
    return Pool(id=row.id, targets=tuple(targets), hedge=row.hedge)


def model_of(row: ModelRow, wrong: Wrong, *, rates: Mapping[str, Rate], strict: bool) -> Model:
    check_words("model", row, wrong)
    if row.name:  # else it is called by its id
        check_text("name", row.name, wrong)
    _check_model(row, wrong, strict=strict)
    _check_quality(row, wrong)
    check_seat(row.role, row.pool, row.flux, wrong)
    safe = row.safe_context
    if safe is None and row.context is not None:
        safe = row.context * SAFE_SHARE[0] // SAFE_SHARE[1]
    capabilities = frozenset(row.capabilities or ())
    modalities = row.input_modalities
    if modalities is None:
        modalities = ["text", *(["image"] if Capability.VISION in capabilities else []),
                      *(["file"] if Capability.FILES in capabilities else [])]  # fmt: skip
    fields = msgspec.structs.asdict(row)
    fields.update(
        name=row.name or row.id,
        safe_context=safe,
        capabilities=capabilities,
        strict=strict,
        input_modalities=tuple(modalities),
        price=sheet_of(row.price, rates, "price", wrong),
        unit=row.price.unit,
        assumed=frozenset(row.assumed if row.capabilities is not None else (*row.assumed, "capabilities")),
        pool=row.pool or "",
        role=row.role if row.flux is None else FluxRole.FLUX,
        flux=recipe_of(row.flux, wrong),
        max_dimension=row.max_dimension or max(row.dimensions, default=None),
        agent=row.kind == "chat" and Capability.TOOLS in capabilities if row.agent is None else row.agent,
    )
    for name in ("output_modalities", "supported_parameters", "aliases", "dimensions"):
        fields[name] = tuple(fields[name])
    return Model(**fields)


def _check_quality(row: ModelRow, wrong: Wrong) -> None:
    if row.quality is not None and not 0 <= row.quality <= 1:
        wrong("quality", f"{row.quality} is not between 0 and 1")
    if row.quality is not None and not row.quality_source:
        wrong("quality_source", "missing: say whose figure the quality is")


def _check_model(row: ModelRow, wrong: Wrong, *, strict: bool) -> None:
    check_name("id", row.id, wrong)
    for alias in row.aliases:
        check_name("aliases", alias, wrong)
    for name in ("context", "safe_context", "max_output", "max_dimension"):
        value = getattr(row, name)
        if value is not None and not 1 <= value <= _FIGURE_MOST:
            wrong(name, f"{value} is not a number of {'dimensions' if name == 'max_dimension' else 'tokens'}")
    for name in ("safe_context", "max_output"):
        value = getattr(row, name)
        if row.context is not None and value is not None and value > row.context:
            wrong(name, f"{value} is more than the context of {row.context}")
    if row.created < 0:
        wrong("created", f"{row.created} is not a Unix time; write 0 where it is not known")
    if row.dimensions and row.kind != "embedding":
        wrong("dimensions", f"only an embedding model has dimensions, and this one's kind is {row.kind!r}")
    if any(one < 1 for one in row.dimensions):
        wrong("dimensions", "each must be at least 1")
    elif row.max_dimension is not None and row.dimensions and row.max_dimension != max(row.dimensions):
        wrong("max_dimension", f"{row.max_dimension} is not the largest of dimensions, {max(row.dimensions)}")
    if row.effort is not None and strict and Capability.REASONING not in (row.capabilities or ()):
        wrong("effort", 'this storefront is strict: an entry with an effort must have "reasoning" in capabilities')
    if row.agent and (row.kind != "chat" or Capability.TOOLS not in (row.capabilities or ())):
        wrong("agent", 'only a chat model with "tools" in capabilities can be on the agent list')
    for name in row.assumed:
        if not _names_figure(name):
            wrong("assumed", f"{name!r} is no field of a model")


def _names_figure(name: str) -> bool:
    """A field of a model, or one part of its price or capabilities: price.cache_read, capabilities.tools."""
    field, dot, part = name.partition(".")
    if not dot:
        return field in ModelRow.__struct_fields__
    if field == "price":
        return part in PriceRow.__struct_fields__
    return field == "capabilities" and part in set(Capability)
