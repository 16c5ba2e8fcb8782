"""Every table, once, for SQLite and PostgreSQL.

Law: 64-bit integers, no float anywhere. What is open lies in `hold`, what has ended in `request`: a request moves from
one to the other in the transaction that settles it, so its primary key is the proof that it ended once. `entry` and
`posting` only grow. `budget_window` is a projection of all of these and can be rebuilt. Migrations build the tables; a
test holds them to this file.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint
from sqlalchemy.schema import SchemaItem

from conflux.neutral.usage import BUCKETS
from conflux.stores.columns import Long
from conflux.stores.columns import id_ as _id
from conflux.stores.columns import long as _long
from conflux.stores.columns import maybe_long as _maybe_long
from conflux.stores.columns import maybe_text as _maybe_text
from conflux.stores.columns import metadata as metadata
from conflux.stores.columns import table as _table
from conflux.stores.columns import text as _text

meta = _table(
    "meta",
    _id(),
    _text("instance"),
    _long("created"),
    _long("owner_epoch"),  # grows with each process that opens the store; holds of older ones are orphans
    _long("probes"),  # written to see whether writing works
    CheckConstraint("id = 1", name="one_row"),
)

account = _table("account", _id(), _text("name"), UniqueConstraint("name"))

workspace = _table("workspace", _id(), _text("name"), _long("created"), UniqueConstraint("name"))

app_user = _table(
    "app_user",
    _id(),
    Column("workspace_id", Long, ForeignKey("workspace.id"), nullable=False),
    _text("name"),
    _long("created"),
    UniqueConstraint("workspace_id", "name"),
)

api_key = _table(
    "api_key",
    _id(),
    Column("digest", LargeBinary, nullable=False),  # HMAC-SHA-256 with the pepper
    _text("prefix"),
    _text("last4"),
    _text("name"),
    _text("storefront"),
    Column("workspace_id", Long, ForeignKey("workspace.id"), nullable=False),
    Column("user_id", Long, ForeignKey("app_user.id"), nullable=False),
    _maybe_text("models"),  # JSON array; null: all the storefront's
    _long("admin"),
    _long("test"),
    _long("agent"),
    _long("created"),  # unix seconds, as the two below
    _maybe_long("expires_at"),
    _maybe_long("revoked_at"),
    UniqueConstraint("digest"),
)

# Names of storefronts that have a budget: scopes are counted by number.
storefront = _table("storefront", _id(), _text("name"), UniqueConstraint("name"))

budget = _table(
    "budget",
    _id(),
    _text("kind"),
    _long("scope_id"),
    _text("period"),  # total | day | week | month
    _maybe_long("cap"),  # nano-USD; null: counted, not capped
    _long("created"),
    _maybe_long("lowered_at"),  # when an admin set the cap below what was spent: excuses the windows of that moment
    UniqueConstraint("kind", "scope_id", "period"),
    CheckConstraint("cap >= 0", name="cap"),
)

budget_window = _table(
    "budget_window",
    _long("budget_id", primary_key=True),
    _long("start", primary_key=True),  # unix milliseconds; 0 for a total
    _long("posted"),
    _long("held"),
    CheckConstraint("posted >= 0", name="posted"),
    CheckConstraint("held >= 0", name="held"),
    keyed=True,
)

# The facts of a request, the same in `hold` and `request`.
_FACTS = ("created", "key_id", "user_id", "workspace_id")


def _facts() -> list[SchemaItem]:
    return [*(_long(name) for name in _FACTS), _text("storefront"), _text("requested_model"), _long("simulated")]


hold = _table(
    "hold",
    Column("request_id", Long, primary_key=True, autoincrement=False),
    *_facts(),
    *map(_long, ("amount", "input_floor", "started", "checkpoint")),
    _maybe_text("usage"),  # at the checkpoint; JSON array of the buckets
    _long("owner_epoch"),
    _long("lease_until"),
    _maybe_text("tags"),  # JSON, the caller's own
    CheckConstraint("amount >= 0", name="amount"),
)

request = _table(
    "request",
    Column("id", Long, primary_key=True, autoincrement=False),  # grows with time, so the tree only appends
    *_facts(),
    _long("ended"),
    _text("ending"),
    _long("started"),
    _maybe_text("served_model"),
    _long("held"),
    _long("cost"),  # the receipt's; of a simulated request nothing of it is posted
    *map(_long, ("variance", "provider_cost", "credits", *BUCKETS)),
    _text("provenance"),
    _text("price_version"),
    _long("status"),
    _long("latency_ms"),
    _maybe_long("first_byte_ms"),
    _text("detail"),  # JSON: lines, calls, dropped, tags
    CheckConstraint("cost >= 0", name="cost"),
)

attempt = _table(
    "attempt",
    _long("request_id", primary_key=True),
    _long("n", primary_key=True),
    _maybe_text("target"),
    _maybe_long("provider_cost"),
    _maybe_text("upstream_id"),
    keyed=True,
)

# Processes on one PostgreSQL. Whose row stands still for a lease's time is dead, and its holds are anybody's; see
# postgres_pulse.py.
owner = _table(
    "owner",
    Column("epoch", Long, primary_key=True, autoincrement=False),  # meta.owner_epoch of its time
    _long("beat"),  # grows as long as the process lives
    _long("batch"),  # the last batch it committed
    _long("gone"),  # 1: it has gone of itself
)

# What all processes on one PostgreSQL share.
common = _table(
    "common",
    Column("id", Long, primary_key=True, autoincrement=False),
    _long("changes"),  # grows with each job: whoever sees it grow reads again
    _maybe_text("pepper"),  # what must come out where the right pepper goes in
    CheckConstraint("id = 1", name="one_row"),
)

# Triggers of the first migration refuse every UPDATE and DELETE.
entry = _table(
    "entry",
    _long("tx", primary_key=True),
    _long("account", primary_key=True),
    _long("party", primary_key=True),  # a customer's key; 0 for the house
    _long("amount"),
    CheckConstraint("amount <> 0", name="amount"),
    keyed=True,
)

# The four entries of a usual settlement in one row: what the customer paid and what the provider is owed, each with its
# other side. The view `every_entry`, which a migration makes, shows them with the others. Guarded as they are.
posting = _table(
    "posting",
    Column("tx", Long, primary_key=True, autoincrement=False),
    *map(_long, ("party", "paid", "owed")),
    CheckConstraint("paid > 0", name="paid"),
    CheckConstraint("owed > 0", name="owed"),
)

# What was used: sums of receipts by the day on which they began.
_SUMMED = ("requests", "cost", "variance", "provider_cost", "credits", *BUCKETS)


def _usage(name: str, *more: SchemaItem) -> Table:
    return _table(
        name,
        _long("key_id", primary_key=True),
        _long("day", primary_key=True),  # since 1970-01-01, UTC
        *(Column(one, Text, primary_key=True) for one in ("storefront", "model", "served_model")),
        *(_long(one, primary_key=True) for one in ("simulated", "user_id", "workspace_id")),
        *more,
        *(_long(one) for one in _SUMMED),
        keyed=True,
    )


usage_day = _usage("usage_day")
# The same without whose they were: few rows a day however many keys there are, so long spans are read quickly.
usage_model = _table(
    "usage_model",
    _long("day", primary_key=True),
    *(Column(one, Text, primary_key=True) for one in ("storefront", "model", "served_model")),
    _long("simulated", primary_key=True),
    *(_long(one) for one in _SUMMED),
    keyed=True,
)
usage_due = _table("usage_due", Column("id", Long, primary_key=True, autoincrement=False))  # not in these two yet
# Those that carry tags of their caller, once for each set of tags.
usage_tag = _usage("usage_tag", Column("tags", Text, primary_key=True))

# A user without a row here is a member.
user_role = _table(
    "user_role",
    Column("user_id", Long, ForeignKey("app_user.id"), primary_key=True, autoincrement=False),
    _text("role"),  # owner | admin | member
)

# Workspaces and users that are switched off: their keys open nothing.
closed = _table(
    "closed",
    Column("kind", Text, primary_key=True),  # workspace | user
    _long("owner_id", primary_key=True),
    _long("since"),  # unix seconds
    keyed=True,
)

policy = _table(
    "policy",
    _id(),
    _text("kind"),  # workspace | user | key
    _long("owner_id"),
    _long("enabled"),
    _text("terms"),  # JSON, see neutral/policies.py
    _long("changed"),  # unix seconds
    UniqueConstraint("kind", "owner_id"),
)

# What an admin said of a model, over what the catalogue says.
model_status = _table(
    "model_status",
    Column("storefront", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    _long("enabled"),
    _long("changed"),  # unix seconds
    keyed=True,
)

# What its owner lets be kept of a key's responses, until `expires` (unix seconds, as `created`).
stored_response = _table(
    "stored_response",
    _long("key_id", primary_key=True),
    Column("id", Text, primary_key=True),
    _long("created"),
    _long("expires"),
    _text("input"),  # JSON: the items asked with
    _text("answer"),  # JSON: the response
    Index("ix_stored_response_expires", "expires"),
    keyed=True,
)

# Where an item of them is.
stored_item = _table(
    "stored_item",
    _long("key_id", primary_key=True),
    Column("id", Text, primary_key=True),
    _text("response_id"),
    Index("ix_stored_item_response", "key_id", "response_id"),
    keyed=True,
)

# What callers said of answers, once each; millionths from -1 to 1.
feedback = _table(
    "feedback",
    Column("request_id", Long, primary_key=True, autoincrement=False),
    _long("key_id"),
    _long("score"),
    _text("comment"),
    _long("created"),  # unix seconds, as the next
    _long("changed"),
)

# Its sums, by what they are about.
opinion = _table(
    "opinion",
    *(Column(one, Text, primary_key=True) for one in ("storefront", "model", "task")),
    _long("simulated", primary_key=True),
    _long("voices"),
    _long("score"),
    keyed=True,
)

catalogue_sighting = _table(
    "catalogue_sighting",
    Column("provider", Text, primary_key=True),
    Column("kind", Text, primary_key=True),  # list | file
    _long("tried"),  # unix seconds, as all times of the catalogue
    _maybe_long("good"),
    _text("outcome"),
    _text("detail"),
    _text("models"),  # JSON: the last good list
    _text("missing"),  # JSON: targets that are not listed any more, and since when
    keyed=True,
)

catalogue_change = _table(
    "catalogue_change",
    _id(),
    _text("target_table"),
    _text("target_key"),  # JSON array
    _text("field"),
    _text("fields"),  # JSON, as a row of a file
    _text("old"),
    _text("source"),
    _text("state"),  # open | accepted | rejected | obsolete
    _long("seen"),
    _maybe_long("decided"),  # and by whom, the last time; every time is in catalogue_decision
    _maybe_text("decided_by"),
    _maybe_long("effective_at"),
)

catalogue_decision = _table(
    "catalogue_decision",
    _id(),
    Column("change_id", Long, ForeignKey("catalogue_change.id"), nullable=False),
    _text("state"),
    _long("decided"),
    _text("decided_by"),
)

# Of users who sign in with one.
user_password = _table(
    "user_password",
    Column("user_id", Long, ForeignKey("app_user.id"), primary_key=True, autoincrement=False),
    _text("hash"),  # Argon2id, with its parameters and salt
    _long("changed"),  # unix seconds
)

# Who is signed in to the web. A session acts as a key: the admin's that it was opened with, or the user's own for it.
web_session = _table(
    "web_session",
    _id(),
    Column("digest", LargeBinary, nullable=False),  # as a key's
    Column("user_id", Long, ForeignKey("app_user.id"), nullable=False),
    Column("key_id", Long, ForeignKey("api_key.id"), nullable=False),
    _long("by_key"),  # 1: opened with that key
    _long("created"),  # unix seconds, as the two below
    _long("expires_at"),
    _maybe_long("revoked_at"),
    _text("agent"),  # the browser, as it calls itself
    UniqueConstraint("digest"),
    Index("ix_web_session_user_id", "user_id"),
)

# How often somebody failed to sign in, and until when nobody may try again, by account and by address.
sign_in_failure = _table(
    "sign_in_failure",
    Column("name", Text, primary_key=True),
    _long("count"),
    _long("until"),  # unix milliseconds, as below
    _long("changed"),
    keyed=True,
)

# What admins did. Triggers refuse every UPDATE and DELETE.
audit = _table(
    "audit",
    _id(),
    _long("at"),  # unix milliseconds
    _text("actor"),
    _maybe_text("workspace"),  # whose it is about; null: the house's
    _text("act"),
    _text("target"),
    _text("detail"),  # JSON, without secrets
    _text("outcome"),  # done | refused | failed
    Index("ix_audit_workspace", "workspace", "id"),
)

# Providers' credentials that were entered here, sealed with AES-256-GCM for their row.
provider_credential = _table(
    "provider_credential",
    _id(),
    _text("provider"),
    _text("label"),
    Column("sealed", LargeBinary, nullable=False),
    _text("last4"),
    _long("created"),  # unix seconds
    _text("created_by"),
)

# What users keep of their chats in the web, sealed as credentials are.
conversation = _table(
    "conversation",
    _id(),
    _long("user_id"),
    Column("name", LargeBinary, nullable=False),
    _long("created"),  # unix milliseconds, as below
    _long("changed"),
    _long("messages"),  # how many there were; the next one's number
    Index("ix_conversation_user_id", "user_id", "changed"),
)

message = _table(
    "message",
    _long("conversation_id", primary_key=True),
    _long("n", primary_key=True),
    _maybe_long("parent"),  # what it answers or follows; two with one parent are branches
    _long("created"),
    Column("body", LargeBinary, nullable=False),
    keyed=True,
)

# What was found out of targets by asking them.
probe = _table(
    "probe",
    Column("target", Text, primary_key=True),
    Column("capability", Text, primary_key=True),
    _text("evidence"),  # a JSON list
    _long("holds"),  # -1 not known, 0 no, 1 yes
    _long("found"),  # unix milliseconds
    _long("tried"),
    _long("cost"),  # nano-USD of the last try
    keyed=True,
)

# Credits as they were given to a workspace. `rest` is a projection of the grant's entries.
credit_grant = _table(
    "credit_grant",
    _id(),
    *map(_long, ("workspace_id", "amount", "rest", "created")),  # micro-credits; unix milliseconds, as the two below
    *map(_maybe_long, ("expires_at", "revoked_at")),
    _text("note"),
    CheckConstraint("rest >= 0", name="rest"),
    Index("ix_credit_grant_workspace_id", "workspace_id"),
)

# Who is subscribed to which plan of the catalogue. Those that ended stay, since `taken` refers to them.
subscription = _table(
    "subscription",
    _id(),
    _text("kind"),  # workspace | user | key
    _long("owner_id"),
    _text("plan"),
    _long("created"),  # unix milliseconds
    _maybe_long("ended_at"),
    Index("ix_subscription_owner_id", "kind", "owner_id"),
)

# What an open request holds besides money, and what an ended one took; of those that do, which are few.
claim = _table(
    "claim",
    Column("request_id", Long, primary_key=True, autoincrement=False),
    *map(_long, ("created", "workspace_id", "credits", "credit_mark")),  # micro-credits; at the checkpoint
    _maybe_long("subscription_id"),
    _long("tokens"),
    CheckConstraint("credits >= 0", name="credits"),
)

taken = _table(
    "taken",
    Column("request_id", Long, primary_key=True, autoincrement=False),
    *map(_long, ("created", "workspace_id", "credits")),
    _maybe_long("subscription_id"),  # null: of no plan
    _long("tokens"),
    Index("ix_taken_subscription_id", "subscription_id", "created"),
)

# Answers to requests that their clients named by an Idempotency-Key, sealed for their name, until `expires`.
kept_answer = _table(
    "kept_answer",
    Column("name", LargeBinary, primary_key=True),  # SHA-256 of whose key it is and what it says
    Column("body", LargeBinary, nullable=False),  # SHA-256 of what was asked
    _long("request_id"),  # whose hold says that it is under way
    _long("expires"),  # unix seconds
    Column("sealed", LargeBinary),  # null: there is no answer; empty: it was too large to be kept
    Index("ix_kept_answer_expires", "expires"),
)
