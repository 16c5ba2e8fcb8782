"""What can be called now: by credentials, by dialects spoken, by the simulator where nothing else is."""

from typing import Any

import pytest

from conflux.catalogue.catalogue import Catalogue, build
from conflux.catalogue.loader import load, shipped_dir
from conflux.dialects import DIALECTS
from conflux.neutral.errors import ConfigError
from conflux.neutral.money import PriceSheet
from conflux.neutral.people import Status
from conflux.neutral.records import Pool, Storefront, Target
from conflux.relay.live import (
    build_snapshot,
    find_live,
    header_line,
    live_provider,
    simulator_provider,
    split_base_url,
    with_statuses,
    with_storefront_prices,
)
from conflux.relay.snapshot import Snapshot
from tests.accounts.token_server import EMAIL, key_file
from tests.policy.samples import model
from tests.relay.shops import provider, shop
from tests.relay.world import World

SIMULATOR = simulator_provider(9100)


def built(
    catalogue: Catalogue, secrets: dict[str, str] | None = None, *, keep: bool = False, simulator: Any = SIMULATOR
) -> Snapshot:
    return build_snapshot(catalogue, (secrets or {}).get, DIALECTS, simulator=simulator, keep_simulator=keep)


def who_plays(snapshot: Snapshot, pool: str = "pond") -> list[str]:
    return [one.live.provider.id for one in snapshot.pools[pool]]


SHIPPED: dict[str, Any] = {"configured": False}
OWNED: dict[str, Any] = {"configured": True}


# --- who is live


@pytest.mark.parametrize(
    ("row", "there", "live"),
    [
        (SHIPPED, {"env:A": "x"}, True),
        (SHIPPED, {}, False),
        (SHIPPED | {"credentials": ()}, {}, False),  # shipped and without a key: nobody asked for it
        (SHIPPED | {"credentials": ("env:A", "env:B")}, {"env:B": "x"}, True),
        (OWNED, {"env:A": "x"}, True),
        (OWNED | {"credentials": ()}, {}, True),  # a local server needs none
        (OWNED | {"auth": "none", "credentials": ()}, {}, True),
        (OWNED | {"auth": "account"}, {"env:A": "x"}, False),
        (OWNED | {"auth": "service-account"}, {"env:A": key_file("https://t.test/token")}, True),
        (SHIPPED | {"auth": "service-account"}, {}, False),
        (SHIPPED | {"dialects": ("smoke-signals",)}, {"env:A": "x"}, False),
        (SHIPPED | {"dialects": ("smoke-signals", "openai-chat")}, {"env:A": "x"}, True),
    ],
)
def test_when_a_provider_is_live(row: dict[str, Any], there: dict[str, str], live: bool) -> None:
    found, problems = find_live(shop(of_provider=row), there.get, DIALECTS)
    assert (list(found), problems) == (["canary-provider-0"] if live else [], [])


def test_a_service_accounts_project_stands_in_the_address() -> None:
    row = OWNED | {"auth": "service-account", "base_url": "https://{location}-x.test/v1/projects/{project}/l/{location}",
                   "variables": {"location": "env:WHERE"}}  # fmt: skip
    secrets = {"env:A": key_file("https://t.test/token"), "env:WHERE": "europe-west4"}
    (live,) = find_live(shop(of_provider=row), secrets.get, DIALECTS)[0].values()
    assert (live.origin, live.base_path) == ("https://europe-west4-x.test", "/v1/projects/project-7/l/europe-west4")
    (credential,) = live.credentials
    assert credential.line == b"" and credential.account is not None and credential.account.email == EMAIL


def test_an_address_that_lacks_a_name_is_told_to_its_owner_only() -> None:
    row = {"base_url": "https://{region}.test", "variables": {"region": "env:WHERE"}}
    for owned, words in ((SHIPPED, []), (OWNED, ["{region} is not set"])):
        live, problems = find_live(shop(of_provider=row | owned), {"env:A": "x"}.get, DIALECTS)
        assert live == {} and all(word in line for word, line in zip(words, problems, strict=True))
    _, (problem,) = find_live(shop(of_provider=row | OWNED), {"env:A": "x", "env:WHERE": "a.b/c"}.get, DIALECTS)
    assert "letters, digits" in problem


@pytest.mark.parametrize("text", ["x", "{}", key_file("http://elsewhere.test/token")])
def test_a_key_file_that_is_none_is_told_without_its_content(text: str) -> None:
    live, (problem,) = find_live(shop(of_provider=OWNED | {"auth": "service-account"}), {"env:A": text}.get, DIALECTS)
    assert live == {} and "service account" in problem and EMAIL not in problem


def test_only_dialects_that_are_spoken_here_are_left() -> None:
    row = OWNED | {"dialects": ("smoke-signals", "openai-chat"), "credentials": ()}
    found, _ = find_live(shop(of_provider=row), lambda _: None, DIALECTS)
    assert found["canary-provider-0"].provider.dialects == ("openai-chat",)


def test_the_credentials_that_are_there_are_kept_in_their_order() -> None:
    row = OWNED | {"credentials": ("env:A", "env:B", "env:C")}
    found, problems = find_live(shop(of_provider=row), {"env:C": "c", "env:A": "a"}.get, DIALECTS)
    kept = found["canary-provider-0"].credentials
    assert [one.name for one in kept] == ["canary-provider-0#env:A", "canary-provider-0#env:C"]
    assert [one.line for one in kept] == [b"authorization: Bearer a\r\n", b"authorization: Bearer c\r\n"]
    assert problems == []


def test_the_owners_mistakes_are_told_all_at_once_and_without_the_secret() -> None:
    rows = [
        provider(0, id="one"),
        provider(1, id="two", dialects=("smoke-signals",)),
        provider(2, id="three", credentials=("env:EVIL",)),
        provider(3, id="four", base_url="http://host:port/v1", credentials=()),
        provider(4, id="five", headers={"x-odd": "a\nb"}, credentials=()),
        provider(5, id="six", credentials=("file:x", "env:B")),
        provider(6, id="fine", credentials=("env:OK",)),
    ]
    catalogue = build([Storefront(id="shop", name="Shop", mount="/")], [], [], rows)
    secrets = {"env:EVIL": "s3cret\r\nx-injected: 1", "env:OK": "fine"}
    with pytest.raises(ConfigError) as error:
        built(catalogue, secrets)
    lines = error.value.problems
    assert [line.split(":")[0] for line in lines] == [
        f"provider {one}" for one in ("one", "two", "three", "four", "five", "six")
    ]
    for line, words in zip(lines, ["env:A gives nothing", "smoke-signals", "authorization", "base_url", "x-odd",
                                   "file:x and env:B gives nothing"], strict=True):  # fmt: skip
        assert words in line
    assert "s3cret" not in str(error.value)


# --- addresses and headers


@pytest.mark.parametrize(
    ("base_url", "origin", "path"),
    [
        ("https://api.example.com/v1", "https://api.example.com", "/v1"),
        ("https://api.example.com/v1/", "https://api.example.com", "/v1"),
        ("https://API.example.com", "https://api.example.com", ""),
        ("http://127.0.0.1:9100/v1", "http://127.0.0.1:9100", "/v1"),
        ("http://[::1]:9100/v1", "http://[::1]:9100", "/v1"),
        ("http://[::1]/v1", "http://[::1]", "/v1"),
        ("unix:/run/llm.sock|/v1", "unix:/run/llm.sock", "/v1"),
        ("unix:/run/llm.sock", "unix:/run/llm.sock", ""),
    ],
)
def test_an_address_is_split_once(base_url: str, origin: str, path: str) -> None:
    found = live_provider(provider(base_url=base_url), ())
    assert (found.origin, found.base_path) == (origin, path)


@pytest.mark.parametrize(
    "bad", ["http://host:port/v1", "http://[::1/v1", "https:///v1", "http://host:99999/v1", "http://h/ü"]
)
def test_what_is_no_address_is_a_mistake_and_no_crash(bad: str) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        split_base_url(bad)


def test_a_header_goes_out_as_one_line() -> None:
    assert header_line("X-Thing", "some value") == b"x-thing: some value\r\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x", "a\r\nb"),
        ("x", "a\nb"),
        ("x", "a\0b"),
        ("x y", "a"),
        ("", "a"),
        ("x:y", "a"),
        ("x\n", "a"),
        ("ü", "a"),
        ("x", "ü"),
    ],
)
def test_what_would_break_a_line_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigError):
        header_line(name, value)


# --- the simulator


def test_without_a_live_provider_the_simulator_plays_every_pool() -> None:
    snapshot = built(shop(of_provider=SHIPPED))
    assert snapshot.simulated
    assert who_plays(snapshot) == ["simulator"]


def test_any_live_provider_turns_it_off_everywhere() -> None:
    catalogue = shop(of_provider=SHIPPED)
    catalogue.pools["dry"] = Pool(id="dry", targets=(Target(provider="nobody", model="m"),))
    snapshot = built(catalogue, {"env:A": "x"})
    assert not snapshot.simulated
    assert who_plays(snapshot) == ["canary-provider-0"]
    assert who_plays(snapshot, "dry") == []
    kept = built(catalogue, {"env:A": "x"}, keep=True)
    assert not kept.simulated
    assert who_plays(kept) == ["canary-provider-0"]  # it never stands beside a real target
    assert who_plays(kept, "dry") == ["simulator"]


def test_it_never_plays_a_connected_account() -> None:
    for keep in (False, True):
        snapshot = built(shop(of_provider=SHIPPED, account=True), keep=keep)
        assert who_plays(snapshot) == []


def test_where_there_is_none_nobody_plays() -> None:
    assert who_plays(built(shop(of_provider=SHIPPED), simulator=None)) == []


def test_every_model_of_the_shipped_catalogue_answers_on_a_fresh_machine_but_the_accounts() -> None:
    snapshot = built(load([shipped_dir()]))
    for one in snapshot.catalogue.models.values():
        answers = not one.account and one.flux is None  # a panel is made of others
        assert bool(snapshot.targets(one, test=False)) is answers, one.id
        assert bool(snapshot.targets(one, test=True)) is answers, one.id


def test_one_key_of_a_shipped_provider_makes_its_models_real() -> None:
    snapshot = built(load([shipped_dir()]), {"env:OPENAI_API_KEY": "x"})
    assert not snapshot.simulated
    players = {one.live.provider.id for targets in snapshot.pools.values() for one in targets}
    assert players == {"openai"}


def test_weights_and_keys_are_the_targets() -> None:
    snapshot = built(shop(2, of_provider=OWNED | {"credentials": ()}, of_target={"weight": 3, "variant": "local"}))
    assert [(one.key, one.weight) for one in snapshot.pools["pond"]] == [
        ("canary-provider-0/canary-model-0/local", 3),
        ("canary-provider-1/canary-model-1/local", 3),
    ]


# --- prices


def test_a_storefronts_margin_is_in_every_price_of_its_models_and_of_no_others() -> None:
    dear = Storefront(id="mall", name="Mall", mount="/mall", margin="1.4")
    plain = Storefront(id="shop", name="Shop", mount="/")
    price = PriceSheet(input=1_000_000, output=2_000_000, cache_read=5)
    rows = [
        model(id="a", price=price, aliases=("uno",)),
        model(id="b", price=price, storefront="mall", aliases=("uno",)),
    ]
    found = with_storefront_prices(build([plain, dear], rows, [], []))
    assert found.models[("shop", "a")].price == price
    marked = found.models[("mall", "b")].price
    assert (marked.input, marked.output, marked.cache_read) == (1_400_000, 2_800_000, 7)
    # by whatever name it is found
    assert found.resolve("mall", "uno") is found.models[("mall", "b")] is found.models_of("mall")[0]


def test_without_a_margin_the_catalogue_stays_what_it_is() -> None:
    catalogue = shop()
    assert with_storefront_prices(catalogue) is catalogue


def test_an_admins_word_stands_over_the_catalogues_until_it_is_taken_back() -> None:
    configured = World(shop(more=[model(id="shop/off", enabled=False)])).snapshot

    def status(model: str, enabled: bool) -> Status:
        return Status(storefront="shop", model=model, enabled=enabled, changed=1)

    said = [status("shop/one", False), status("shop/off", True), status("gone", False)]
    switched = with_statuses(configured, said, 7)
    assert {one.id: one.enabled for one in switched.catalogue.models_of("shop")} == {
        "shop/off": True, "shop/one": False,
    }  # fmt: skip
    assert switched.catalogue.resolve("shop", "uno") is switched.catalogue.models["shop", "shop/one"]
    assert (switched.version, switched.pools) == (7, configured.pools)
    assert switched.fixed is not configured.fixed and switched.standings is not configured.standings
    again = with_statuses(configured, [], 8)
    assert again.catalogue.models == configured.catalogue.models
