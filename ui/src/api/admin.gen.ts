// Written by `./run ui types` from the OpenAPI document of the admin API: change the endpoints, not this file.

export type About = {
  name: string;
  version: string;
  simulated: boolean;
  /** Whose models are at the root. */
  storefront: string;
};

export type AdminModel = {
  storefront: string;
  id: string;
  name: string;
  /** The label the catalogue shows. */
  provider: string;
  description: string;
  kind: string;
  /** enabled or disabled. */
  status: string;
  /** Needs a connected account. */
  account: boolean;
  /** Something would answer now. */
  live: boolean;
  role: string | null;
  tier: string | null;
  lane: string;
  context: number | null;
  context_text: string;
  safe_context: number | null;
  safe_context_text: string;
  max_output: number | null;
  /** Per million tokens, or for each image, search and request; null: not known. */
  prices: Record<string, string | null>;
  currency: string;
  price_version: string;
  capabilities: string[];
  /** The capabilities as the catalogue shows them. */
  tags: string[];
  input_modalities: string[];
  output_modalities: string[];
  supported_parameters: string[];
  effort: string | null;
  aliases: string[];
  agent: boolean;
  dimensions: number[];
  limitations: string[];
  /** What the source does not say, and we took. */
  assumed: string[];
  lately: Lately;
  pool: string;
  targets: string[];
  /** From 0 to 1; null: what its tier promises. */
  quality: number | null;
  quality_source: string;
  /** An admin has said something of it over the files. */
  changed: boolean;
};

export type AdminModels = {
  data: AdminModel[];
  next?: string | null;
};

export type AuditLog = {
  data: AuditRow[];
  next?: string | null;
};

export type AuditRow = {
  id: number;
  /** Unix milliseconds. */
  at: number;
  actor: string;
  workspace: string | null;
  act: string;
  target: string;
  detail: Record<string, unknown>;
  outcome: string;
};

export type Backup = {
  name: string;
  bytes: number;
  /** Unix seconds. */
  created: number;
};

export type Backups = {
  data: Backup[];
  next?: string | null;
};

export type Budget = {
  kind: string;
  owner: string;
  window: string;
  cap_usd: string;
  spent_usd: string;
  held_usd: string;
  /** What may still be asked for. */
  left_usd: string;
  /** When the window ends; null: a total never does. */
  resets_at: string | null;
};

export type Budgets = {
  data: Budget[];
  next?: string | null;
};

export type Change = {
  id: number;
  table: string;
  key: string[];
  field: string;
  new: Record<string, unknown>;
  old: Record<string, unknown>;
  source: string;
  /** open, accepted, rejected or obsolete. */
  state: string;
  seen: number;
  decided: number | null;
  decided_by: string | null;
  effective_at: number | null;
};

export type Changes = {
  data: Change[];
  next?: string | null;
};

export type Choosing = {
  storefront: string;
  by_task: Record<string, unknown>[];
  by_need: Record<string, string>[];
};

/** The merged configuration, by its sections; secrets are not in it. */
export type Configuration = Record<string, unknown>;

export type Conversation = {
  id: string;
  name: string;
  /** Unix milliseconds. */
  created: number;
  changed: number;
  messages: number;
};

export type ConversationList = {
  data: Conversation[];
  next?: string | null;
};

export type Credential = {
  id: string;
  provider: string;
  label: string;
  last4: string;
  created: number;
  created_by: string;
};

export type Credentials = {
  data: Credential[];
  next?: string | null;
};

export type CreditBalance = {
  workspace: string;
  /** Granted, not expired and not spent. */
  credits: string;
  /** Of them, held for requests under way. */
  held: string;
};

export type CreditBalances = {
  data: CreditBalance[];
  next?: string | null;
};

/** The changes that were decided, below the name of what was decided. */
export type Decided = Record<string, unknown>;

export type Decision = {
  ids?: number[];
  all?: boolean;
};

export type Deleted = {
  deleted: number;
};

/** It was done; nothing else is to be said. */
export type Done = {
  done: boolean;
};

export type Failure = {
  message: string;
  type: string;
  param?: string | null;
  code?: string | null;
  request_id?: string | null;
};

export type Grant = {
  id: string;
  workspace: string;
  credits: string;
  left: string;
  created: string | null;
  expires: string | null;
  /** open, spent, expired or revoked. */
  status: string;
  note: string;
};

export type Granted = {
  id: string;
  workspace: string;
  credits: string;
  balance_credits: string;
  held_credits: string;
};

export type Grants = {
  data: Grant[];
  next?: string | null;
};

export type ImportAsked = {
  name: string;
  content: string;
  /** Take it over; otherwise it is only checked. */
  store?: boolean;
};

export type Imported = {
  rows: Record<string, number>;
  ids: number[];
  /** How many of the changes begin later, as their price's effective_at says. */
  later?: number;
} & { [more: string]: unknown };

/** A provider's invoice or usage export, to hold against the ledger. */
export type InvoiceAsked = {
  provider: string;
  name?: string;
  /** CSV, JSON or JSON lines. */
  content: string;
  /** Which column is what: id=response_id,cost=usd_total. */
  columns?: string;
  /** First day (UTC). */
  from?: string | null;
  /** Last day, within. */
  to?: string | null;
  /** Two costs this near are the same. */
  tolerance_usd?: string;
};

export type Job = {
  id: string;
  /** ledger.verify, ledger.reconcile, backup, probe or sweep. */
  kind: string;
  /** The provider, model or file that it is about. */
  about: string;
  /** Who began it, as the audit log names them. */
  by: string;
  state: 'running' | 'done' | 'failed';
  /** Of `total`; null: it does not know how far it is. */
  done: number | null;
  total: number | null;
  /** Unix milliseconds. */
  started: number;
  ended: number | null;
  result: Record<string, unknown> | null;
  /** Why it failed. */
  problem: string | null;
};

export type JobList = {
  data: Job[];
  next?: string | null;
};

/** `for`: how long it is kept; `over`: how much of it is past that and not yet swept. */
export type Kept = {
  kind: string;
  for: string;
  over: number;
};

export type Key = {
  id: string;
  name: string;
  /** How its secret begins; `web`: a session's, nobody holds it. */
  prefix: string;
  last4: string;
  storefront: string;
  workspace: string;
  user: string;
  admin: boolean;
  test: boolean;
  agent: boolean;
  models: string[] | null;
  created: number;
  expires_at: number | null;
  revoked: boolean;
  budget_usd: string | null;
  spent_usd: string;
};

export type Keys = {
  data: Key[];
  next?: string | null;
};

/** The last 24 hours; null where too little was asked to say anything. */
export type Lately = {
  /** Share of requests that were answered to the end. */
  uptime: string | null;
  latency_ms: number | null;
  first_byte_ms: number | null;
};

/** How the ledger is; every figure of a check that is not zero is a fault. */
export type LedgerHealth = {
  trouble: string | null;
  /** Requests under way: their holds are not settled yet. */
  open: number;
  oldest_open_seconds: number | null;
  /** The last check that was asked for here. */
  verified: Verified | null;
  /** Only where a check was asked for. */
  checked?: Record<string, number> | null;
};

export type MadeKey = {
  id: string;
  /** The secret, shown this once. */
  key: string;
  notes?: string[] | null;
};

export type Message = {
  n: number;
  /** What it follows; two with one parent are branches. */
  parent: number | null;
  created: number;
  body: Record<string, unknown>;
};

/** What is to change; what is left out stays. Prices make a new version. `enabled` counts at once, always. */
export type ModelChange = {
  enabled?: boolean | null;
  safe_context?: number | null;
  context?: number | null;
  max_output?: number | null;
  role?: 'SOURCE' | 'FUSE' | 'BOTH' | null;
  tier?: 'core' | 'pro' | 'ultra' | null;
  name?: string | null;
  description?: string | null;
  /** The whole sheet, as it is read, as texts. */
  prices?: Record<string, string> | null;
  currency?: string;
  /** Of all tasks; with whose figure it is. */
  quality?: number | null;
  quality_source?: string | null;
  capabilities?: string[] | null;
  aliases?: string[] | null;
  /** Counts from then on: a day, or a day and time (UTC). None: at once. */
  effective_at?: string | null;
};

export type NewBudget = {
  /** The cap; null takes it away. */
  usd: string | null;
  window?: 'total' | 'day' | 'week' | 'month';
};

export type NewConversation = {
  name?: string;
};

export type NewCredential = {
  /** Written once, never shown. */
  value: string;
  label?: string;
};

export type NewGrant = {
  workspace: string;
  credits: string;
  /** A date, a time, or a span such as 30d. */
  expires?: string | null;
  note?: string;
};

export type NewKey = {
  name?: string;
  storefront?: string | null;
  workspace?: string | null;
  user?: string;
  admin?: boolean;
  test?: boolean;
  agent?: boolean;
  models?: string[] | null;
  budget_usd?: string | null;
  /** A date, a time, or a span such as 30d. */
  expires?: string | null;
};

/** `body` is the page's own: role, content, model, receipt, cost and whatever it wants to show again. */
export type NewMessage = {
  parent?: number | null;
  body: Record<string, unknown>;
};

export type NewPassword = {
  old: string;
  /** 10 to 256 characters. */
  new: string;
};

export type NewRefund = {
  /** A part of what was paid; else all. */
  usd?: string | null;
  /** Why, for the audit log. */
  note?: string;
};

export type NewStorefront = {
  storefront: string;
};

export type NewSubscription = {
  plan: string;
};

export type NewUser = {
  name: string;
  role?: 'owner' | 'admin' | 'member';
  /** To sign in with; 10 to 256 characters. */
  password?: string | null;
};

export type NewWorkspace = {
  name: string;
};

export type PaceRow = {
  /** When the span begins, in Unix seconds. */
  at: number;
  /** The model, key, user or storefront. */
  name: string;
  requests: number;
  /** Not answered to the end, by no fault of the caller. */
  failed: number;
  /** On average. */
  latency_ms: number | null;
  slowest_ms: number;
  /** On average, of those that streamed. */
  first_byte_ms: number | null;
};

export type Paces = {
  data: PaceRow[];
  next?: string | null;
};

export type Plan = {
  id: string;
  name: string;
  storefront: string;
  /** What a new agent key's user gets where nothing else is said. */
  default: boolean;
  windows: PlanWindow[];
};

export type PlanWindow = {
  window: string;
  /** How many begin within the window; null: as many as one likes. */
  requests: number | null;
  tokens: number | null;
};

export type Plans = {
  data: Plan[];
  next?: string | null;
};

export type Policies = {
  data: Policy[];
  next?: string | null;
};

export type Policy = {
  id: string;
  kind: string;
  owner: string;
  enabled: boolean;
  /** allow, deny, entitle, overrides, rates: as `conflux policies` has them. */
  terms: Record<string, unknown>;
  changed: number;
};

/** `terms`: what changes; null takes a field away. */
export type PolicyChange = {
  terms?: Record<string, unknown> | null;
  enabled?: boolean | null;
};

export type Pool = {
  id: string;
  /** storefront/id of the models it serves. */
  models: string[];
  live: boolean;
  simulated: boolean;
  targets: Target[];
};

export type Pools = {
  data: Pool[];
  next?: string | null;
};

export type Preview = {
  key: string;
  storefront: string;
  client: string | null;
  /** Why the key opens nothing at all. */
  problem: string | null;
  policies: string[];
  models: PreviewRow[];
};

export type PreviewAsked = {
  key: string;
  /** claude-code or codex, as if one of them asked. */
  client?: string | null;
  storefront?: string | null;
};

export type PreviewRow = {
  id: string;
  listed: boolean;
  status: string | null;
  /** What would answer; null where nothing would. */
  served: string | null;
  /** Why it is not listed or not itself. */
  reason: string | null;
};

export type PriceVersion = {
  version: string;
  /** The change that made it, which can be taken back; null: the catalogue's. */
  change: number | null;
  current: boolean;
  /** Begins later. */
  scheduled: boolean;
  /** Unix seconds; null: since the catalogue's file says so. */
  effective_at: number | null;
  by: string | null;
  prices: Record<string, unknown>;
};

export type PriceVersions = {
  data: PriceVersion[];
};

export type Probe = {
  target: string;
  capability: string;
  /** What was found: yes, no or unknown. */
  holds: string;
  /** What the catalogue says: yes, no or unknown. */
  stated: string;
  /** Whether requests that need it are let through: yes, no or unknown. */
  usable: string;
  /** Finding and catalogue differ. */
  questioned: boolean;
  age_seconds: number | null;
  /** Since it was asked last; null: it is due. */
  tried_seconds: number | null;
  /** What the finding stands on. */
  evidence: string[];
  cost_usd: string;
};

/** What to ask the targets of a model. */
export type ProbeAsked = {
  model: string;
  storefront?: string | null;
  /** One of them; null: all that can be probed. */
  capability?: string | null;
};

export type Probes = {
  data: Probe[];
  next?: string | null;
};

/** Every error: the same shape as on the OpenAI paths. */
export type Problem = {
  error: Failure;
} & { [more: string]: unknown };

export type Provider = {
  id: string;
  label: string;
  base_url: string;
  dialects: string[];
  lane: string;
  auth: string;
  currency: string;
  /** The owner's own row. */
  configured: boolean;
  live: boolean;
  pools: number;
  credentials: ProviderCredential[];
};

export type ProviderCredential = {
  /** env:NAME, file:PATH, or the id of one that was entered. */
  name: string;
  there: boolean;
  /** Why the provider did not take it; until it works again. */
  refused: string | null;
};

export type Providers = {
  data: Provider[];
  next?: string | null;
};

export type PublicCatalogue = {
  storefronts: PublicStorefront[];
  models: PublicModel[];
  choosing: Choosing;
  /** No provider is configured: every answer is made up. */
  simulated: boolean;
};

export type PublicModel = {
  storefront: string;
  id: string;
  name: string;
  /** The label the catalogue shows. */
  provider: string;
  description: string;
  kind: string;
  /** enabled or disabled. */
  status: string;
  /** Needs a connected account. */
  account: boolean;
  /** Something would answer now. */
  live: boolean;
  role: string | null;
  tier: string | null;
  lane: string;
  context: number | null;
  context_text: string;
  safe_context: number | null;
  safe_context_text: string;
  max_output: number | null;
  /** Per million tokens, or for each image, search and request; null: not known. */
  prices: Record<string, string | null>;
  currency: string;
  price_version: string;
  capabilities: string[];
  /** The capabilities as the catalogue shows them. */
  tags: string[];
  input_modalities: string[];
  output_modalities: string[];
  supported_parameters: string[];
  effort: string | null;
  aliases: string[];
  agent: boolean;
  dimensions: number[];
  limitations: string[];
  /** What the source does not say, and we took. */
  assumed: string[];
  lately: Lately;
};

export type PublicStorefront = {
  id: string;
  name: string;
  mount: string;
  billing: string;
  models: number;
};

export type Rebuilt = {
  rebuilt: number;
};

export type Receipt = {
  id: string;
  /** Unix seconds. */
  created: number;
  workspace: string;
  user: string;
  storefront: string;
  requested_model: string;
  served_model: string | null;
  status: string;
  usage: Record<string, number>;
  provenance: string;
  price_version: string;
  cost_usd: string;
  credits: string;
  simulated: boolean;
  lines: ReceiptLine[];
  calls: ReceiptCall[];
  dropped: string[];
  /** Why it went where it went. */
  route: Route;
} & { [more: string]: unknown };

export type ReceiptCall = {
  role: string;
  model: string;
  status: string;
  latency_ms: number;
  usage: Record<string, number> | null;
  cost_usd: string;
  reason: string | null;
  /** Of a model that stood in: the larger total, not charged. */
  other_cost_usd?: string | null;
  target?: string | null;
  provider_cost_usd?: string | null;
  upstream_id?: string | null;
};

export type ReceiptInfo = {
  id: string;
  /** Unix milliseconds. */
  created: number;
  key: string;
  user: string;
  workspace: string;
  storefront: string;
  requested_model: string;
  served_model: string | null;
  /** done, failed, cancelled, cut or crashed. */
  ending: string;
  status: number;
  cost_usd: string;
  /** Of the cost, given back. */
  refunded_usd: string;
  credits: string;
  input_tokens: number;
  output_tokens: number;
  cached_tokens: number;
  latency_ms: number;
  first_byte_ms: number | null;
  simulated: boolean;
  /** For the house. */
  provider_cost_usd?: string | null;
};

export type ReceiptLine = {
  bucket: string;
  quantity: number;
  unit_price: string;
  amount: string;
};

export type Receipts = {
  data: ReceiptInfo[];
  next?: string | null;
};

export type Refund = {
  id: string;
  cost_usd: string;
  refunded_usd: string;
};

export type Reloaded = {
  version: number;
  models: number;
  /** What changed and counts only after a restart. */
  restart: string[];
};

export type Retention = {
  data: Kept[];
  next?: string | null;
};

export type Revoked = {
  id: string;
  revoked: boolean;
  /** What was left of it, and is gone. */
  left_credits: string;
};

export type Route = {
  /** How its model was found. */
  how: 'named' | 'alias' | 'task' | 'flux';
  task: string | null;
  /** Another model stood in for the one that was named. */
  fallback: boolean;
  /** What happened, step by step, for people. */
  words: string[];
};

/** Who is signed in; what they are here. */
export type Session = {
  signed_in: boolean;
  workspace?: string | null;
  user?: string | null;
  /** owner, admin or member, in the workspace. */
  role?: string | null;
  /** May administer the whole gateway. */
  house?: boolean;
  /** Signed in with an admin's key. */
  by_key?: boolean;
  /** The key whose name stands on this session's receipts. */
  key?: string | null;
  storefront?: string | null;
  expires_at?: number | null;
  /** May the chat's conversations be kept here? */
  conversations?: boolean;
  /** Send it as X-Conflux-CSRF with whatever changes something. */
  csrf?: string | null;
};

export type SessionInfo = {
  id: string;
  user: string;
  workspace: string;
  by_key: boolean;
  created: number;
  expires_at: number;
  agent: string;
  current: boolean;
};

export type Sessions = {
  data: SessionInfo[];
  next?: string | null;
};

export type SetBudget = {
  kind: string;
  owner: string;
  window: string;
  cap_usd: string | null;
};

/** An admin's key, or a user's name and password. */
export type SignIn = {
  /** An admin's key. */
  key?: string | null;
  workspace?: string;
  user?: string | null;
  password?: string | null;
  /** Whose models it uses; null: the root's. */
  storefront?: string | null;
};

export type Sources = {
  sources: Record<string, unknown>[];
  missing: Record<string, unknown>[];
  remarks: unknown[];
} & { [more: string]: unknown };

export type Status = {
  version: string;
  address: string;
  uptime_seconds: number;
  in_flight: number;
  simulated: boolean;
  problems: Record<string, string>;
  refused_credentials: Record<string, string>;
  missing_targets: Record<string, string>;
  upstreams: Record<string, unknown>;
} & { [more: string]: unknown };

/** How it behaves; what is left out stays. */
export type StorefrontChange = {
  name?: string | null;
  allowed_origins?: string[] | null;
  margin?: string | null;
  fallback?: boolean | null;
  prefer?: 'cost' | 'balanced' | 'speed' | 'quality' | null;
  usage_cost?: boolean | null;
  strict_capabilities?: boolean | null;
  /** In tokens, where a request says none; null: none. */
  default_max_output?: number | null;
  /** Where a request says none; null: none. */
  default_temperature?: number | null;
};

export type StorefrontRow = {
  id: string;
  name: string;
  /** Where it is; / is the root. */
  mount: string;
  hosts: string[];
  key_prefixes: string[];
  /** Keys that run on the simulator only. */
  test_prefixes: string[];
  /** Keys that a plan pays for. */
  agent_prefixes: string[];
  list_shape: string;
  error_style: string;
  /** usd, tier_credits or token_credits. */
  billing: string;
  header_prefix: string;
  /** What cost is multiplied by. */
  margin: string;
  /** A model that does not answer may be stood in for by another. */
  fallback: boolean;
  models: number;
};

export type StorefrontRows = {
  data: StorefrontRow[];
  next?: string | null;
};

export type StorefrontWhole = {
  id: string;
  name: string;
  /** Where it is; / is the root. */
  mount: string;
  hosts: string[];
  key_prefixes: string[];
  /** Keys that run on the simulator only. */
  test_prefixes: string[];
  /** Keys that a plan pays for. */
  agent_prefixes: string[];
  list_shape: string;
  error_style: string;
  /** usd, tier_credits or token_credits. */
  billing: string;
  header_prefix: string;
  /** What cost is multiplied by. */
  margin: string;
  /** A model that does not answer may be stood in for by another. */
  fallback: boolean;
  models: number;
  /** Browsers of these origins may call it (CORS); * for any. */
  allowed_origins: string[];
  /** Lists at the root that are its own where no key says otherwise. */
  root_paths: string[];
  /** Lists that nobody sees without a key. */
  keyed_paths: string[];
  /** What answers call their model: as requested, or as upstream. */
  model_echo: string;
  /** What a model does not advertise is refused. */
  strict_capabilities: boolean;
  /** How a model is chosen for a task: cost, balanced, speed or quality. */
  prefer: string;
  /** Answers say what they cost. */
  usage_cost: boolean;
  default_max_output: number | null;
  default_temperature: number | null;
  enabled_models: number;
  /** Of the enabled: something would answer now. */
  live_models: number;
  /** That are not revoked. */
  keys: number;
  /** An admin has said something of it over the files. */
  changed: boolean;
};

export type Subscribed = {
  kind: string;
  owner: string;
  plan: string | null;
};

export type Subscription = {
  /** workspace, user or key. */
  kind: string;
  owner: string;
  plan: string;
  /** The catalogue still has this plan. */
  offered: boolean;
  since: string | null;
  /** What is used of each of the plan's windows. */
  windows: WindowUse[];
};

export type Subscriptions = {
  data: Subscription[];
  next?: string | null;
};

export type SyncAsked = {
  /** None: all that are live. */
  providers?: string[];
  dry_run?: boolean;
  believe?: boolean;
};

export type Synced = {
  dry_run: boolean;
  sources: Record<string, unknown>[];
  proposals: Record<string, number>;
} & { [more: string]: unknown };

export type Target = {
  key: string;
  provider: string;
  model: string;
  variant: string;
  weight: number;
  effort: string | null;
  live: boolean;
  /** How often it was asked in the last 24 hours. */
  selected: number;
  /** What that cost the house. */
  provider_cost_usd: string;
  health: TargetHealth;
};

export type TargetHealth = {
  in_flight: number;
  /** In a row. */
  failures: number;
  ejected: boolean;
  /** Until a probe may bring it back. */
  ejected_for_seconds: number | null;
  ejected_times: number;
  /** In flight at once, since the provider said that it was too much. */
  limit: number | null;
  first_token_ms: number | null;
  /** Why it is tried last: its provider does not list it. */
  missing: string | null;
};

export type TargetUse = {
  /** When the span begins, in Unix seconds. */
  at: number;
  target: string;
  pools: string[];
  /** How often it was asked. */
  selected: number;
  /** Of all that was asked of its pools in this span. */
  share: string;
  provider_cost_usd: string;
};

export type TargetUses = {
  data: TargetUse[];
  next?: string | null;
};

export type UsageFigures = {
  requests: number;
  cost_usd: string;
  credits: string;
  usage: Record<string, number>;
} & { [more: string]: unknown };

export type UsageReport = {
  object: string;
  from: string;
  to: string;
  group_by: string[];
  data: Record<string, unknown>[];
  total: UsageFigures;
} & { [more: string]: unknown };

export type User = {
  id: string;
  name: string;
  workspace: string;
  role: string;
  enabled: boolean;
  keys: number;
  created: number;
};

export type UserChange = {
  role?: 'owner' | 'admin' | 'member' | null;
  enabled?: boolean | null;
  /** A new one: every session of the user ends. */
  password?: string | null;
};

export type Users = {
  data: User[];
  next?: string | null;
};

export type Verified = {
  /** Unix milliseconds. */
  at: number;
  by: string;
  ok: boolean;
  counts: Record<string, number>;
};

/** New weights of targets, by their key; the others stay. */
export type Weights = {
  weights: Record<string, number>;
};

export type WholeConversation = {
  id: string;
  name: string;
  /** Unix milliseconds. */
  created: number;
  changed: number;
  messages: number;
  tree: Message[];
};

export type WindowUse = {
  window: string;
  requests: number;
  requests_limit: number | null;
  tokens: number;
  tokens_limit: number | null;
  /** When the oldest of what is counted leaves the window. */
  frees_at: string | null;
};

export type Workspace = {
  id: string;
  name: string;
  enabled: boolean;
  users: number;
  keys: number;
  created: number;
};

/** What is to change; what is left out stays. */
export type WorkspaceChange = {
  name?: string | null;
  enabled?: boolean | null;
};

export type Workspaces = {
  data: Workspace[];
  next?: string | null;
};

/** Method and path of every operation, below the place where the gateway is. */
export const routes = {
  acceptChanges: ['POST', 'admin/api/v1/changes/accept'],
  addCredential: ['POST', 'admin/api/v1/providers/{provider}/credentials'],
  addMessage: ['POST', 'admin/api/v1/conversations/{conversation}/messages'],
  changeModel: ['PATCH', 'admin/api/v1/models/{storefront}/{model}'],
  changePassword: ['PUT', 'admin/api/v1/session/password'],
  changePolicy: ['PUT', 'admin/api/v1/policies/{kind}/{owner}'],
  changePool: ['PATCH', 'admin/api/v1/pools/{pool}'],
  changeStorefront: ['PATCH', 'admin/api/v1/storefronts/{storefront}'],
  changeUser: ['PATCH', 'admin/api/v1/workspaces/{workspace}/users/{name}'],
  changeWorkspace: ['PATCH', 'admin/api/v1/workspaces/{name}'],
  createConversation: ['POST', 'admin/api/v1/conversations'],
  createKey: ['POST', 'admin/api/v1/keys'],
  createUser: ['POST', 'admin/api/v1/workspaces/{workspace}/users'],
  createWorkspace: ['POST', 'admin/api/v1/workspaces'],
  deleteConversation: ['DELETE', 'admin/api/v1/conversations/{conversation}'],
  deleteConversations: ['DELETE', 'admin/api/v1/conversations'],
  deletePolicy: ['DELETE', 'admin/api/v1/policies/{kind}/{owner}'],
  deleteUser: ['DELETE', 'admin/api/v1/workspaces/{workspace}/users/{name}'],
  deleteWorkspace: ['DELETE', 'admin/api/v1/workspaces/{name}'],
  endSession: ['DELETE', 'admin/api/v1/sessions/{session}'],
  exportConversation: ['GET', 'admin/api/v1/conversations/{conversation}/export'],
  getAbout: ['GET', 'admin/api/v1/about'],
  getCatalogue: ['GET', 'admin/api/v1/catalogue'],
  getCatalogueModel: ['GET', 'admin/api/v1/catalogue/{storefront}/{model}'],
  getConfig: ['GET', 'admin/api/v1/server/config'],
  getConversation: ['GET', 'admin/api/v1/conversations/{conversation}'],
  getJob: ['GET', 'admin/api/v1/jobs/{job}'],
  getLedger: ['GET', 'admin/api/v1/ledger'],
  getModel: ['GET', 'admin/api/v1/models/{storefront}/{model}'],
  getPolicy: ['GET', 'admin/api/v1/policies/{kind}/{owner}'],
  getPool: ['GET', 'admin/api/v1/pools/{pool}'],
  getReceipt: ['GET', 'admin/api/v1/receipts/{receipt}'],
  getServer: ['GET', 'admin/api/v1/server'],
  getSession: ['GET', 'admin/api/v1/session'],
  getStorefront: ['GET', 'admin/api/v1/storefronts/{storefront}'],
  getUsage: ['GET', 'admin/api/v1/usage'],
  grantCredits: ['POST', 'admin/api/v1/credits/grants'],
  importRows: ['POST', 'admin/api/v1/changes/import'],
  listAudit: ['GET', 'admin/api/v1/audit'],
  listBackups: ['GET', 'admin/api/v1/backups'],
  listBudgets: ['GET', 'admin/api/v1/budgets'],
  listChanges: ['GET', 'admin/api/v1/changes'],
  listConversations: ['GET', 'admin/api/v1/conversations'],
  listCredentials: ['GET', 'admin/api/v1/credentials'],
  listCredits: ['GET', 'admin/api/v1/credits'],
  listGrants: ['GET', 'admin/api/v1/credits/grants'],
  listJobs: ['GET', 'admin/api/v1/jobs'],
  listKeys: ['GET', 'admin/api/v1/keys'],
  listModels: ['GET', 'admin/api/v1/models'],
  listPerformance: ['GET', 'admin/api/v1/performance'],
  listPlans: ['GET', 'admin/api/v1/plans'],
  listPolicies: ['GET', 'admin/api/v1/policies'],
  listPools: ['GET', 'admin/api/v1/pools'],
  listPrices: ['GET', 'admin/api/v1/prices/{storefront}/{model}'],
  listProbes: ['GET', 'admin/api/v1/probes'],
  listProviders: ['GET', 'admin/api/v1/providers'],
  listReceipts: ['GET', 'admin/api/v1/receipts'],
  listRetention: ['GET', 'admin/api/v1/retention'],
  listSessions: ['GET', 'admin/api/v1/sessions'],
  listSources: ['GET', 'admin/api/v1/changes/sources'],
  listStorefronts: ['GET', 'admin/api/v1/storefronts'],
  listSubscriptions: ['GET', 'admin/api/v1/subscriptions'],
  listTargetUsage: ['GET', 'admin/api/v1/targets/usage'],
  listUsers: ['GET', 'admin/api/v1/users'],
  listWorkspaces: ['GET', 'admin/api/v1/workspaces'],
  makeBackup: ['POST', 'admin/api/v1/backups'],
  previewPolicies: ['POST', 'admin/api/v1/policies/preview'],
  probeModel: ['POST', 'admin/api/v1/probes'],
  rebuildLedger: ['POST', 'admin/api/v1/ledger/rebuild'],
  reconcileInvoice: ['POST', 'admin/api/v1/ledger/reconcile'],
  refundReceipt: ['POST', 'admin/api/v1/receipts/{receipt}/refund'],
  rejectChanges: ['POST', 'admin/api/v1/changes/reject'],
  reloadServer: ['POST', 'admin/api/v1/server/reload'],
  removeCredential: ['DELETE', 'admin/api/v1/credentials/{credential}'],
  renameConversation: ['PATCH', 'admin/api/v1/conversations/{conversation}'],
  revokeGrant: ['DELETE', 'admin/api/v1/credits/grants/{grant}'],
  revokeKey: ['DELETE', 'admin/api/v1/keys/{key}'],
  setBudget: ['PUT', 'admin/api/v1/budgets/{kind}/{owner}'],
  signIn: ['POST', 'admin/api/v1/session'],
  signOut: ['DELETE', 'admin/api/v1/session'],
  subscribe: ['PUT', 'admin/api/v1/subscriptions/{kind}/{owner}'],
  sweepRetention: ['POST', 'admin/api/v1/retention/sweep'],
  switchStorefront: ['PUT', 'admin/api/v1/session/storefront'],
  syncCatalogue: ['POST', 'admin/api/v1/changes/sync'],
  unsubscribe: ['DELETE', 'admin/api/v1/subscriptions/{kind}/{owner}'],
  verifyLedger: ['POST', 'admin/api/v1/ledger/verify'],
} as const;

/** What every operation takes and answers; `answer` is undefined where there is no body. */
export type Api = {
  /** Accept proposals: they count at once. For: house. */
  acceptChanges: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: Decision;
    answer: Decided;
  };
  /** Enter a credential. It is sealed, counts at once, and is never shown again. For: house. */
  addCredential: {
    path: { provider: string };
    query: Record<string, never>;
    body: NewCredential;
    answer: Credential;
  };
  /** Add a message below another. Messages are not changed: an edit is a branch. For: signed_in. */
  addMessage: {
    path: { conversation: string };
    query: Record<string, never>;
    body: NewMessage;
    answer: Message;
  };
  /** Switch a model on or off, change its figures or prices. It counts at once, for lists and runs. For: house. */
  changeModel: {
    path: { storefront: string; model: string };
    query: Record<string, never>;
    body: ModelChange;
    answer: AdminModel;
  };
  /** Change one's own password. All other sessions of the user end. For: signed_in. */
  changePassword: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: NewPassword;
    answer: undefined;
  };
  /** Make or change a policy, switch it on or off. For: admin. */
  changePolicy: {
    path: { kind: 'workspace' | 'user' | 'key'; owner: string };
    query: Record<string, never>;
    body: PolicyChange;
    answer: Policy;
  };
  /** Change the weights of a pool's targets. For: house. */
  changePool: {
    path: { pool: string };
    query: Record<string, never>;
    body: Weights;
    answer: Pool;
  };
  /** Change how a storefront behaves. It counts at once; a margin changes prices from the next request on. For: house. */
  changeStorefront: {
    path: { storefront: string };
    query: Record<string, never>;
    body: StorefrontChange;
    answer: StorefrontWhole;
  };
  /** Change a user's role or password, switch them off or on. For: admin. */
  changeUser: {
    path: { workspace: string; name: string };
    query: Record<string, never>;
    body: UserChange;
    answer: User;
  };
  /** Rename a workspace, switch it off or on. For: house. */
  changeWorkspace: {
    path: { name: string };
    query: Record<string, never>;
    body: WorkspaceChange;
    answer: Workspace;
  };
  /** Begin a conversation. For: signed_in. */
  createConversation: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: NewConversation;
    answer: Conversation;
  };
  /** Make a key. Its secret is in this answer and nowhere else. For: admin. */
  createKey: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: NewKey;
    answer: MadeKey;
  };
  /** Make a user. For: admin. */
  createUser: {
    path: { workspace: string };
    query: Record<string, never>;
    body: NewUser;
    answer: User;
  };
  /** Make a workspace. For: house. */
  createWorkspace: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: NewWorkspace;
    answer: Workspace;
  };
  /** Delete a conversation. Nothing of it is left. For: signed_in. */
  deleteConversation: {
    path: { conversation: string };
    query: Record<string, never>;
    body: undefined;
    answer: Done;
  };
  /** Delete all of one's conversations. Nothing of them is left. For: signed_in. */
  deleteConversations: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: undefined;
    answer: Deleted;
  };
  /** Remove a policy. For: admin. */
  deletePolicy: {
    path: { kind: 'workspace' | 'user' | 'key'; owner: string };
    query: Record<string, never>;
    body: undefined;
    answer: Done;
  };
  /** Remove a user. Refused as long as keys speak of them. For: admin. */
  deleteUser: {
    path: { workspace: string; name: string };
    query: Record<string, never>;
    body: undefined;
    answer: Done;
  };
  /** Remove a workspace. Refused as long as keys speak of it. For: house. */
  deleteWorkspace: {
    path: { name: string };
    query: Record<string, never>;
    body: undefined;
    answer: Done;
  };
  /** End a session: one's own, for an admin a member's, for an owner anybody's of the workspace. For: signed_in. */
  endSession: {
    path: { session: string };
    query: Record<string, never>;
    body: undefined;
    answer: undefined;
  };
  /** A conversation as a file: JSON with every branch, or Markdown to read. For: signed_in. */
  exportConversation: {
    path: { conversation: string };
    query: { format?: 'json' | 'markdown' };
    body: undefined;
    answer: WholeConversation;
  };
  /** What this is. For: open. */
  getAbout: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: undefined;
    answer: About;
  };
  /** The whole catalogue, as everybody may see it: disabled models too, what each can, costs, and cannot promise. For: open. */
  getCatalogue: {
    path: Record<string, never>;
    query: { storefront?: string | null };
    body: undefined;
    answer: PublicCatalogue;
  };
  /** One model, as everybody may see it. For: open. */
  getCatalogueModel: {
    path: { storefront: string; model: string };
    query: Record<string, never>;
    body: undefined;
    answer: PublicModel;
  };
  /** The configuration as it was merged, without secrets. For: house. */
  getConfig: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: undefined;
    answer: Configuration;
  };
  /** A conversation with all its messages, as a tree. For: signed_in. */
  getConversation: {
    path: { conversation: string };
    query: Record<string, never>;
    body: undefined;
    answer: WholeConversation;
  };
  /** One job: how far it is, or what came of it. For: house. */
  getJob: {
    path: { job: string };
    query: Record<string, never>;
    body: undefined;
    answer: Job;
  };
  /** How the ledger is. `verify` holds every receipt against every entry while one waits; `POST` does it as a job. For: house. */
  getLedger: {
    path: Record<string, never>;
    query: { verify?: boolean };
    body: undefined;
    answer: LedgerHealth;
  };
  /** One model with what stands behind it. For: house. */
  getModel: {
    path: { storefront: string; model: string };
    query: Record<string, never>;
    body: undefined;
    answer: AdminModel;
  };
  /** One policy. For: admin. */
  getPolicy: {
    path: { kind: 'workspace' | 'user' | 'key'; owner: string };
    query: Record<string, never>;
    body: undefined;
    answer: Policy;
  };
  /** One pool. For: house. */
  getPool: {
    path: { pool: string };
    query: Record<string, never>;
    body: undefined;
    answer: Pool;
  };
  /** One receipt, line by line and call by call. For: signed_in. */
  getReceipt: {
    path: { receipt: string };
    query: Record<string, never>;
    body: undefined;
    answer: Receipt;
  };
  /** How the server is: what is under way, what is wrong, which connections are open. For: house. */
  getServer: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: undefined;
    answer: Status;
  };
  /** Who is signed in; nobody is no error. For: open. */
  getSession: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: undefined;
    answer: Session;
  };
  /** One of them: what it offers, to whom, and by which rules. For: house. */
  getStorefront: {
    path: { storefront: string };
    query: Record<string, never>;
    body: undefined;
    answer: StorefrontWhole;
  };
  /** Spend, tokens and requests over time, split as asked; the answer of `GET /v1/usage`, as wide as one may see. For: signed_in. */
  getUsage: {
    path: Record<string, never>;
    query: { group_by?: string | null; from?: string | null; to?: string | null; model?: string | null; served_model?: string | null; key?: string | null; user?: string | null; workspace?: string | null; storefront?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: UsageReport;
  };
  /** Give a workspace credits. From its first grant on it pays with them. For: house. */
  grantCredits: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: NewGrant;
    answer: Granted;
  };
  /** Models and pools from a TOML, JSON or CSV file: checked, and with `store` taken over. For: house. */
  importRows: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: ImportAsked;
    answer: Imported;
  };
  /** What admins did, the newest first. Nothing in it can be changed. For: admin. */
  listAudit: {
    path: Record<string, never>;
    query: { workspace?: string | null; who?: string | null; act?: string | null; target?: string | null; outcome?: 'done' | 'refused' | 'failed' | null; since?: string | null; until?: string | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: AuditLog;
  };
  /** The backups that were made here, the newest first. They lie in `backups` in the data directory. For: house. */
  listBackups: {
    path: Record<string, never>;
    query: { limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Backups;
  };
  /** Budgets, what of them is spent, held and left, and when they begin anew. A member sees those they live by. For: signed_in. */
  listBudgets: {
    path: Record<string, never>;
    query: { kind?: string | null; owner?: string | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Budgets;
  };
  /** Proposed and decided changes, the newest first. For: house. */
  listChanges: {
    path: Record<string, never>;
    query: { state?: 'open' | 'accepted' | 'rejected' | 'obsolete' | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Changes;
  };
  /** One's conversations, the one that changed last first. For: signed_in. */
  listConversations: {
    path: Record<string, never>;
    query: { q?: string | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: ConversationList;
  };
  /** The credentials that were entered here: whose, by whom, and how they end. For: house. */
  listCredentials: {
    path: Record<string, never>;
    query: { provider?: string | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Credentials;
  };
  /** What workspaces hold in credits; one's own, or for the house all that were ever given some. For: signed_in. */
  listCredits: {
    path: Record<string, never>;
    query: { workspace?: string | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: CreditBalances;
  };
  /** Credits as they were given, the newest first, and what is left of each. For: admin. */
  listGrants: {
    path: Record<string, never>;
    query: { workspace?: string | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Grants;
  };
  /** Long work, the newest first: what runs, in whichever worker, and what ended lately. For: house. */
  listJobs: {
    path: Record<string, never>;
    query: { kind?: string | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: JobList;
  };
  /** Keys: one's own, for an admin the workspace's. Secrets are not kept, so none is shown. For: signed_in. */
  listKeys: {
    path: Record<string, never>;
    query: { workspace?: string | null; user?: string | null; storefront?: string | null; revoked?: boolean | null; q?: string | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Keys;
  };
  /** Models with what stands behind them. For: house. */
  listModels: {
    path: Record<string, never>;
    query: { storefront?: string | null; status?: 'enabled' | 'disabled' | null; pool?: string | null; q?: string | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: AdminModels;
  };
  /** How long answers took over time, and how many failed. For: signed_in. */
  listPerformance: {
    path: Record<string, never>;
    query: { group_by?: 'model' | 'key' | 'user' | 'storefront'; by?: 'hour' | 'day'; since?: string | null; until?: string | null; workspace?: string | null; user?: string | null; key?: string | null; model?: string | null; storefront?: string | null; simulated?: boolean | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Paces;
  };
  /** The plans of the catalogue, and what each lets be used. For: signed_in. */
  listPlans: {
    path: Record<string, never>;
    query: { limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Plans;
  };
  /** Policies, the house's view of all, an admin's of the workspace. For: admin. */
  listPolicies: {
    path: Record<string, never>;
    query: { kind?: string | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Policies;
  };
  /** Pools and their targets: weights, live health, how often each was chosen. For: house. */
  listPools: {
    path: Record<string, never>;
    query: { q?: string | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Pools;
  };
  /** The versions of a model's prices that admins made, the newest first, and the one in force. For: house. */
  listPrices: {
    path: { storefront: string; model: string };
    query: Record<string, never>;
    body: undefined;
    answer: PriceVersions;
  };
  /** What was found of targets by asking them, beside what the catalogue says of them. For: house. */
  listProbes: {
    path: Record<string, never>;
    query: { target?: string | null; model?: string | null; questioned?: boolean | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Probes;
  };
  /** Who can be called, and with which credentials. None of them is shown. For: house. */
  listProviders: {
    path: Record<string, never>;
    query: { live?: boolean | null; configured?: boolean | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Providers;
  };
  /** The request log: receipts, the newest first. For: signed_in. */
  listReceipts: {
    path: Record<string, never>;
    query: { workspace?: string | null; user?: string | null; key?: string | null; model?: string | null; storefront?: string | null; ending?: 'done' | 'failed' | 'cancelled' | 'cut' | 'crashed' | null; status?: number | null; simulated?: boolean | null; since?: string | null; until?: string | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Receipts;
  };
  /** What is kept, for how long, and how much of it is over and not yet swept. For: house. */
  listRetention: {
    path: Record<string, never>;
    query: { limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Retention;
  };
  /** Sessions that last: one's own; with `all` the workspace's, for its admins. For: signed_in. */
  listSessions: {
    path: Record<string, never>;
    query: { all?: boolean; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Sessions;
  };
  /** How the providers' own lists were read last, and which targets they do not list any more. For: house. */
  listSources: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: undefined;
    answer: Sources;
  };
  /** The public faces, as the configuration and the catalogue have them. For: house. */
  listStorefronts: {
    path: Record<string, never>;
    query: { limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: StorefrontRows;
  };
  /** Who is on which plan, what of it is used and when more is free. A member sees what pays for them. For: signed_in. */
  listSubscriptions: {
    path: Record<string, never>;
    query: { kind?: string | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Subscriptions;
  };
  /** Which targets were chosen over time, and what they cost the house. For: house. */
  listTargetUsage: {
    path: Record<string, never>;
    query: { pool?: string | null; target?: string | null; by?: 'hour' | 'day'; since?: string | null; until?: string | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: TargetUses;
  };
  /** Users, of one workspace or of all that one may see. For: admin. */
  listUsers: {
    path: Record<string, never>;
    query: { workspace?: string | null; limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Users;
  };
  /** The workspaces that one may see. For: signed_in. */
  listWorkspaces: {
    path: Record<string, never>;
    query: { limit?: number; cursor?: string | null; format?: 'json' | 'csv' };
    body: undefined;
    answer: Workspaces;
  };
  /** Copy database and secrets into one file on the server, and check the copy. Nobody gets it over HTTP. For: house. */
  makeBackup: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: undefined;
    answer: Job;
  };
  /** What a key would see, and why: decided by the code that decides the list and the run. For: signed_in. */
  previewPolicies: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: PreviewAsked;
    answer: Preview;
  };
  /** Ask the live targets of a model what they can. Kept with its evidence; what the catalogue states stays. For: house. */
  probeModel: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: ProbeAsked;
    answer: Job;
  };
  /** Make what is summed from the receipts anew; how many rows were wrong. For: house. */
  rebuildLedger: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: undefined;
    answer: Rebuilt;
  };
  /** Hold a provider's invoice against the ledger: what is missing, extra, or differs, line by line. For: house. */
  reconcileInvoice: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: InvoiceAsked;
    answer: Job;
  };
  /** Give back what a request cost, once. Budgets and sums count it as not spent. For: house. */
  refundReceipt: {
    path: { receipt: string };
    query: Record<string, never>;
    body: NewRefund;
    answer: Refund;
  };
  /** Reject proposals, or take back what was accepted. For: house. */
  rejectChanges: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: Decision;
    answer: Decided;
  };
  /** Read configuration and catalogue again. A broken one changes nothing. For: house. */
  reloadServer: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: undefined;
    answer: Reloaded;
  };
  /** Remove a credential that was entered here. The provider is not called with it any more. For: house. */
  removeCredential: {
    path: { credential: string };
    query: Record<string, never>;
    body: undefined;
    answer: Done;
  };
  /** Give it another name. For: signed_in. */
  renameConversation: {
    path: { conversation: string };
    query: Record<string, never>;
    body: NewConversation;
    answer: Conversation;
  };
  /** Take back what is left of a grant. What was spent of it stays spent. For: house. */
  revokeGrant: {
    path: { grant: string };
    query: Record<string, never>;
    body: undefined;
    answer: Revoked;
  };
  /** Revoke a key: one's own, for an admin one of the workspace. It opens nothing from now on. For: signed_in. */
  revokeKey: {
    path: { key: string };
    query: Record<string, never>;
    body: undefined;
    answer: Done;
  };
  /** Set a cap, or take it away. A storefront's is the house's to set. For: admin. */
  setBudget: {
    path: { kind: 'workspace' | 'user' | 'key' | 'storefront'; owner: string };
    query: Record<string, never>;
    body: NewBudget;
    answer: SetBudget;
  };
  /** Sign in, with an admin's key or as a user with a password. For: open. */
  signIn: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: SignIn;
    answer: Session;
  };
  /** End this session. Its cookie opens nothing from now on. For: signed_in. */
  signOut: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: undefined;
    answer: undefined;
  };
  /** Put a workspace, a user or a key on a plan; the one they were on ends. For: house. */
  subscribe: {
    path: { kind: 'workspace' | 'user' | 'key'; owner: string };
    query: Record<string, never>;
    body: NewSubscription;
    answer: Subscribed;
  };
  /** End now what is over. A running gateway does it by itself, too. For: house. */
  sweepRetention: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: undefined;
    answer: Job;
  };
  /** Use the models of another storefront, in the same session. What is asked from now on is asked there. For: signed_in. */
  switchStorefront: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: NewStorefront;
    answer: Session;
  };
  /** Read the providers' lists now. What differs becomes a proposal. For: house. */
  syncCatalogue: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: SyncAsked;
    answer: Synced;
  };
  /** End a subscription: from now on the owner pays as everybody does. For: house. */
  unsubscribe: {
    path: { kind: 'workspace' | 'user' | 'key'; owner: string };
    query: Record<string, never>;
    body: undefined;
    answer: Subscribed;
  };
  /** Hold every receipt against every entry. Any figure of the result that is not zero is a fault. For: house. */
  verifyLedger: {
    path: Record<string, never>;
    query: Record<string, never>;
    body: undefined;
    answer: Job;
  };
};
