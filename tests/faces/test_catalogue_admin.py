"""Refreshing and deciding: facts act on who is tried last, figures wait, and the last good list survives everything."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.changes import Change
from conflux.catalogue.loader import load
from conflux.catalogue.provider_lists import ListRefused
from conflux.faces.catalogue_admin import OPERATIONS, CatalogueAdmin, Surroundings
from conflux.neutral.errors import ConfigError
from conflux.relay.live import live_provider
from conflux.relay.snapshot import LiveProvider
from conflux.stores.catalogue import CatalogueRows
from conflux.stores.migrate import migrate
from conflux.stores.sqlite_ledger import SqliteLedger
from tests.catalogue.samples import Tables, tables

NOW = 1_795_089_600
POND = "up/up-1/cloud"


def rows(*names: str, **more: Any) -> bytes:
    return json.dumps({"data": [{"id": name, **more} for name in names]}).encode()


def priced(prompt: str = "0.000001", completion: str = "0.000002", **more: Any) -> bytes:
    return rows("up-1", pricing={"prompt": prompt, "completion": completion}, **more)


class World:
    """One shop, one provider `up` whose answer is `says`, and what the admin did to them."""

    def __init__(self, ledger: SqliteLedger) -> None:
        self.now = NOW
        self.tables: Tables = tables(model={"context": 1000})
        self.says: bytes | ListRefused = rows("up-1")
        self.asked = 0
        self.read = 0
        self.held: asyncio.Event | None = None
        self.taken_over = 0
        self.marked: Mapping[str, str] = {}
        self.book = CatalogueRows(ledger, lambda: self.now)
        self.admin = CatalogueAdmin(
            self.book,
            Surroundings(self.files, self.live, self.fetch, self.take_over, self.mark, lambda: self.now),
        )

    def files(self, changes: Iterable[Change]) -> Catalogue:
        self.read += 1
        return load([], self.tables, changes=changes)

    def live(self) -> dict[str, LiveProvider]:
        return {"up": live_provider(self.files(()).providers["up"], ())}

    async def fetch(self, live: LiveProvider) -> bytes:
        self.asked += 1
        if self.held is not None:
            await self.held.wait()
        if isinstance(self.says, ListRefused):
            raise self.says
        return self.says

    async def take_over(self) -> None:
        self.taken_over += 1

    def mark(self, missing: Mapping[str, str]) -> None:
        self.marked = missing

    async def run(self, what: str, **params: Any) -> Any:
        return await self.admin.run(f"catalogue.{what}", params)

    async def sync(self, says: bytes | ListRefused, **params: Any) -> Any:
        self.says = says
        self.now += 3600
        done = await self.run("sync", **params)
        return done["sources"][0]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("empty") / "x.db"
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection)
    connection.close()
    return path.read_bytes()


@pytest.fixture
async def world(tmp_path: Path, empty: bytes) -> AsyncIterator[World]:
    (tmp_path / "x.db").write_bytes(empty)
    ledger = SqliteLedger.open(tmp_path / "x.db", lambda: NOW)
    yield World(ledger)
    await ledger.aclose()


async def refused(world: World, what: str, **params: Any) -> list[str]:
    with pytest.raises(ConfigError) as error:
        await world.run(what, **params)
    return error.value.problems


# --- looking


async def test_a_refresh_changes_no_figure(world: World) -> None:
    before = world.files(())
    seen = await world.sync(priced("0.000009", "0.000009", context_length=500))
    assert (seen["outcome"], seen["models"], seen["good"]) == ("ok", 1, world.now)
    assert await world.admin._catalogue() == before
    assert world.taken_over == 0 and world.marked == {}
    found = await world.run("diff")
    assert [(one["id"], one["field"], one["new"]) for one in found["changes"]] == [
        (1, "context", {"context": 500}),
        (2, "price", {"price": {"input": "9", "output": "9"}}),
        (3, "cost", {"cost": {"input": "9", "output": "9"}}),
    ]


async def test_a_model_that_vanished_is_tried_last_until_it_is_back(world: World) -> None:
    await world.sync(rows("up-1", "b", "c"))
    seen = await world.sync(rows("b", "c"))
    since = world.now
    assert (seen["vanished"], seen["back"], seen["missing"]) == (["up-1"], [], {"up-1": since})
    assert list(world.marked) == [POND] and "not in its provider's list since 2026-" in world.marked[POND]
    seen = await world.sync(rows("b", "c"))
    assert (seen["vanished"], seen["missing"]) == ([], {"up-1": since})
    assert (await world.run("diff"))["missing"] == [{"target": POND, "since": since}]
    world.marked = {}
    await world.admin.remember()  # as another process does at its start
    assert list(world.marked) == [POND]
    seen = await world.sync(rows("up-1", "b", "c"))
    assert (seen["back"], world.marked) == (["up-1"], {})


async def test_what_was_never_listed_is_told_and_nothing_else(world: World) -> None:
    seen = await world.sync(rows("b"))
    assert (seen["unlisted"], seen["vanished"], world.marked) == (["up-1"], [], {})


@pytest.mark.parametrize(
    ("says", "outcome"),
    [
        (rows(), "alarm"),
        (rows("x"), "alarm"),
        (b"<html>", "failed"),
        (b'{"data": [', "failed"),
        (b'{"data": {}}', "failed"),
        (b"", "failed"),
        (ListRefused("answered 500"), "failed"),
    ],
)
async def test_the_last_good_list_survives(world: World, says: bytes | ListRefused, outcome: str) -> None:
    await world.sync(rows("up-1", "b", "c", "d", context_length=500))
    good = world.now
    seen = await world.sync(says)
    assert (seen["outcome"], seen["models"], seen["good"], seen["tried"]) == (outcome, 4, good, world.now)
    assert seen["detail"] and seen["vanished"] == [] and world.marked == {}
    (shown,) = (await world.run("diff"))["sources"]
    assert (shown["outcome"], shown["good"]) == (outcome, good)
    assert len(await world.book.changes("open")) == 1  # what the good list proposed still stands
    seen = await world.sync(rows("up-1", "b", "c"))
    assert seen["outcome"] == "ok"


async def test_a_list_that_looks_wrong_can_be_believed(world: World) -> None:
    await world.sync(rows("up-1", "b", "c", "d"))
    assert (await world.sync(rows("x")))["outcome"] == "alarm"
    seen = await world.sync(rows("x"), believe=True)
    assert (seen["outcome"], seen["vanished"]) == ("ok", ["up-1"])
    seen = await world.sync(rows(), believe=True)
    assert (seen["outcome"], seen["models"]) == ("ok", 0)


async def test_a_dry_run_keeps_nothing(world: World) -> None:
    world.says = priced("0.000009")
    done = await world.run("sync", dry_run=True)
    assert [one["field"] for one in done["changes"]] == ["price", "cost"]
    assert done["dry_run"] and done["proposals"] == {"open": 2, "new": 0}
    assert await world.book.sightings() == [] and await world.book.changes() == []
    assert await world.admin.last_tried() is None


async def test_who_asks_while_somebody_looks_gets_the_same_answer(world: World) -> None:
    world.held = asyncio.Event()
    asking = [asyncio.ensure_future(world.run("sync")) for _ in range(3)]
    while world.read < 6:  # each has read who is live, and its catalogue
        await asyncio.sleep(0)
    for _ in range(5):  # and looks: from here nothing waits for anything but the provider
        await asyncio.sleep(0)
    assert world.asked == 1
    asking[0].cancel()  # who asked first leaves
    world.held.set()
    done: list[Any] = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(done[0], asyncio.CancelledError)
    assert world.asked == 1 and all(one["sources"][0]["outcome"] == "ok" for one in done[1:])
    await world.run("sync")
    assert world.asked == 2
    assert await world.admin.last_tried() == world.now


async def test_who_closes_lets_go_of_what_is_being_looked_at(world: World) -> None:
    world.held = asyncio.Event()
    asking = asyncio.ensure_future(world.run("sync"))
    while world.asked == 0:
        await asyncio.sleep(0)
    asking.cancel()
    await world.admin.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task(), *(one for one in asyncio.all_tasks() if one is asking)}
    assert await world.book.sightings() == []


async def test_only_who_can_be_called_is_looked_at(world: World) -> None:
    assert await world.run("sources") == {"providers": ["up"]}
    (line,) = await refused(world, "sync", providers=["up", "down"])
    assert line == "catalogue sync: down: no provider that can be called now; there are up"
    assert world.asked == 0


# --- files of facts

FILE = json.dumps({
    "up": {"models": {"up-1": {"cost": {"input": 5, "output": 6}, "limit": {"context": 400}}, "x": {}}},
    "stranger": {"models": {"up-1": {"cost": {"input": 1}}}},
})  # fmt: skip


async def test_a_file_states_figures_and_says_nothing_of_who_is_there(world: World) -> None:
    await world.sync(rows("up-1"))
    done = await world.run("file", name="m.json", content=FILE.replace("up-1", "other"))
    assert [(one["provider"], one["kind"], one["vanished"]) for one in done["sources"]] == [("up", "file", [])]
    assert world.marked == {} and done["proposals"] == {"open": 0, "new": 0}
    done = await world.run("file", name="m.json", content=FILE, provider="up")
    assert done["proposals"] == {"open": 3, "new": 3}
    seen = await world.sync(priced("0.000007", "0.000006"))  # its own list outranks the file
    assert seen["outcome"] == "ok"
    assert {
        one["new"]["price"]["input"] for one in (await world.run("diff"))["changes"] if one["field"] == "price"
    } == {"7"}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"content": "<html>"}, "m.json: a web page"),
        ({"content": FILE, "provider": "nobody"}, "there is no provider 'nobody'; there are up"),
        ({"content": rows("up-1").decode()}, "say with --provider whose it is"),
        ({"content": FILE.replace('"up"', '"down"')}, "speaks of none of up"),
        ({"content": 5}, "catalogue file: Expected `str`"),
    ],
)
async def test_a_file_that_says_nothing_to_us(world: World, params: dict[str, Any], words: str) -> None:
    (line,) = await refused(world, "file", name="m.json", **params)
    assert words in line


# --- deciding


async def test_what_is_accepted_counts_at_once_as_a_version_of_its_own(world: World) -> None:
    await world.sync(priced("0.000009", "0.000009", context_length=500))
    done = await world.run("accept", ids=[2], by="ann")
    assert [one["id"] for one in done["accepted"]] == [2] and world.taken_over == 1
    model = (await world.admin._catalogue()).models["shop", "shop/one"]
    assert (model.price.input, model.price.version, model.context) == (9_000_000, "change-2", 1000)
    history = {one["id"]: one for one in (await world.run("diff", history=True))["changes"]}
    assert (history[2]["state"], history[2]["decided_by"], history[1]["state"]) == ("accepted", "ann", "open")
    await world.run("accept", all=True)
    assert (await world.run("diff"))["changes"] == []
    (target,) = (await world.admin._catalogue()).pools["pond"].targets
    assert target.cost is not None and target.cost.version == "change-3"


async def test_what_is_rejected_is_not_proposed_again(world: World) -> None:
    await world.sync(priced("0.000009"))
    await world.run("reject", all=True, by="ann")
    await world.sync(priced("0.000009"))
    assert (await world.run("diff"))["changes"] == [] and world.taken_over == 0
    await world.sync(priced("0.000008"))
    assert len((await world.run("diff"))["changes"]) == 2


async def test_what_was_accepted_can_be_taken_back(world: World) -> None:
    before = world.files(())
    await world.sync(rows("up-1", context_length=500))
    await world.run("accept", all=True)
    await world.run("reject", all=True)  # all that is open
    assert (await world.admin._catalogue()).models["shop", "shop/one"].context == 500
    await world.run("reject", ids=[1], by="bob")
    assert await world.admin._catalogue() == before and world.taken_over == 2
    await world.sync(rows("up-1", context_length=500))
    assert (await world.run("diff"))["changes"] == []


async def test_a_proposal_about_what_has_changed_since_is_not_accepted(world: World) -> None:
    await world.sync(rows("up-1", context_length=500))
    world.tables["model"][0]["context"] = 500
    (line,) = await refused(world, "accept", ids=[1])
    assert line.startswith("catalogue accept: there is no open proposal 1")


async def test_what_would_break_the_catalogue_is_refused_and_nothing_is_decided(world: World) -> None:
    world.tables["model"][0]["safe_context"] = 800
    await world.sync(rows("up-1", context_length=500))
    await world.run("accept", all=True)  # a budget of the old context goes with it
    made = json.dumps([{"storefront": "shop", "id": "shop/two", "pool": "nowhere"}])
    lines = await refused(world, "import", name="m.json", content=made, store=True)
    assert lines == ["m.json: model shop/shop/two: pool: there is no [[pool]] 'nowhere'"]
    assert len(await world.book.changes()) == 1 and world.taken_over == 1


@pytest.mark.parametrize(
    ("what", "params", "words"),
    [
        ("accept", {}, "say which, or --all"),
        ("reject", {}, "say which, or --all"),
        ("accept", {"ids": [1, 9, 9]}, "no open proposal 9"),
        ("accept", {"ids": ["x"]}, "Expected `int`"),
        ("accept", {"idz": []}, "unknown field"),
        ("nonsense", {}, "there is no operation 'catalogue.nonsense'; there are catalogue.sources"),
    ],
)
async def test_a_decision_about_nothing(world: World, what: str, params: dict[str, Any], words: str) -> None:
    await world.sync(rows("up-1", context_length=500))
    assert words in (await refused(world, what, **params))[0]


# --- rows from elsewhere

CSV = "storefront,id,pool,price.input,price.output\nshop,shop/two,pond,0.10,0.20\n"


async def test_an_import_is_checked_beside_the_requests(world: World) -> None:
    where: list[bool] = []
    files = world.files

    def watched(changes: Iterable[Change]) -> Catalogue:
        where.append(threading.current_thread() is threading.main_thread())
        return files(changes)

    around = Surroundings(watched, world.live, world.fetch, world.take_over, world.mark, lambda: world.now)
    await CatalogueAdmin(world.book, around).run("catalogue.import", {"name": "m.csv", "content": CSV})
    assert where == [False]


async def test_imported_rows_are_printed_or_kept(world: World) -> None:
    done = await world.run("import", name="m.csv", content=CSV)
    assert done["rows"] == {"model": 1} and '[[model]]\nstorefront = "shop"\nid = "shop/two"' in done["toml"]
    assert await world.book.changes() == []
    done = await world.run("import", name="m.csv", content=CSV, store=True, by="ann")
    assert done == {"rows": {"model": 1}, "ids": [1], "later": 0} and world.taken_over == 1
    model = (await world.admin._catalogue()).models["shop", "shop/two"]
    assert (model.price.input, model.price.version) == (100_000, "change-1")
    again = CSV.replace("0.10", "0.30")
    await world.run("import", name="m.csv", content=again, store=True)
    assert (await world.admin._catalogue()).models["shop", "shop/two"].price.input == 300_000
    await world.run("reject", ids=[2])
    assert (await world.admin._catalogue()).models["shop", "shop/two"].price.input == 100_000


async def test_an_imported_price_begins_on_its_day(world: World) -> None:
    """What else its row says counts at once."""
    day = (world.now // 86_400 + 2) * 86_400
    said = datetime.fromtimestamp(day, UTC).date().isoformat()
    later = f"storefront,id,pool,name,price.input,price.effective_at\nshop,shop/two,pond,Two,0.90,{said}\n"
    await world.run("import", name="m.csv", content=CSV, store=True)
    done = await world.run("import", name="m.csv", content=later, store=True)
    assert done == {"rows": {"model": 1}, "ids": [2, 3], "later": 1}

    async def now() -> tuple[str, int | None, str]:
        model = (await world.admin._catalogue()).models["shop", "shop/two"]
        return model.name, model.price.input, model.price.effective_at

    assert (await now())[:2] == ("Two", 100_000)
    world.now = day - 1
    assert (await now())[1] == 100_000
    world.now = day
    assert await now() == ("Two", 900_000, said)
    price = "storefront,id,price.input,price.effective_at\nshop,shop/three,-1,2099-01-01\n"
    lines = await refused(world, "import", name="m.csv", content=price, store=True)
    assert any("shop/three: pool: missing" in one for one in lines), "a price of no model"
    assert any("price.input" in one for one in lines), "it has to be right today"


async def test_every_operation_is_tried_here() -> None:
    text = Path(__file__).read_text()
    assert [name for name in OPERATIONS if f'"{name.partition(".")[2]}"' not in text] == []
