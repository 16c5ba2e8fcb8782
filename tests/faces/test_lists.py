"""Lists over HTTP: bytes made once, named by a tag, sent again only where they changed."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from conflux.catalogue.listings import SHAPES
from conflux.catalogue.listings.choose import LISTS
from conflux.dialects import DIALECTS
from conflux.faces import lists as module
from conflux.faces.http_secret import _SECRET_HEADERS
from conflux.faces.lists import Lists, parse_query, takes_gzip
from conflux.faces.question import Question, Reply
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.records import Model
from tests.faces.door import opened
from tests.policy.samples import caller
from tests.relay.shops import PRICE, shop
from tests.relay.world import KEY, World

MORE = [
    Model(storefront="shop", id=f"more/{number:02}", name="Next", pool="pond", price=PRICE, agent=number % 2 == 0)
    for number in range(30)
]


@pytest.fixture
def world() -> World:
    return World(shop(more=MORE, agent=True))


@pytest.fixture
def lists(world: World) -> Lists:
    return Lists(world.parts)


@pytest.fixture
async def asked(lists: Lists) -> AsyncIterator[Any]:
    async def ask(path: str = "/v1/models", name: str | None = None, query: str = "", key: str | None = None,
                  **headers: str) -> Reply:  # fmt: skip
        sent = [(field.replace("_", "-").encode(), value.encode()) for field, value in headers.items()]
        question = Question(method="GET", path=path, query=query.encode(), secret=key, mount=None, headers=sent)
        return await lists.answer(question, path, name)

    yield ask


def ids(reply: Reply) -> list[str]:
    return [row["id"] for row in json.loads(reply.body)["data"]]


def field(reply: Reply, name: bytes) -> bytes | None:
    return dict(reply.headers).get(name)


async def test_the_same_list_is_the_same_bytes(asked: Any) -> None:
    first, again = await asked(), await asked()
    assert again.body is first.body and again.headers == first.headers
    keyed = await asked(key=KEY)
    assert keyed.body == first.body
    assert field(first, b"cache-control") == b"public, max-age=86400"
    assert field(keyed, b"cache-control") == b"private, no-cache"
    assert b"authorization" in (field(first, b"vary") or b"")


async def test_a_new_snapshot_is_a_new_list(world: World, asked: Any) -> None:
    before = await asked()
    world.snapshot = msgspec.structs.replace(world.snapshot, catalogue=shop(enabled=False, more=MORE), standings={})
    after = await asked()
    assert set(ids(before)) - set(ids(after)) == {"shop/one"}
    assert field(after, b"etag") != field(before, b"etag")


async def test_a_new_price_is_shown(world: World, asked: Any) -> None:
    def prompt(reply: Reply) -> Any:
        rows = json.loads(reply.body)["data"]
        return next(row["pricing"]["prompt"] for row in rows if row["id"] == "shop/one")

    before = prompt(await asked())
    dearer = shop(more=MORE, price=msgspec.structs.replace(PRICE, input=7_000_000))
    world.snapshot = msgspec.structs.replace(world.snapshot, catalogue=dearer, standings={})
    assert prompt(await asked()) == "0.000007" != before
    assert json.loads((await asked(name="shop/one")).body)["pricing"]["prompt"] == "0.000007"


async def test_a_standing_that_was_compiled_anew_is_a_new_list(world: World, asked: Any) -> None:
    before = await asked()
    world.snapshot.standings.clear()
    world.snapshot.catalogue.listed["shop"] = world.snapshot.catalogue.listed["shop"][:3]
    assert len(ids(await asked())) == 3 < len(ids(before))


async def test_callers_who_are_narrowed_see_their_own(world: World, asked: Any) -> None:
    everything = ids(await asked(key=KEY))
    world.keys.callers[KEY] = caller(models=frozenset({"more/03"}))
    assert ids(await asked(key=KEY)) == ["more/03"]
    assert (await asked(key="sh_nonsense")).status == 401
    world.keys.callers[KEY] = caller(agent=True)
    assert ids(await asked(key=KEY)) == [*(f"more/{number:02}" for number in range(0, 30, 2)), "shop/one"]
    assert len(everything) == 31


@pytest.mark.parametrize("said", ["{0}", "W/{0}", '"x", {0}', "*", " * "])
async def test_who_has_it_is_told_so(asked: Any, said: str) -> None:
    tag = (field(await asked(), b"etag") or b"").decode()
    again = await asked(if_none_match=said.format(tag))
    assert (again.status, again.body) == (304, b"")
    assert field(again, b"etag") == tag.encode() and field(again, b"content-type") is None


async def test_who_has_another_is_sent_it(asked: Any) -> None:
    assert (await asked(if_none_match='"0123456789abcdef01234567"')).status == 200


async def test_gzip_for_those_who_take_it(asked: Any) -> None:
    plain, zipped = await asked(), await asked(accept_encoding="gzip, br")
    assert gzip.decompress(zipped.body) == plain.body and len(zipped.body) < len(plain.body) / 4
    assert field(zipped, b"content-encoding") == b"gzip" and field(plain, b"content-encoding") is None
    assert field(zipped, b"etag") != field(plain, b"etag")
    assert b"accept-encoding" in (field(plain, b"vary") or b"")
    assert (await asked(accept_encoding="gzip")).body is zipped.body
    again = await asked(accept_encoding="gzip", if_none_match=(field(zipped, b"etag") or b"").decode())
    assert again.status == 304 and field(again, b"content-encoding") is None
    small = await asked(name="shop/one", accept_encoding="gzip")
    assert field(small, b"content-encoding") is None


@pytest.mark.parametrize(
    ("said", "takes"),
    [(b"gzip", True), (b"deflate, gzip;q=0.5", True), (b"gzip; q=0", False), (b"gzip;q=0.000", False),
     (b"identity", False), (b"x-gzipped", False), (b"", False), (b"gzip;q=1.0", True)],
)  # fmt: skip
def test_who_takes_gzip(said: bytes, takes: bool) -> None:
    assert takes_gzip({b"accept-encoding": said}) is takes


async def test_one_model_is_the_lists_row(asked: Any) -> None:
    rows = {row["id"]: row for row in json.loads((await asked()).body)["data"]}
    for name in ("shop/one", "uno"):
        found = await asked(name=name)
        assert json.loads(found.body) == rows["shop/one"]
        assert (await asked(name=name, if_none_match=(field(found, b"etag") or b"").decode())).status == 304


async def test_one_model_that_is_not_on_the_list_is_unknown(world: World, asked: Any) -> None:
    for path, name in (("/v1/models", "nobody"), ("/api/v1/agents/models", "more/01")):
        found = await asked(path, name)
        assert found.status == 404 and field(found, b"cache-control") is None
    assert (await asked("/api/v1/agents/models", "more/02")).status == 200
    world.keys.callers[KEY] = caller(models=frozenset({"more/03"}))
    assert (await asked(name="more/02", key=KEY)).status == 404
    assert (await asked(name="more/03", key=KEY)).status == 200


async def test_anthropics_pages(asked: Any) -> None:
    found: list[str] = []
    cursor = ""
    while True:
        answer = json.loads((await asked(query=f"limit=7{cursor}", anthropic_version="2023-06-01")).body)
        found += [row["id"] for row in answer["data"]]
        if not answer["has_more"]:
            break
        cursor = f"&after_id={answer['last_id']}"
    assert found == ids(await asked())
    one = json.loads((await asked(name="shop/one", anthropic_version="2023-06-01")).body)
    assert (one["type"], one["display_name"]) == ("model", "One")
    assert (await asked(query="limit=0", anthropic_version="2023-06-01")).status == 400


@pytest.mark.parametrize("asks", [{"key": "sh_nonsense"}, {"name": "nobody"}, {"query": "limit=0"}])
async def test_who_speaks_anthropics_protocol_is_refused_in_it(
    asked: Any, asks: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Spoken:
        id_header = b"spoken-id"

        def error(self, error: GatewayError, style: str) -> tuple[int, bytes]:
            return 418, error.kind.encode()

    monkeypatch.setitem(DIALECTS, "anthropic-messages", Spoken())
    found = await asked(**asks, anthropic_version="2023-06-01")
    assert found.status == 418 and found.body.decode() in set(Kind)
    assert found.id_header == b"spoken-id"
    assert (await asked(**asks)).status in (200, 401, 404)  # a limit is nothing to the others


async def test_a_storefronts_data_says_where_a_key_is_needed(world: World, asked: Any) -> None:
    catalogue = shop(more=MORE, of_storefront={"keyed_paths": ("/models",), "error_style": "inference"})
    world.snapshot = msgspec.structs.replace(world.snapshot, catalogue=catalogue)
    refused = await asked("/models")
    assert refused.status == 401
    assert b"Missing or invalid authentication" in refused.body
    assert (await asked("/models", "shop/one")).status == 401
    assert (await asked("/models", key=KEY)).status == 200
    assert (await asked("/v1/models")).status == 200


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("shape", SHAPES)
async def test_every_path_in_every_shape(world: World, asked: Any, path: str, shape: str) -> None:
    catalogue = shop(more=MORE, agent=True, of_storefront={"list_shape": shape})
    world.snapshot = msgspec.structs.replace(world.snapshot, catalogue=catalogue, standings={})
    answer = json.loads((await asked(path, query="limit=1000&pageSize=1000")).body)
    google = shape == "google" or path == "/v1beta/models"
    models = google or (shape == "inference" and not path.startswith("/v1/"))
    rows = answer["models" if models else "data"]
    assert len(rows) == (16 if "agents" in path else 31)
    field = "baseModelId" if google else "id"
    name = rows[0][field]
    assert json.loads((await asked(path, name)).body)[field] == name


async def test_google_s_clients_are_answered_in_their_words(world: World, asked: Any) -> None:
    catalogue = shop(more=MORE)
    world.snapshot = msgspec.structs.replace(world.snapshot, catalogue=catalogue, standings={})
    first = json.loads((await asked("/v1beta/models", query="pageSize=20")).body)
    rest = json.loads((await asked("/v1beta/models", query=f"pageSize=20&pageToken={first['nextPageToken']}")).body)
    assert "nextPageToken" not in rest
    names = [row["name"] for row in first["models"] + rest["models"]]
    assert len(names) == 31 and names == sorted(names) and all(name.startswith("models/") for name in names)
    for refused in (await asked("/v1beta/models", "nobody"), await asked("/v1beta/models", query="pageSize=0")):
        error = json.loads(refused.body)["error"]
        assert error["code"] == refused.status and error["status"] in ("NOT_FOUND", "INVALID_ARGUMENT")


async def test_what_is_remembered_is_bounded(
    world: World, lists: Lists, asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await asked()
    most = len(first.body) * 3
    monkeypatch.setattr(module, "_BYTES_KEPT", most)
    for query in ("", "filter=agents", "client_version=1", "filter=agents&client_version=1"):
        for key in (None, KEY):
            await asked(query=query, key=key)
            pages = [page for shelf in lists._shelves.values() for page in shelf.pages.values()]
            assert sum(len(page.body) for page in pages) <= most
    monkeypatch.setattr(module, "_SHELVES_KEPT", 4)
    for number in range(9):
        world.keys.callers[KEY] = caller(models=frozenset({"shop/one", f"more/{number:02}"}))
        assert ids(await asked(key=KEY)) == [f"more/{number:02}", "shop/one"]
        assert (await asked(query=f"client_version={number}")).status == 200
        assert len(lists._shelves) <= 4
    assert (await asked()).body == first.body


async def test_a_key_that_is_looked_up_while_the_catalogue_changes(world: World, asked: Any) -> None:
    """What was made for the old snapshot is not kept for the new one."""
    new = msgspec.structs.replace(world.snapshot, catalogue=shop(more=MORE[:3]), standings={})
    find = world.keys.find

    async def slowly(secret: str) -> Any:
        world.snapshot = new
        assert len(ids(await asked())) == 4
        return await find(secret)

    world.keys.find = slowly  # type: ignore[method-assign]
    world.keys.known = lambda _: False  # type: ignore[method-assign,assignment]
    await asked(key=KEY)
    assert len(ids(await asked())) == 4


def test_a_query_of_very_many_parameters_is_refused() -> None:
    with pytest.raises(GatewayError, match="query"):
        parse_query(b"&".join(b"a=1" for _ in range(60)))


@pytest.mark.parametrize("headers", [{}, {"anthropic_version": "2023-06-01"}])
async def test_very_many_parameters_are_refused_in_the_clients_own_protocol(
    asked: Any, headers: dict[str, str]
) -> None:
    found = await asked(query="a=1&" * 60, **headers)
    assert found.status == 400
    said = json.loads(found.body)
    assert "50 parameters" in said["error"]["message"] and ("type" in said) == bool(headers)
    assert (await asked(query="a=1&" * 40, **headers)).status == 200


def test_the_last_of_a_name_counts() -> None:
    assert parse_query(b"a=1&b=&a=2") == {"a": "2", "b": ""}


@pytest.mark.parametrize("query", [b"a=%ff", b"a=\xff", b"%ff=1", b"a=%zz"])
def test_what_is_not_utf_8_is_a_parameter_nobody_knows(query: bytes) -> None:
    assert parse_query(query + b"&filter=agents")["filter"] == "agents"


async def test_who_keeps_lists_keeps_those_of_every_keys_header_apart(asked: Any) -> None:
    kept = (field(await asked(), b"vary") or b"").split(b", ")
    assert {*_SECRET_HEADERS, b"authorization"} <= set(kept)


async def test_over_the_wire(world: World) -> None:
    async with opened(world) as door:
        status, head, body = await door.get("/v1/models", "accept-encoding: gzip")
        assert (
            status == 200 and b"content-encoding: gzip" in head and len(json.loads(gzip.decompress(body))["data"]) == 31
        )
        tag = next(line for line in head.split(b"\r\n") if line.startswith(b"etag: ")).removeprefix(b"etag: ").decode()
        for method in ("GET", "HEAD"):
            status, head, body = await door.get("/v1/models", f"if-none-match: {tag}", method=method)
            assert (status, body) == (304, b"") and b"content-length" not in head
        status, head, body = await door.get("/v1/models", method="HEAD")
        assert (status, body) == (200, b"") and b"content-length: " in head and b"etag: " in head
