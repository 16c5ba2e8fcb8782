"""What a workspace, a user or a key may do: the words of a stored policy.

Law: frozen, complete, already validated. A policy only ever narrows; the one thing it grants is an entitlement to
models that need a connected account. No field set means: as if there were no policy.
"""

import msgspec

KINDS = ("workspace", "user", "key")  # widest first: the order in which they are asked
CLIENTS = ("claude-code", "codex")
ANY_CLIENT = "any"
ACTIONS = ("allow", "deny", "substitute")


class Override(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """For requests of a known coding agent: what to do about some models. The first that matches decides."""

    client: str = ANY_CLIENT  # claude-code | codex | any
    models: tuple[str, ...]  # ids, aliases, or patterns with *
    action: str  # allow | deny | substitute
    to: str | None = None  # what is served instead


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The content of a policy, as it is stored."""

    allow: tuple[str, ...] | None = None  # only these; None: all
    deny: tuple[str, ...] = ()
    entitle: tuple[str, ...] = ()  # models with a connected account that may be used all the same
    overrides: tuple[Override, ...] = ()
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent: int | None = None

    @property
    def limited(self) -> bool:
        return not (self.requests_per_minute is self.tokens_per_minute is self.concurrent is None)


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Terms, and whose they are."""

    kind: str  # workspace | user | key
    owner_id: int
    terms: Terms
