"""The web app's files, as its build left them in `static/`.

Law: a path is looked up among the files that are there, never joined to a folder; pages of the app are all index.html,
whose `<base href="./">` is written anew for the depth of each page, so that the app works below any prefix a proxy
takes away, and whose head asks at once for what that page will need (pages.json, of the build). Nothing inline runs and
nothing outside is reached: the policy below says so to every browser. Without a build the page says how to make one.
Where neither the app nor anybody else has something, browsers get the app all the same, which says so, as 404.
"""

import asyncio
import mimetypes
import zlib
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

import msgspec

from conflux.faces.cookies import cookie_of
from conflux.faces.question import Question, Reply
from conflux.neutral.ports import Headers

STATIC = Path(__file__).parent / "static"
BASE = b'<base href="./">'

PAGES = ("/", "/catalogue", "/chat", "/usage", "/console", "/signin", "/account")
_BELOW = ("/catalogue/", "/chat/", "/usage/", "/console/")
_ONLY_AS_HTML = ("/", "/chat")  # programs have something else there

_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    b"font-src 'self' data:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'self'; "
    b"form-action 'self'; frame-ancestors 'none'"
)
GUARDS: Headers = [
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_FOREVER = (b"cache-control", b"public, max-age=31536000, immutable")  # a build names these by their content
_ASK = (b"cache-control", b"no-cache")
_SMALL = 1024  # not worth packing
_OWN = ("/index.html", "/pages.json")
_END = b"</head>"
_LINKS = {
    "js": b'<link rel="modulepreload" crossorigin href="./%s">',
    "css": b'<link rel="preload" as="style" crossorigin href="./%s">',
    "woff2": b'<link rel="preload" as="font" type="font/woff2" crossorigin href="./%s">',
}
_ASKED = b'<link rel="preload" as="fetch" crossorigin href="./%s">'
_MOST_PAGES = 256  # as whoever asks makes up how deep a page lies

_UNBUILT = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Conflux</title></head>
<body><h1>The web app is not built</h1>
<p>The API works without it. To build the app, install Node 20.19 or later and run <code>./run ui</code> where Conflux
was checked out, then load this page again. A Conflux installed as a package brings the app along.</p>
</body></html>
"""


class File(msgspec.Struct, frozen=True):
    body: bytes
    packed: bytes | None
    kind: bytes
    tag: bytes


class First(msgspec.Struct, frozen=True):
    """By page, `/usage/*` being all below /usage and `/` whatever is not named: what its head asks for."""

    files: dict[str, list[str]] = {}
    asks: dict[str, list[str]] = {}  # of the gateway, where somebody is signed in


class Web:
    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder
        self._files: Mapping[str, File] = {}
        self._first = First()
        self._pages: dict[tuple[bytes, bytes], File] = {}  # by base and what is asked for first
        self._built: int | None = None  # when the build that was read was made

    async def answer(self, question: Question, *, taken: bool = True) -> Reply | None:
        """None where the app has nothing at this path, and somebody else may have (`taken`), or no browser asks."""
        if question.mount is not None or question.method not in ("GET", "HEAD"):
            return None
        path = question.path
        headers = dict(question.headers)
        reads = b"text/html" in headers.get(b"accept", b"")
        if is_page(path) and (path not in _ONLY_AS_HTML or reads):
            return await self._app(path, headers) or _page(_made_of(_UNBUILT, "text/html"), headers)
        if path.startswith("/assets/") or path.count("/") == 1:
            found = (await self._current()).get(path)
            if found is not None and path not in _OWN:
                return _file(found, _FOREVER if path.startswith("/assets/") else _ASK, headers)
        return await self._app(path, headers) if reads and not taken else None

    async def _app(self, path: str, headers: dict[bytes, bytes]) -> Reply | None:
        index = (await self._current()).get("/index.html")
        if index is None:
            return None
        page = self._page(index, path, signed_in=cookie_of(headers) is not None)
        return _page(page, headers, 200 if is_page(path) and _is_told(self._first, path) else 404)

    async def _current(self) -> Mapping[str, File]:
        """What the last build left. It is looked for anew each time: whoever builds need not start us again."""
        built = _made(self._folder)
        if built != self._built:
            self._files = await asyncio.to_thread(_read, self._folder) if built is not None else {}
            told = self._files.get("/pages.json")
            self._first = msgspec.json.decode(told.body, type=First) if told is not None else First()
            self._pages = {}
            self._built = built
        return self._files

    def _page(self, index: File, path: str, *, signed_in: bool) -> File:
        base, head = base_of(path), _head(self._first, path, signed_in=signed_in)
        found = self._pages.get((base, head))
        if found is None:
            body = index.body.replace(BASE, b'<base href="%s">' % base).replace(_END, head + _END, 1)
            found = _made_of(body, "text/html")
            if len(self._pages) < _MOST_PAGES:
                self._pages[base, head] = found
        return found


def is_page(path: str) -> bool:
    return path in PAGES or path.startswith(_BELOW)


def base_of(path: str) -> bytes:
    """The app's root, as seen from a page."""
    return b"../" * (path.count("/") - 1) or b"./"


def _head(first: First, path: str, *, signed_in: bool) -> bytes:
    links = [_LINKS[one.rpartition(".")[2]] % one.encode() for one in _of_page(first.files, path)]
    if signed_in:
        links += [_ASKED % one.encode() for one in _of_page(first.asks, path)]
    return b"".join(links)


def _of_page(table: dict[str, list[str]], path: str) -> list[str]:
    return table.get(_line_of(table, path), [])


def _line_of(table: dict[str, list[str]], path: str) -> str:
    if path in table:
        return path
    above = path.rpartition("/")[0]
    while above and f"{above}/*" not in table:
        above = above.rpartition("/")[0]
    return f"{above}/*" if above else "/"


def _is_told(first: First, path: str) -> bool:
    """Is there such a page? A build that tells of none is believed to have it."""
    path = path.rstrip("/") or "/"
    return len(first.files) < 2 or path == "/" or _line_of(first.files, path) != "/"


def _made(folder: Path) -> int | None:
    try:
        return (folder / "index.html").stat().st_mtime_ns
    except OSError:
        return None


def _read(folder: Path) -> dict[str, File]:
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            body = path.read_bytes()
            name = "/" + path.relative_to(folder).as_posix()
            found[name] = _made_of(body, mimetypes.guess_type(name)[0] or "application/octet-stream")
    return found


def _made_of(body: bytes, kind: str) -> File:
    packer = zlib.compressobj(9, wbits=31)
    packed = packer.compress(body) + packer.flush() if len(body) > _SMALL else body
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return File(body, packed if len(packed) < len(body) else None, kind.encode(), _tag(body))


def _tag(body: bytes) -> bytes:
    return b'"%s"' % blake2b(body, digest_size=12).hexdigest().encode()


def _page(page: File, asked: dict[bytes, bytes], status: int = 200) -> Reply:
    return _file(page, _ASK, asked, b"accept, accept-encoding, cookie", status)


def _file(
    file: File,
    keep: tuple[bytes, bytes],
    asked: dict[bytes, bytes],
    vary: bytes = b"accept-encoding",
    status: int = 200,
) -> Reply:
    headers = [*GUARDS, keep, (b"etag", file.tag), (b"vary", vary)]
    if status == 200 and file.tag in asked.get(b"if-none-match", b""):
        return Reply(status=304, headers=headers)
    body, headers = file.body, [*headers, (b"content-type", file.kind)]
    if file.packed is not None and b"gzip" in asked.get(b"accept-encoding", b""):
        body, headers = file.packed, [*headers, (b"content-encoding", b"gzip")]
    return Reply(status=status, headers=headers, body=body)
