"""docs/catalogue.md, made from the data it describes.

Law: pure; nothing is typed here that the catalogue knows. The committed file is this output, and a test says so:
`python -m conflux.catalogue.document > docs/catalogue.md` makes it anew.
"""

import sys
from collections.abc import Callable, Iterable, Sequence

from conflux.catalogue import limitations
from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.figures import price, tags, tokens
from conflux.catalogue.loader import load, shipped_dir
from conflux.neutral.money import USD, usd
from conflux.neutral.records import Model, Storefront

Column = tuple[str, Callable[[Model], str]]

_HEAD = """\
# The catalogue

Made from `catalogue/*.toml` by `python -m conflux.catalogue.document`: change the data, not this page.

A model's id is what clients send, the same from every client and protocol. Which providers stand behind it is hidden
from them; a key sees and runs only what its storefront, workspace and policies leave. Prices are per 1,000,000 tokens.
A dash is a figure that is not known: a context that is not known is not gated. The safe context is what is advertised
and enforced: 95 % of the context, unless the row says otherwise, so that an answer still fits.
"""

_TEXTS = (
    ("disabled by an admin (this outranks the others)", limitations.DISABLED),
    ("a connected account is needed", limitations.ACCOUNT),
    ("provider label OpenRouter, compat lane", limitations.OPENROUTER),
    ("compat lane", limitations.COMPAT),
    ("provider label Built-in", limitations.PROBED),
)


def render_doc(catalogue: Catalogue) -> str:
    parts = [_HEAD, *(_storefront(catalogue, one) for one in catalogue.storefronts.values())]
    parts += [_limitations(), _assumed(catalogue), _pools(catalogue), _providers(catalogue), _rates(catalogue)]
    return "\n".join(part.rstrip() + "\n" for part in parts if part)


def _storefront(catalogue: Catalogue, face: Storefront) -> str:
    models = catalogue.models_of(face.id)
    keys = ", ".join(f"`{prefix}…`" for prefix in face.key_prefixes)
    lines = [f"## {face.name}", ""]
    lines.append(f"Storefront `{face.id}` at `{face.mount}`, keys {keys}, {len(models)} models.")
    if face.margin != "1":
        lines.append(f"Prices are the cost; what is shown and charged is the cost times {face.margin}.")
    lines.append("")
    shown = [column for column in COLUMNS if column[0] != "agents" or face.agent_prefixes]
    columns = [column for column in shown if column[0] in _ALWAYS or any(column[1](model) for model in models)]
    lines += _table([name for name, _ in columns], ([read(model) for _, read in columns] for model in models))
    return "\n".join(lines)


def _status(model: Model) -> str:
    if not model.enabled:
        return "disabled"
    return "account needed" if model.account else "enabled"


def _money(pico: int | None, model: Model) -> str:
    code = model.price.rate.currency
    return price(pico) if code == "USD" else price(pico, f"{code} ")


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


COLUMNS: tuple[Column, ...] = (
    ("model", lambda model: f"`{model.id}`"),
    ("name", lambda model: model.name),
    ("provider", lambda model: model.provider_label or model.owned_by),
    ("kind", lambda model: model.kind if model.kind != "chat" else ""),
    ("role", lambda model: model.role.value if model.role is not None else ""),
    ("tier", lambda model: model.tier.value if model.tier is not None else ""),
    ("context", lambda model: tokens(model.context)),
    ("safe", lambda model: tokens(model.safe_context)),
    ("max output", lambda model: tokens(model.max_output) if model.max_output is not None else ""),
    ("in", lambda model: _money(model.price.input, model)),
    ("out", lambda model: _money(model.price.output, model)),
    ("cached", lambda model: _money(model.price.cache_read, model) if model.price.cache_read is not None else ""),
    ("capabilities", lambda model: ", ".join(tags(model))),
    ("effort", lambda model: model.effort or ""),
    ("agents", lambda model: "yes" if model.agent else ""),
    ("aliases", lambda model: _code(model.aliases)),
    ("status", _status),
)
_ALWAYS = frozenset({"model", "name", "context", "in", "out", "capabilities", "status"})


def _limitations() -> str:
    lines = [
        "## Limitations, by rule",
        "",
        "A row has at most one of these texts; the first rule that fits decides.",
        "",
    ]
    return "\n".join([*lines, *_table(["where", "text"], _TEXTS)])


def _assumed(catalogue: Catalogue) -> str:
    lines = [
        "## Assumed figures",
        "",
        "What the source documents do not say. These are our own figures: check them before you charge by them.",
        "",
    ]
    rows = [
        (face, f"`{model.id}`", ", ".join(sorted(model.assumed)))
        for face in catalogue.storefronts
        for model in catalogue.models_of(face)
        if model.assumed
    ]
    return "\n".join([*lines, *_table(["storefront", "model", "assumed"], rows)])


def _pools(catalogue: Catalogue) -> str:
    users: dict[str, list[str]] = {}
    for model in catalogue.models.values():
        users.setdefault(model.pool, []).append(f"{model.storefront}: {model.id}")
    lines = [
        "## Pools",
        "",
        "What is tried for a model, for owners only. Storefronts share pools.",
        "",
    ]
    rows = [
        (f"`{pool.id}`", _code(f"{target.provider}: {target.model}" for target in pool.targets),
         _code(sorted(users.get(pool.id, ()))))
        for pool in sorted(catalogue.pools.values(), key=lambda pool: pool.id)
    ]  # fmt: skip
    return "\n".join([*lines, *_table(["pool", "targets", "models"], rows)])


def _providers(catalogue: Catalogue) -> str:
    lines = [
        "## Providers",
        "",
        "A provider is called only where its credential is there, or where the owner's own configuration names it.",
        "",
    ]
    rows = [
        (f"`{one.id}`", one.label, one.base_url, ", ".join(one.dialects), one.lane, _code(one.credentials))
        for one in sorted(catalogue.providers.values(), key=lambda one: one.id)
    ]
    return "\n".join([*lines, *_table(["provider", "name", "address", "dialects", "lane", "credential"], rows)])


def _rates(catalogue: Catalogue) -> str:
    rates = {model.price.rate for model in catalogue.models.values()} - {USD}
    if not rates:
        return ""
    lines = [
        "## Currencies",
        "",
        "Frozen on every receipt. The shipped rate is ours: state your own with its date before you charge by it.",
        "",
    ]
    rows = [
        (rate.currency, f"{usd(rate.nano_usd)} USD", rate.date) for rate in sorted(rates, key=lambda one: one.currency)
    ]
    return "\n".join([*lines, *_table(["currency", "is worth", "on"], rows)])


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    return lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]


if __name__ == "__main__":
    sys.stdout.write(render_doc(load([shipped_dir()])))
