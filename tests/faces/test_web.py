"""The app's files: pages, their base, what is kept for how long, and nothing else of the disk."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from conflux.faces.question import Question, Reply
from conflux.faces.web import BASE, STATIC, Web, base_of, is_page
from conflux.neutral.accounts import SESSION_PREFIX
from tests.faces.door import opened
from tests.relay.shops import shop
from tests.relay.world import World

HTML = (b"accept", b"text/html,*/*")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(b"<!doctype html><head>" + BASE + b"</head>")
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "assets" / "app-1a2b.js").write_text("// " + "a" * 2000)
    (tmp_path / "secret.txt").write_text("secret")
    return folder


async def ask(folder: Path, path: str, *headers: tuple[bytes, bytes], **rest: Any) -> Reply | None:
    asked = {"method": "GET", "query": b"", "secret": None, "mount": None, **rest}
    return await Web(folder).answer(Question(path=path, headers=list(headers), **asked))


def header(reply: Reply | None, name: bytes) -> bytes | None:
    assert reply is not None
    return dict(reply.headers).get(name)


@pytest.mark.parametrize(("path", "base"), [
    ("/", b"./"), ("/chat", b"./"), ("/console/models", b"../"), ("/catalogue/conflux/m", b"../../"),
])  # fmt: skip
async def test_every_page_is_the_app_and_knows_its_root(built: Path, path: str, base: bytes) -> None:
    assert is_page(path) and base_of(path) == base
    found = await ask(built, path, HTML)
    assert found is not None and b'<base href="' + base + b'">' in found.body
    assert header(found, b"cache-control") == b"no-cache"
    assert b"script-src 'self';" in (header(found, b"content-security-policy") or b"")


async def test_the_head_of_a_page_asks_for_what_it_will_need(built: Path) -> None:
    told = {
        "files": {"/": ["assets/f.woff2"], "/usage/*": ["assets/u.js", "assets/u.css"], "/usage": []},
        "asks": {"/": ["admin/api/v1/session"]},
    }
    (built / "pages.json").write_text(json.dumps(told))
    cookie = (b"cookie", b"conflux_session=" + SESSION_PREFIX.encode() + b"x")

    async def head(path: str, *more: tuple[bytes, bytes]) -> list[str]:
        found = await ask(built, path, HTML, *more)
        assert found is not None and b"cookie" in (header(found, b"vary") or b"")
        return re.findall(r'<link rel="(?:modulepreload|preload" as="\w+)".*? href="\./([^"]+)"', found.body.decode())

    assert await head("/usage") == []
    assert await head("/usage/a/b") == ["assets/u.js", "assets/u.css"]
    assert await head("/console/keys") == ["assets/f.woff2"]
    assert await head("/usage", cookie) == ["admin/api/v1/session"], "for who is signed in"
    assert await ask(built, "/pages.json", HTML) is None


async def test_what_is_nowhere_is_said_by_the_app_to_who_reads_pages(built: Path) -> None:
    web = Web(built)

    async def status(path: str, *headers: tuple[bytes, bytes], taken: bool = False) -> int | None:
        question = Question(method="GET", path=path, query=b"", secret=None, mount=None, headers=list(headers))
        found = await web.answer(question, taken=taken)
        return None if found is None else found.status

    assert await status("/console/nowhere", HTML) == 200, "a build that tells of no pages is believed"
    told: dict[str, dict[str, list[str]]] = {
        "files": {"/": [], "/console": [], "/console/keys": [], "/usage": [], "/usage/*": [], "/chat": []}
    }
    (built / "pages.json").write_text(json.dumps(told))
    (built / "index.html").unlink()
    assert await status("/nowhere", HTML) is None, "without a build there is nobody to say it"
    (built / "index.html").write_bytes(BASE)
    for path in ("/", "/console", "/console/", "/console/keys", "/usage/req_1", "/chat"):
        assert await status(path, HTML) == 200, path
    for path in ("/console/nowhere", "/console/keys/more", "/nowhere", "/a/b/c/", "/assets/none.js", "/pages.json"):
        assert await status(path, HTML) == 404, path
    assert await status("/nowhere") is None
    assert await status("/nowhere", HTML, taken=True) is None
    etag = (b"if-none-match", header(await ask(built, "/console/nowhere", HTML) or Reply(), b"etag") or b"")
    assert await status("/console/nowhere", HTML, etag) == 404, "not as if it had been found before"


async def test_programs_find_at_these_paths_what_they_did(built: Path) -> None:
    assert await ask(built, "/") is None
    assert await ask(built, "/chat", (b"accept", b"*/*")) is None
    assert await ask(built, "/chat", HTML, method="POST") is None
    assert await ask(built, "/", HTML, mount=next(iter(shop().storefronts.values()))) is None
    assert await ask(built, "/v1/models", HTML) is None


async def test_assets_stay_with_whoever_has_them(built: Path) -> None:
    found = await ask(built, "/assets/app-1a2b.js", (b"accept-encoding", b"br, gzip"))
    assert found is not None and gzip.decompress(found.body).startswith(b"// aaa")
    assert b"immutable" in (header(found, b"cache-control") or b"")
    assert header(found, b"content-type") == b"text/javascript; charset=utf-8"
    again = await ask(built, "/assets/app-1a2b.js", (b"if-none-match", header(found, b"etag") or b""))
    assert again is not None and (again.status, again.body) == (304, b"")
    assert (await ask(built, "/icon.svg") or Reply()).body == b"<svg/>"


@pytest.mark.parametrize("path", [
    "/assets/../index.html", "/assets/../../secret.txt", "/assets//etc/passwd", "/../secret.txt", "/assets/",
    "/index.html", "/assets/none.js", "/secret.txt", "/assets/..%2f..%2fsecret.txt",
])  # fmt: skip
async def test_nothing_else_is_given_out(built: Path, path: str) -> None:
    assert await ask(built, path, HTML) is None


async def test_without_a_build_the_page_says_how_to_make_one(tmp_path: Path) -> None:
    found = await ask(tmp_path, "/", HTML)
    assert found is not None and b"./run ui" in found.body
    assert await ask(tmp_path, "/assets/app-1a2b.js") is None


async def test_a_new_build_counts_at_once(built: Path) -> None:
    web = Web(built)
    question = Question(method="GET", path="/new.txt", query=b"", secret=None, mount=None, headers=[])
    assert await web.answer(question) is None
    (built / "new.txt").write_text("new")
    (built / "index.html").unlink()
    assert await web.answer(question) is None
    (built / "index.html").write_bytes(BASE)
    assert (await web.answer(question) or Reply()).body == b"new"


async def test_at_the_door(built: Path) -> None:
    async with opened(World(shop()), web=Web(built)) as door:
        status, head, body = await door.get("/console/keys", "accept: text/html")
        assert (status, body) == (200, b'<!doctype html><head><base href="../"></head>') and b"x-request-id" in head
        assert (await door.get("/chat", "accept: text/html"))[0] == 200
        assert (await door.get("/chat"))[0] == 405
        status, head, body = await door.get("/nowhere/at/all", "accept: text/html,*/*")
        assert (status, body) == (404, b'<!doctype html><head><base href="../../"></head>') and b"x-request-id" in head
        assert (await door.get("/nowhere/at/all"))[2].startswith(b'{"error"')
        assert (await door.get("/v1/models/none", "accept: text/html"))[2].startswith(b'{"error"'), "the API's own"
        assert (await door.get("/v1/chat/completions", "accept: text/html"))[0] == 405
        status, _, body = await door.get("/catalogue", method="HEAD")
        assert (status, body) == (200, b"")
        assert (await door.get("/"))[2].startswith(b'{"name"')


def test_the_folder_is_beside_the_code() -> None:
    assert STATIC.parent.name == "faces"
