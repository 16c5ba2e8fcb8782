"""What an admin can do, as functions: the wish understood, every mistake told, plain JSON back."""

from typing import Any

import pytest

from conflux.faces.operations import OPERATIONS, NewKey, Operations, understand
from conflux.neutral.errors import ConfigError
from conflux.neutral.keys import KeyOrder, KeyRow
from conflux.neutral.records import Storefront
from tests.relay.shops import shop
from tests.relay.world import World

NOW = 1_790_000_000.0


def world() -> World:
    catalogue = shop()
    catalogue.storefronts["many"] = Storefront(
        id="many", name="Many", mount="/many", key_prefixes=("m_", "mt_", "ma_"), test_prefixes=("mt_",),
        agent_prefixes=("ma_",),
    )  # fmt: skip
    return World(catalogue)


def order(**wish: Any) -> KeyOrder:
    return understand(NewKey(**wish), world().snapshot, NOW)


def test_the_root_is_meant_where_no_storefront_is_named() -> None:
    made = order(name="laptop")
    assert (made.storefront, made.prefix, made.name, made.budget, made.models) == ("shop", "sh_", "laptop", None, None)


@pytest.mark.parametrize(
    ("wish", "prefix"), [({}, "m_"), ({"test": True}, "mt_"), ({"agent": True}, "ma_"), ({"admin": True}, "m_")]
)
def test_each_kind_of_key_has_its_prefix(wish: dict[str, bool], prefix: str) -> None:
    assert order(storefront="many", **wish).prefix == prefix


def test_models_are_kept_by_their_id_whatever_they_were_called() -> None:
    assert order(models=["uno"]).models == ("shop/one",)


def test_money_is_exact_and_spans_are_from_now() -> None:
    made = order(budget_usd="0.000000001", expires="30d")
    assert made.budget == 1
    assert made.expires_at == int(NOW) + 30 * 86_400
    assert order(expires="2099-12-31T12:00").expires_at == 4_102_401_600


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"storefront": "nowhere"}, "there is no storefront 'nowhere'; there are shop, many"),
        ({"models": ["nothing"]}, "--models: the storefront shop has no model 'nothing'"),
        ({"budget_usd": "1.0000000001"}, "--budget-usd"),
        ({"budget_usd": "-1"}, "--budget-usd"),
        ({"expires": "soon"}, "--expires: 'soon'"),
        ({"expires": "2001-01-01"}, "--expires: 2001-01-01 is over already"),
        ({"test": True}, "--test: the storefront shop has no such keys"),
        ({"test": True, "agent": True, "storefront": "many"}, "--test and --agent do not go together"),
    ],
)
def test_a_mistake_is_one_line(wish: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        order(**wish)
    assert any(line.startswith(said) for line in caught.value.problems)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        order(models=["x"], budget_usd="x", expires="x", test=True)
    assert len(caught.value.problems) == 4


class Keys:
    """Implements KeyAdmin in a list."""

    def __init__(self) -> None:
        self.orders: list[KeyOrder] = []
        self.revoked: list[str] = []

    async def create(self, order: KeyOrder) -> tuple[str, str]:
        self.orders.append(order)
        return f"key_{len(self.orders)}", order.prefix + "secret"

    async def list(self) -> list[KeyRow]:
        return [
            KeyRow(id="key_1", name="n", prefix="sh_", last4="abcd", storefront="shop", workspace="default",
                   user="default", admin=False, test=False, agent=False, models=None, budget=1_500_000_000, spent=1,
                   created=1, expires_at=None, revoked=False)
        ]  # fmt: skip

    async def revoke(self, key_id: str) -> bool:
        self.revoked.append(key_id)
        return key_id == "key_1"


def operations() -> tuple[Operations, Keys]:
    keys = Keys()
    there = world()

    async def said() -> dict[str, Any]:
        return {"said": True}

    return Operations(keys, lambda: there.snapshot, said, lambda: {"up": True}, said), keys


async def test_every_operation_answers_in_plain_json() -> None:
    params: dict[str, dict[str, Any]] = {"keys.revoke": {"id": "key_1"}, "models.show": {"id": "uno"}}
    ops, _ = operations()
    for name in OPERATIONS:
        assert isinstance(await ops.run(name, params.get(name, {})), dict), name


async def test_a_key_is_made_and_shown_without_its_secret() -> None:
    ops, keys = operations()
    assert await ops.run("keys.create", {"name": "x"}) == {"id": "key_1", "key": "sh_secret"}
    assert keys.orders[0].name == "x"
    (row,) = (await ops.run("keys.list", {}))["keys"]
    assert row["budget_usd"] == "1.5" and row["spent_usd"] == "0.000000001" and "budget" not in row


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("nothing", {}, "there is no operation 'nothing'"),
        ("keys.create", {"nam": "x"}, "keys create: .*nam"),
        ("keys.revoke", {"id": "key_9"}, "there is no key 'key_9'"),
        ("models.list", {"storefront": "x"}, "there is no storefront 'x'"),
        ("models.show", {"id": "x"}, "there is no model 'x'"),
    ],
)
async def test_wrong_params_are_one_line(name: str, params: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        await operations()[0].run(name, params)


async def test_models_are_shown_with_what_stands_behind_them() -> None:
    ops, _ = operations()
    (listed,) = (await ops.run("models.list", {"storefront": "shop"}))["models"]
    assert listed["id"] == "shop/one" and listed["live"] is True and listed["input_usd_per_million"] == "1"
    (shown,) = (await ops.run("models.show", {"id": "uno"}))["models"]
    assert len(shown["targets"]) == 1
