"""The catalogue's and the callers' records: who may call what, and what is really called.

Law: frozen, complete, already validated. A snapshot is built once from data and swapped whole; nothing here is
ever changed in place, so any floor may hold a reference as long as it likes.
"""

from enum import StrEnum
from hashlib import blake2b
from typing import Any

import msgspec

from conflux.neutral.flux import FluxTerms
from conflux.neutral.money import PriceSheet
from conflux.neutral.plans import Subscription
from conflux.neutral.policies import Policy


class FluxRole(StrEnum):
    SOURCE = "SOURCE"
    FUSE = "FUSE"
    BOTH = "BOTH"
    FLUX = "FLUX"  # a panel of others: it can neither draft nor fuse


class Tier(StrEnum):
    CORE = "core"
    PRO = "pro"
    ULTRA = "ultra"


class Capability(StrEnum):
    """What a model can do. Seed 1's tags and seed 5's features in one vocabulary."""

    TEXT = "text"
    TOOLS = "tools"
    VISION = "vision"
    FILES = "files"
    AUDIO = "audio"
    WEB_SEARCH = "web_search"
    COMPLETIONS = "completions"
    JSON_MODE = "json_mode"
    STRUCTURED_OUTPUTS = "structured_outputs"
    REASONING = "reasoning"
    LOGPROBS = "logprobs"
    IMAGE_OUTPUT = "image_output"


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One row of one storefront's catalogue."""

    storefront: str
    id: str
    name: str
    pool: str
    kind: str = "chat"  # chat | embedding | image | ...
    provider_label: str = ""
    owned_by: str = ""
    description: str = ""
    created: int = 0
    role: FluxRole | None = None
    flux: FluxTerms | None = None  # of a panel: its recipe
    tier: Tier | None = None
    quality: float | None = None  # from 0 to 1, of all tasks; None: what its tier promises for each
    quality_source: str = ""  # whose figure that is, or why there is none
    lane: str = "auto"  # auto | compat: for the Conflux compat tag and limitation
    buffered: bool = False  # some target of its pool travels the compat lane
    enabled: bool = True
    account: bool = False  # needs a connected account and an entitlement
    effort: str | None = None  # the reasoning effort this id fixes
    context: int | None = None
    safe_context: int | None = None  # as advertised and enforced; None is not gated
    max_output: int | None = None
    capabilities: frozenset[Capability] = frozenset()
    strict: bool = False  # an unadvertised capability is refused (seed 5's storefront)
    input_modalities: tuple[str, ...] = ("text",)
    output_modalities: tuple[str, ...] = ("text",)
    modality: str | None = None  # as documented; None: made from the two above
    supported_parameters: tuple[str, ...] = ()  # empty: not published, gates nothing
    price: PriceSheet = PriceSheet()
    unit: int = 1  # the token quantum a listing shows its prices per
    listed_prices: dict[str, str] = {}  # what a listing states beside the sheet
    aliases: tuple[str, ...] = ()
    agent: bool = False  # on seed 5's agent list
    canonical_slug: str | None = None
    hugging_face_id: str | None = None
    tokenizer: str | None = None
    instruct_type: str | None = None
    dimensions: tuple[int, ...] = ()
    max_dimension: int | None = None
    assumed: frozenset[str] = frozenset()  # fields the seed does not give


class Storefront(msgspec.Struct, frozen=True, kw_only=True):
    """A public face. Data, not code."""

    id: str
    name: str
    mount: str  # "/" or "/tokenflux"
    hosts: tuple[str, ...] = ()
    key_prefixes: tuple[str, ...] = ()
    test_prefixes: tuple[str, ...] = ()  # keys that run on the simulator only
    agent_prefixes: tuple[str, ...] = ()  # keys billed to a subscription plan, agent list only
    list_shape: str = "openai"
    error_style: str = "openai"
    billing: str = "usd"  # usd | tier_credits | token_credits
    header_prefix: str = "conflux"
    model_echo: str = "requested"  # requested | upstream
    strict_capabilities: bool = False
    fallback: bool = False  # a model that does not answer may be stood in for by another
    margin: str = "1"  # exact decimal, on cost
    prefer: str = "balanced"  # how a model is chosen for a task: cost | balanced | speed | quality
    usage_cost: bool = True  # answers say in their usage what they cost
    default_max_output: int | None = None
    default_temperature: float | None = None
    allowed_origins: tuple[str, ...] = ()  # CORS; "*" for any
    root_paths: tuple[str, ...] = ()  # lists at the root that are this storefront's where no key says otherwise
    keyed_paths: tuple[str, ...] = ()  # lists that nobody sees without a key


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """Who is called. Never shown to end users."""

    id: str
    base_url: str
    dialects: tuple[str, ...]
    label: str = ""
    lane: str = "auto"  # auto: passthrough where dialects match | compat
    auth: str = "bearer"  # bearer | x-api-key | api-key | x-goog-api-key | service-account | account | none
    credentials: tuple[str, ...] = ()  # env:NAME or file:PATH, chosen by health
    variables: dict[str, str] = {}  # what {name} in base_url stands for: a text, or env:NAME
    headers: dict[str, str] = {}
    currency: str = "USD"
    proxy: str | None = None
    quirks: dict[str, Any] = {}
    simulated: bool = False
    configured: bool = False  # the owner's own row: live even without a credential
    drain: bool = False  # on client disconnect read to the end instead of cancelling
    connect_timeout: float = 5.0
    first_byte_timeout: float = 60.0
    idle_timeout: float = 120.0
    total_timeout: float = 900.0


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What is really called: a provider's model, with its variant, weight and cost."""

    provider: str
    model: str
    variant: str = "cloud"
    weight: int = 1
    effort: str | None = None
    cost: PriceSheet | None = None  # what the house pays; None: not known

    @property
    def key(self) -> str:
        return f"{self.provider}/{self.model}/{self.variant}"


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    targets: tuple[Target, ...] = ()
    hedge: bool = False  # ask another target too where an answer is late


class Scope(msgspec.Struct, frozen=True):
    """One budget a request counts against: `kind` key|user|workspace|storefront, its window and its cap."""

    kind: str
    id: int
    window: str = "total"  # total | day | week | month
    cap: int | None = None  # nano-USD; None: counted, not capped


NOBODY = 0  # the key of whoever asks for the house


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A key as the request path sees it."""

    key_id: int
    name: str
    storefront: str
    workspace_id: int
    workspace: str
    user_id: int
    user: str
    admin: bool = False
    test: bool = False
    agent: bool = False
    models: frozenset[str] | None = None  # None: all the storefront's
    expires_at: int | None = None
    revoked: bool = False
    closed: str | None = None  # workspace | user: what of it is switched off
    role: str = "member"  # owner | admin | member, in the workspace
    policies: tuple[Policy, ...] = ()  # those in force: the workspace's, the user's, the key's
    scopes: tuple[Scope, ...] = ()
    subscription: Subscription | None = None  # of an agent's key: who pays
    session: int | None = None  # signed in to the web, and this is the session
    # Made from the above, so that the request path compares instead of walking.
    narrowing: str = ""  # the same for callers who may run the same
    limited: bool = False  # some policy limits the rate
    overridden: bool = False  # some policy treats coding agents apart

    def __post_init__(self) -> None:
        terms = [(one.kind, one.terms.allow, one.terms.deny, one.terms.entitle, one.terms.overrides)
                 for one in self.policies]  # fmt: skip
        models = sorted(self.models) if self.models is not None else None
        said = msgspec.json.encode((self.storefront, self.admin, self.test, self.agent, models, terms))
        put = msgspec.structs.force_setattr
        put(self, "narrowing", blake2b(said, digest_size=16).hexdigest())
        put(self, "limited", any(one.terms.limited for one in self.policies))
        put(self, "overridden", any(one.terms.overrides for one in self.policies))


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller said of an answer."""

    request_id: int
    key_id: int
    storefront: str
    model: str
    task: str  # "" where the request named its model
    simulated: bool
    score: int  # millionths, from -1 to 1
    comment: str = ""
