"""Twin of faces/usage.py: what is asked, what is refused, what is shown."""

import csv
import io
import json

import msgspec
import pytest

from conflux.faces.usage import sight_of, understand
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.reports import FIGURES, UsageAsked, UsageRow
from tests.faces.door import opened
from tests.policy.samples import caller
from tests.relay.key_book import Keys
from tests.relay.shops import shop
from tests.relay.world import KEY, World

NOW = 1_795_089_600.0  # 2026-11-19
TODAY = 20_776
MINE = caller(key_id=7)
BEARER = f"authorization: Bearer {KEY}"


def ask(query: str, who=MINE, mount=None):
    return understand(query.encode(), sight_of(who), mount, NOW)


def test_what_nobody_says_is_the_last_thirty_days_by_day() -> None:
    wish = ask("")
    assert wish.asked == UsageAsked(first=TODAY - 29, last=TODAY, by=("day",), key=7)
    assert not wish.csv and wish.columns == ("day",)


def test_what_can_be_said() -> None:
    wish = ask("group_by=model,tag:team,day&from=2026-11-18&to=2026-11-19&format=csv&model=a%2Fb&user=acme/ann")
    where = (("model", "a/b"), ("user", "acme/ann"))
    assert wish.asked == UsageAsked(first=TODAY - 1, last=TODAY, by=("model", "day"), tag="team", key=7, where=where)
    assert wish.csv and wish.columns == ("model", "tag:team", "day")
    assert ask("group_by=").asked.by == ()


def test_an_admin_sees_all_and_a_mount_shows_its_own() -> None:
    assert ask("", caller(admin=True)).asked.key is None
    assert ask("", mount="shop").asked.where == (("storefront", "shop"),)


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("group_by=colour", "group_by"),
        ("group_by=day,day", "group_by"),
        ("group_by=tag:", "group_by"),
        ("group_by=tag:a,tag:b", "group_by"),
        ("group_by=day,", "group_by"),
        ("from=yesterday", "from"),
        ("from=20261101", "from"),
        ("from=2026-11-31", "from"),
        ("to=1969-12-31", "to"),
        ("from=2026-11-19&to=2026-11-18", "from"),
        ("format=xml", "format"),
        ("colour=red", "colour"),
        ("to=2026-11-19&to=2026-11-18", "to"),
        ("model=%00", "model"),
    ],
)
def test_a_mistake_is_refused_by_its_place(query: str, place: str) -> None:
    with pytest.raises(GatewayError) as caught:
        ask(query)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID, place)


class Book:
    def __init__(self, *rows: UsageRow) -> None:
        self.rows = list(rows)
        self.asked: list[UsageAsked] = []

    async def sums(self, asked: UsageAsked) -> list[UsageRow]:
        self.asked.append(asked)
        return self.rows


FIGURED = tuple({"requests": 2, "cost": 60_900, "variance": 5, "provider_cost": 7, "credits": 84_000,
                 "input": 28, "output": 9}.get(one, 0) for one in FIGURES)  # fmt: skip


async def test_money_is_exact_and_the_house_s_own_is_for_admins() -> None:
    book = Book(UsageRow((TODAY,), "=1+1", False, FIGURED), UsageRow((TODAY,), None, True, FIGURED))
    async with opened(World(shop()), usage=book) as door:
        status, head, body = await door.get("/v1/usage?group_by=day,tag:team", BEARER)
        said = json.loads(body)
        assert status == 200 and b"no-cache" in head
        row = said["data"][0]
        assert (row["day"], row["tag:team"], row["cost_usd"], row["credits"]) == (
            "2026-11-19",
            "=1+1",
            "0.0000609",
            "0.084",
        )
        assert row["usage"]["input"] == 28 and row["simulated"] is False
        assert said["total"]["requests"] == 2, "what was simulated costs nothing"
        assert "provider_cost_usd" not in row and "variance_usd" not in said["total"]
    world = World(shop())
    world.parts = msgspec.structs.replace(world.parts, keys=Keys({KEY: caller(admin=True)}))
    async with opened(world, usage=book) as door:
        _, _, body = await door.get("/v1/usage?group_by=day,tag:team", BEARER)
        assert json.loads(body)["data"][0]["provider_cost_usd"] == "0.000000007"
    assert book.asked[0].key == 1 and book.asked[1].key is None


async def test_csv_holds_the_same_and_no_formula() -> None:
    book = Book(UsageRow((TODAY,), "=1+1", False, FIGURED), UsageRow((TODAY,), None, True, FIGURED))
    async with opened(World(shop()), usage=book) as door:
        status, head, body = await door.get("/v1/usage?group_by=day,tag:team&format=csv", BEARER)
    assert status == 200 and b"text/csv" in head
    rows = list(csv.DictReader(io.StringIO(body.decode())))
    assert [row["tag:team"] for row in rows] == ["'=1+1", ""]
    assert (rows[0]["day"], rows[0]["cost_usd"], rows[0]["input"], rows[1]["simulated"]) == (
        "2026-11-19", "0.0000609", "28", "true",
    )  # fmt: skip


async def test_it_needs_a_key_and_refuses_over_http() -> None:
    async with opened(World(shop())) as door:
        assert (await door.get("/v1/usage"))[0] == 401
        status, _, body = await door.get("/v1/usage?from=x", BEARER)
        assert status == 400 and json.loads(body)["error"]["param"] == "from"


async def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflux.faces.usage._MOST_ROWS", 1)
    row = UsageRow((TODAY,), None, False, FIGURED)
    async with opened(World(shop()), usage=Book(row, row)) as door:
        assert (await door.get("/v1/usage", BEARER))[0] == 400
