"""Is a policy what its author meant? Every mistake, each with its place.

Law: pure. A name without * must be a model somewhere, since a misspelt denial would deny nothing; only the names in
rules for coding agents may be unknown, because serving those is what such rules are for.
"""

from collections.abc import Iterable

from conflux.catalogue.catalogue import Catalogue
from conflux.neutral.errors import ConfigError
from conflux.neutral.policies import ACTIONS, ANY_CLIENT, CLIENTS, Terms

_MOST = 500  # patterns in one list
_LONGEST = 200  # letters in one
_HIGHEST = 10**12


def check(operation: str, kind: str, terms: Terms, catalogue: Catalogue) -> None:
    """Raises ConfigError with all that is wrong."""
    problems = [
        f"{name}: {problem}"
        for name, patterns in (("allow", terms.allow or ()), ("deny", terms.deny), ("entitle", terms.entitle))
        for problem in _patterns(patterns, catalogue)
    ]
    for name in ("requests_per_minute", "tokens_per_minute", "concurrent"):
        value = getattr(terms, name)
        if value is not None and not 1 <= value <= _HIGHEST:
            problems.append(f"{name}: {value} is no limit: use a number from 1, or disable what should not run at all")
    problems += _overrides(kind, terms, catalogue)
    if problems:
        raise ConfigError([f"{operation}: {problem}" for problem in problems])


def _patterns(patterns: Iterable[str], catalogue: Catalogue) -> list[str]:
    found = tuple(patterns)
    problems = [] if len(found) <= _MOST else [f"{len(found)} names are too many: at most {_MOST}"]
    for one in found:
        if not one or len(one) > _LONGEST:
            problems.append(f"{one[:_LONGEST]!r} is no name of a model, and no pattern such as conflux/*")
        elif "*" not in one and not _known(one, catalogue):
            problems.append(f"no storefront has a model {one!r}: `conflux models list --all` shows them")
    return problems


def _known(name: str, catalogue: Catalogue) -> bool:
    return any(catalogue.resolve(storefront, name) is not None for storefront in catalogue.storefronts)


def _overrides(kind: str, terms: Terms, catalogue: Catalogue) -> list[str]:
    problems = []
    if terms.overrides and kind != "workspace":
        problems.append(f"overrides: rules for coding agents belong to a workspace, not to a {kind}")
    if len(terms.overrides) > _MOST:
        problems.append(f"overrides: {len(terms.overrides)} rules are too many: at most {_MOST}")
    for number, rule in enumerate(terms.overrides, 1):
        place = f"overrides: rule {number}"
        if rule.client not in (ANY_CLIENT, *CLIENTS):
            problems.append(f"{place}: {rule.client!r} is no client: use {', '.join((ANY_CLIENT, *CLIENTS))}")
        if rule.action not in ACTIONS:
            problems.append(f"{place}: {rule.action!r} is no action: use {', '.join(ACTIONS)}")
        if not rule.models or len(rule.models) > _MOST or any(not 0 < len(one) <= _LONGEST for one in rule.models):
            problems.append(f"{place}: name the models it is for, or a pattern such as claude-haiku-*")
        if (rule.action == "substitute") != (rule.to is not None):
            problems.append(f"{place}: what is served instead is said by substitute rules, and only by those")
        elif rule.to is not None and not _known(rule.to, catalogue):
            problems.append(f"{place}: no storefront has a model {rule.to!r} to serve instead")
    return problems
