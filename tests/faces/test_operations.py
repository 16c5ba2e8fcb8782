"""What an admin asks for, understood, checked and done."""

from datetime import UTC, datetime
from typing import Any

import pytest

from conflux.configured import make_snapshot
from conflux.faces.operations import OPERATIONS, NewKey, Operations, model_view, understand
from conflux.neutral.errors import ConfigError
from conflux.neutral.keys import KeyOrder, KeyRow
from conflux.relay.snapshot import Snapshot
from conflux.settings import load

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp()
DAY = 86_400


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return make_snapshot(load({}, {}), None)


class Keys:
    """A key store of one list."""

    def __init__(self) -> None:
        self.orders: list[KeyOrder] = []
        self.rows: list[KeyRow] = []

    async def create(self, order: KeyOrder) -> tuple[str, str]:
        self.orders.append(order)
        return "key_7", "cf_live_secret"

    async def list(self) -> list[KeyRow]:
        return self.rows

    async def revoke(self, key_id: str) -> bool:
        return key_id == "key_7"


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def operations(keys: Keys, snapshot: Snapshot) -> Operations:
    async def reload() -> dict[str, Any]:
        return {"models": 3}

    async def verify() -> dict[str, int]:
        return {"unbalanced": 0}

    async def echo(params: dict[str, Any]) -> Any:
        return params

    async def workspaces(params: dict[str, Any]) -> Any:
        return {"workspaces": [{"name": "default"}, {"name": "acme"}]}

    async def users(params: dict[str, Any]) -> Any:
        return {"users": [{"name": {"default": "default", "acme": "ann"}[params["workspace"]]}]}

    async def probes(params: dict[str, Any]) -> Any:
        return {"probes": [{"target": "gone/model", "holds": "yes"}]}

    more = {"more.echo": echo, "probe.list": probes, "workspaces.list": workspaces, "users.list": users}
    return Operations(keys, lambda: snapshot, reload, lambda: {"in_flight": 2}, verify, more)


# --- understanding


def test_a_plain_wish_gets_a_plain_key(snapshot: Snapshot) -> None:
    assert understand(NewKey(), snapshot, NOW) == KeyOrder(prefix="cf_live_", storefront="conflux", name="key")
    assert understand(NewKey(admin=True), snapshot, NOW).name == "admin"


@pytest.mark.parametrize(
    ("storefront", "flags", "prefix"),
    [
        ("conflux", {}, "cf_live_"),
        ("conflux", {"test": True}, "cf_test_"),
        ("tokenflux", {}, "tf_"),
        ("inference", {}, "inf_"),
        ("llmbase", {}, "llmbase_"),
        ("llmbase", {"agent": True}, "llmbase_chat_"),
    ],
)
def test_each_kind_of_key_has_its_prefix(
    snapshot: Snapshot, storefront: str, flags: dict[str, Any], prefix: str
) -> None:
    order = understand(NewKey(storefront=storefront, **flags), snapshot, NOW)
    assert (order.prefix, order.storefront) == (prefix, storefront)
    assert {"test": order.test, "agent": order.agent} == {"test": False, "agent": False, **flags}


def test_everything_that_narrows_a_key_arrives(snapshot: Snapshot) -> None:
    wish = NewKey(
        name="laptop", workspace="team", user="ann", models=["gpt-4o-mini"], budget_usd="0.000000001", expires="2d"
    )
    order = understand(wish, snapshot, NOW)
    assert (order.name, order.workspace, order.user) == ("laptop", "team", "ann")
    assert (order.models, order.budget, order.expires_at) == (("gpt-4o-mini",), 1, int(NOW) + 2 * DAY)


def test_an_alias_means_the_model_it_names(snapshot: Snapshot) -> None:
    alias, model = next((name, one) for one in snapshot.catalogue.models_of("tokenflux") for name in one.aliases)
    assert understand(NewKey(storefront="tokenflux", models=[alias]), snapshot, NOW).models == (model.id,)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30d", 30 * DAY),
        ("12h", DAY // 2),
        ("2w", 14 * DAY),
        ("2026-11-02", DAY // 2),
        ("2026-11-01T13:00", 3600),
        ("2026-11-01T13:00+02:00", -3600),
        ("2026-11-01T13:00:00Z", 3600),
    ],
)
def test_until_when(snapshot: Snapshot, text: str, seconds: int) -> None:
    if seconds < 0:
        with pytest.raises(ConfigError, match="over already"):
            understand(NewKey(expires=text), snapshot, NOW)
    else:
        assert understand(NewKey(expires=text), snapshot, NOW).expires_at == int(NOW) + seconds


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"storefront": "nowhere"}, ["'nowhere'; there are conflux, tokenflux, inference, llmbase"]),
    ({"name": "two\nlines"}, ["--name"]),
    ({"name": "clear\x1b[2J"}, ["--name"]),
    ({"name": "n" * 201}, ["--name"]),
    ({"models": ["gpt-4o-mini", "a", "b"]}, ["no model 'a'", "no model 'b'"]),
    ({"models": []}, ["--models"]),
    ({"budget_usd": "five"}, ["--budget-usd"]),
    ({"budget_usd": "-1"}, ["--budget-usd"]),
    ({"budget_usd": "0.0000000001"}, ["--budget-usd"]),
    ({"budget_usd": "1e3"}, ["--budget-usd"]),
    ({"expires": "soon"}, ["--expires"]),
    ({"expires": ""}, ["--expires"]),
    ({"expires": "d"}, ["--expires"]),
    ({"expires": "2020-01-01"}, ["--expires"]),
    ({"expires": "0d"}, ["--expires"]),
    ({"expires": "99999999999999d"}, ["--expires"]),
    ({"test": True, "agent": True}, ["--test and --agent"]),
    ({"storefront": "tokenflux", "test": True}, ["--test"]),
    ({"agent": True}, ["--agent"]),
    ({"models": ["x"], "budget_usd": "y", "expires": "z"}, ["--models", "--budget-usd", "--expires"]),
]


@pytest.mark.parametrize(("wish", "words"), WRONG, ids=[str(wish)[:50] for wish, _ in WRONG])
def test_every_mistake_of_a_wish_is_told(snapshot: Snapshot, wish: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ConfigError) as found:
        understand(NewKey(**wish), snapshot, NOW)
    assert len(found.value.problems) >= len(words)
    for problem, word in zip(found.value.problems, words, strict=False):
        assert word in problem


# --- doing


async def test_a_key_is_made_and_shown(operations: Operations, keys: Keys) -> None:
    made = await operations.run("keys.create", {"name": "laptop", "storefront": None})
    assert made == {"id": "key_7", "key": "cf_live_secret"}
    assert [order.name for order in keys.orders] == ["laptop"]


@pytest.mark.parametrize("params", [{"colour": "blue"}, {"models": "gpt-4o-mini"}, {"admin": "yes"}, {"name": 5}])
async def test_a_wish_of_the_wrong_shape(operations: Operations, keys: Keys, params: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as found:
        await operations.run("keys.create", params)
    assert next(iter(params)) in str(found.value)
    assert keys.orders == []


@pytest.mark.parametrize(
    ("owner", "told"),
    [
        ({}, []),
        ({"workspace": "acme", "user": "ann"}, []),
        ({"workspace": "amce", "user": "ann"}, ["'amce'"]),
        ({"workspace": "acme", "user": "anne"}, ["'acme'", "'anne'"]),
    ],
)
async def test_whom_a_key_makes_is_told(operations: Operations, owner: dict[str, str], told: list[str]) -> None:
    made = await operations.run("keys.create", owner)
    assert bool(told) is ("notes" in made)
    assert all(word in made["notes"][0] for word in told)


async def test_keys_are_listed_in_dollars_and_without_secrets(operations: Operations, keys: Keys) -> None:
    keys.rows = [
        KeyRow(id="key_1", name="a", prefix="cf_live_", last4="wxyz", storefront="conflux", workspace="default",
               user="default", admin=False, test=False, agent=False, models=None, budget=budget, spent=1_500_000_000,
               created=1, expires_at=None, revoked=False)
        for budget in (None, 2_000_000_000)
    ]  # fmt: skip
    rows = (await operations.run("keys.list", {}))["keys"]
    assert [(row["budget_usd"], row["spent_usd"]) for row in rows] == [(None, "1.5"), ("2", "1.5")]
    assert not {"budget", "spent", "key", "secret"} & set(rows[0])


async def test_a_key_is_revoked_by_its_id(operations: Operations) -> None:
    assert await operations.run("keys.revoke", {"id": "key_7"}) == {"id": "key_7", "revoked": True}
    for params in ({"id": "key_8"}, {}):
        with pytest.raises(ConfigError, match="keys list"):
            await operations.run("keys.revoke", params)


async def test_models_are_listed_by_storefront(operations: Operations, snapshot: Snapshot) -> None:
    every = (await operations.run("models.list", {"all": True}))["models"]
    some = (await operations.run("models.list", {}))["models"]
    one = (await operations.run("models.list", {"storefront": "inference"}))["models"]
    assert len(every) == len(snapshot.catalogue.models) > len(some) > len(one) > 0
    assert {row["storefront"] for row in one} == {"inference"}
    assert {row["status"] for row in some} == {"enabled"} != {row["status"] for row in every}
    with pytest.raises(ConfigError, match="nowhere"):
        await operations.run("models.list", {"storefront": "nowhere"})


async def test_a_model_is_shown_with_what_is_really_called(operations: Operations) -> None:
    (row,) = (await operations.run("models.show", {"id": "conflux/deepseek-v4-pro"}))["models"]
    assert (row["id"], row["storefront"], row["targets"], row["live"], row["probes"]) == (
        "conflux/deepseek-v4-pro", "conflux", [], False, [],
    )  # fmt: skip
    with pytest.raises(ConfigError, match="models list"):
        await operations.run("models.show", {"id": "nobody"})
    with pytest.raises(ConfigError):
        await operations.run("models.show", {"id": "conflux/deepseek-v4-pro", "storefront": "inference"})


def test_a_model_as_the_document_has_it(snapshot: Snapshot) -> None:
    model = snapshot.catalogue.resolve("conflux", "conflux/deepseek-v4-pro")
    assert model is not None
    view = model_view(model, snapshot)
    assert (view["input_usd_per_million"], view["output_usd_per_million"]) == ("0.435", "0.87")
    assert (view["context"], view["context_text"].split()[0]) == (1_048_576, "1.0M")
    assert view["capabilities"] == sorted(["text", "tools", "files", "web_search", "completions"])
    assert view["assumed"] == ["tier"]


async def test_the_rest_is_asked_of_whoever_knows(operations: Operations) -> None:
    assert await operations.run("server.reload", {}) == {"models": 3}
    assert await operations.run("server.status", {}) == {"in_flight": 2}
    assert await operations.run("ledger.verify", {}) == {"unbalanced": 0}


async def test_what_others_do_is_done_by_name(operations: Operations) -> None:
    assert await operations.run("more.echo", {"a": 1}) == {"a": 1}
    with pytest.raises(ConfigError, match=r"more\.echo"):
        await operations.run("nothing", {})


@pytest.mark.parametrize("name", ["", "keys", "keys.steal", "__class__", "run"])
async def test_what_is_no_operation_is_told_with_those_there_are(operations: Operations, name: str) -> None:
    with pytest.raises(ConfigError) as found:
        await operations.run(name, {})
    assert all(one in str(found.value) for one in OPERATIONS)
