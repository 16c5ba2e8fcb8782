"""From catalogue and credentials to what can be called now.

Law: pure. A provider is live where its dialect is spoken and its credential is there; the owner's own row also without
one. With no live provider the simulator stands in for every pool but the connected accounts'.
"""

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

import msgspec

from conflux.billing.amounts import with_margin
from conflux.catalogue.catalogue import Catalogue, build, live_targets
from conflux.neutral.errors import ConfigError
from conflux.neutral.people import Status
from conflux.neutral.ports import ServiceAccount
from conflux.neutral.probes import Finding
from conflux.neutral.records import Pool, Provider
from conflux.relay.found_out import with_findings
from conflux.relay.snapshot import Credential, HeaderNames, LiveProvider, LiveTarget, Snapshot, stand_in

SIMULATOR = "simulator"

_LOOPBACK = re.compile(r"http://(?:127\.0\.0\.1|\[::1\]|localhost)[:/]")
_NAME = re.compile(r"\{([a-z_]+)\}")
_VALUE = re.compile(r"[A-Za-z0-9._-]+")

# credential text -> its secret, or None where it is not there
Secrets = Callable[[str], str | None]


def simulator_provider(port: int) -> LiveProvider:
    provider = Provider(
        id=SIMULATOR,
        base_url=f"http://127.0.0.1:{port}/v1",
        dialects=("openai-chat", "openai-completions", "embeddings"),
        label="Simulator",
        simulated=True,
    )
    return live_provider(provider, ())


def live_provider(provider: Provider, secrets: Iterable[tuple[str, str]]) -> LiveProvider:
    """Split the address once, encode the headers once. Raises ConfigError."""
    credentials = tuple(_credential(provider, name, secret) for name, secret in secrets)
    project = next((one.account.project for one in credentials if one.account is not None), "")
    base_url = filled(provider.base_url, {"project": project, **provider.variables})
    origin, base_path = split_base_url(base_url)
    headers = {"content-type": "application/json", "user-agent": "conflux", **provider.headers}
    return LiveProvider(
        provider=provider,
        origin=origin,
        base_path=base_path.rstrip("/"),
        head=b"".join(header_line(name, value) for name, value in headers.items()),
        credentials=credentials,
    )


def _credential(provider: Provider, name: str, secret: str) -> Credential:
    name = f"{provider.id}#{name}"
    if provider.auth == "service-account":
        return Credential(name, b"", service_account(secret))
    return Credential(name, _auth_line(provider.auth, secret))


class _KeyFile(msgspec.Struct):
    """What a provider gives out for a service account."""

    client_email: str
    private_key: str
    token_uri: str
    private_key_id: str = ""
    project_id: str = ""


def service_account(text: str) -> ServiceAccount:
    """Raises ConfigError, which never holds what was wrong: it is a secret."""
    try:
        found = msgspec.json.decode(text, type=_KeyFile)
    except msgspec.MsgspecError:
        raise ConfigError(
            ["credential: is no service account's key file: JSON with client_email, private_key and token_uri"]
        ) from None
    if not found.token_uri.startswith("https://") and not _LOOPBACK.match(found.token_uri):
        raise ConfigError(["credential: the service account's token_uri is not https"])
    return ServiceAccount(email=found.client_email, key=found.private_key, key_id=found.private_key_id,
                          token_uri=found.token_uri, project=found.project_id)  # fmt: skip


def filled(base_url: str, variables: Mapping[str, str]) -> str:
    """The address with its {names} put in. Raises ConfigError."""

    def value(found: re.Match[str]) -> str:
        text = variables.get(found[1], "")
        if not _VALUE.fullmatch(text):
            said = "is not set" if not text else "may hold letters, digits, . _ and - only"
            raise ConfigError([f"base_url: {{{found[1]}}} {said}: write it under variables"])
        return text

    return _NAME.sub(value, base_url)


def split_base_url(base_url: str) -> tuple[str, str]:
    """The origin and the path below it; of unix:/run/llm.sock|/v1 the socket and what follows the bar."""
    if base_url.startswith("unix:"):
        socket, _, path = base_url.partition("|")
        return socket, path
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigError([f"base_url: {error}"]) from None
    if not host or not parts.path.isascii():
        raise ConfigError(["base_url: write https://HOST/PATH, or unix:/SOCKET|/PATH"])
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + (f":{port}" if port else ""), parts.path


def header_line(name: str, value: str) -> bytes:
    """A header as it goes out. What could break a line is refused where it is configured, not where it is sent."""
    line = f"{name.lower()}: {value}"
    if not line.isascii() or not line.isprintable() or not name or " " in name or ":" in name:
        raise ConfigError([f"the header {name!r} holds a line break, or a character that no header takes"])
    return line.encode() + b"\r\n"


def _auth_line(auth: str, secret: str) -> bytes:
    if auth == "none":
        return b""
    if auth == "basic":
        return header_line("authorization", "Basic " + base64.b64encode(secret.encode()).decode())
    if auth in ("x-api-key", "api-key", "x-goog-api-key"):
        return header_line(auth, secret)
    return header_line("authorization", f"Bearer {secret}")


def find_live(
    catalogue: Catalogue, secrets: Secrets, spoken: Iterable[str]
) -> tuple[dict[str, LiveProvider], list[str]]:
    """The providers that can be called, and what is wrong with those the owner configured."""
    known = frozenset(spoken)
    live: dict[str, LiveProvider] = {}
    problems: list[str] = []
    asked: dict[str, frozenset[str]] = {}
    for target in (one for pool in catalogue.pools.values() for one in pool.targets):
        asked[target.provider] = asked.get(target.provider, frozenset()) | {target.model}
    for provider in catalogue.providers.values():
        dialects = tuple(one for one in provider.dialects if one in known)
        if not dialects:
            if provider.configured:
                problems.append(
                    f"provider {provider.id}: dialect: none of {', '.join(provider.dialects)} is spoken here; "
                    f"there are {', '.join(sorted(known))}"
                )
            continue
        if provider.auth == "account":
            continue  # a person's account, which is not a plain credential
        found = [(name, secret) for name in provider.credentials if (secret := secrets(name))]
        if provider.configured and provider.credentials and not found:
            problems.append(
                f"provider {provider.id}: credential: {' and '.join(provider.credentials)} gives nothing: set it, or "
                "leave credential out"
            )
            continue
        if not found and not (provider.configured and not provider.credentials):
            continue
        variables = {name: _variable(value, secrets) for name, value in provider.variables.items()}
        if not all(variables.values()) and not provider.configured:
            continue  # its key is there, but nobody said where it is
        try:
            known_one = msgspec.structs.replace(provider, dialects=dialects, variables=variables)
            made = live_provider(known_one, found)
            live[provider.id] = msgspec.structs.replace(made, models=asked.get(provider.id, frozenset()))
        except ConfigError as error:
            problems += [f"provider {provider.id}: {line}" for line in error.problems]
    return live, problems


def _variable(text: str, secrets: Secrets) -> str:
    return (secrets(text) or "") if text.startswith("env:") else text


def build_snapshot(
    catalogue: Catalogue,
    secrets: Secrets,
    spoken: Iterable[str],
    *,
    simulator: LiveProvider | None,
    keep_simulator: bool,
    version: int = 0,
) -> Snapshot:
    """Raises ConfigError with every mistake of a configured provider."""
    live, problems = find_live(catalogue, secrets, spoken)
    if problems:
        raise ConfigError(problems)
    simulated = not live
    accounts = {model.pool for model in catalogue.models.values() if model.account}
    pools: dict[str, tuple[LiveTarget, ...]] = {}
    for pool in catalogue.pools.values():
        targets = _targets(pool, live)
        if not targets and simulator is not None and (simulated or keep_simulator) and pool.id not in accounts:
            targets = (stand_in(simulator, pool.id),)
        pools[pool.id] = targets
    return Snapshot(
        catalogue=with_storefront_prices(catalogue),
        pools=pools,
        simulator=simulator,
        simulated=simulated,
        names={one.id: HeaderNames.of(one.header_prefix) for one in catalogue.storefronts.values()},
        fixed={},
        standings={},
        version=version,
    )


def with_statuses(
    snapshot: Snapshot, statuses: Iterable[Status], version: int, findings: Iterable[Finding] = ()
) -> Snapshot:
    """The same with what an admin has switched on and off over what the catalogue says, and with what was found out of
    targets where it says nothing. What speaks of models that are not there any more changes nothing."""
    catalogue = snapshot.catalogue
    said = {(one.storefront, one.model): one.enabled for one in statuses}
    models = [
        msgspec.structs.replace(model, enabled=said.get(name, model.enabled))
        for name, model in catalogue.models.items()
    ]
    models = with_findings(models, lambda pool: snapshot.pools.get(pool, ()), findings)
    switched = build(catalogue.storefronts.values(), models, catalogue.pools.values(), catalogue.providers.values(),
                     catalogue.plans.values())  # fmt: skip
    return msgspec.structs.replace(snapshot, catalogue=switched, fixed={}, standings={}, boards={}, version=version)


def _targets(pool: Pool, live: dict[str, LiveProvider]) -> tuple[LiveTarget, ...]:
    return tuple(
        LiveTarget(target=target, live=live[target.provider], key=target.key, weight=target.weight)
        for target in live_targets(pool, live.__contains__)
    )


def with_storefront_prices(catalogue: Catalogue) -> Catalogue:
    """The same catalogue with each storefront's margin in its models' prices: what is charged and what is listed. The
    data hold the cost once; this is the only place that turns it into a price."""
    models = [
        msgspec.structs.replace(model, price=with_margin(model.price, catalogue.storefronts[model.storefront].margin))
        for model in catalogue.models.values()
    ]
    if all(model.price is catalogue.models[model.storefront, model.id].price for model in models):
        return catalogue
    return build(catalogue.storefronts.values(), models, catalogue.pools.values(), catalogue.providers.values(),
                     catalogue.plans.values())  # fmt: skip
