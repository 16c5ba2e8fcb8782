"""Lists of models over HTTP: who asks, which list, and the cheapest way to answer it again.

Law: a list is bytes made once per snapshot, set of visible models and view; callers who see the same models share
them. Which models there are is said by the caller's standing, for lists and for one model alike, as for the run. What
is remembered is bounded and goes with the snapshot.
"""

import gzip
from collections.abc import Mapping
from hashlib import blake2b
from urllib.parse import parse_qs

from msgspec.structs import replace

from conflux.catalogue.listings import SHAPES
from conflux.catalogue.listings.choose import LISTS, View, choose
from conflux.catalogue.listings.pages import Encoder, keep
from conflux.catalogue.listings.row import Row
from conflux.dialects import DIALECTS
from conflux.dialects.base import Dialect
from conflux.faces.question import Question, Reply
from conflux.neutral.errors import GatewayError, Kind, invalid
from conflux.neutral.ports import Headers
from conflux.neutral.records import Caller, Storefront
from conflux.policy.permitted import unknown_model
from conflux.relay.headers import JSON
from conflux.relay.identify import MISSING_KEY, identify, root_storefront
from conflux.relay.parts import Parts
from conflux.relay.snapshot import Snapshot
from conflux.relay.standing import Standing, standing_of

_PUBLIC = (b"cache-control", b"public, max-age=86400")
_PRIVATE = (b"cache-control", b"private, no-cache")
_VARY = (b"vary", b"accept-encoding, authorization, x-api-key, api-key, x-goog-api-key, anthropic-version")
_GZIP = (b"content-encoding", b"gzip")
_ANTHROPIC, _GOOGLE = "anthropic-messages", "gemini"
_WORTH_GZIP = 1400  # less fits into one packet anyhow
_SHELVES_KEPT = 1000
_BYTES_KEPT = 32 * 1024 * 1024

Headed = Mapping[bytes, bytes]


class Page:
    """A list, or one model, as bytes, with its name and its answers."""

    __slots__ = ("_kept", "_replies", "_storefront", "_zipped", "body", "tag")

    def __init__(self, body: bytes, storefront: Storefront, *, kept: bool) -> None:
        """`kept`: made for many, so that it is worth packing."""
        self.body = body
        self._kept = kept
        self.tag = blake2b(body, digest_size=12).hexdigest().encode()
        self._storefront = storefront
        self._zipped: bytes | None = None
        self._replies: dict[tuple[bool, bool], Reply] = {}

    def reply(self, headers: Headed, *, private: bool) -> Reply:
        zipped = self._kept and len(self.body) > _WORTH_GZIP and takes_gzip(headers)
        reply = self._replies.get((private, zipped))
        if reply is None:
            reply = self._replies[private, zipped] = self._make(private=private, zipped=zipped)
        known = headers.get(b"if-none-match")
        if known is not None and (self.tag in known or known.strip() == b"*"):
            return Reply(status=304, headers=reply.headers[1:4], storefront=self._storefront)
        return reply

    def _make(self, *, private: bool, zipped: bool) -> Reply:
        mark = b'"%b-gzip"' if zipped else b'"%b"'
        headers: Headers = [JSON, (b"etag", mark % self.tag), _PRIVATE if private else _PUBLIC, _VARY]
        if not zipped:
            return Reply(headers=headers, body=self.body, storefront=self._storefront)
        if self._zipped is None:
            self._zipped = gzip.compress(self.body, 6, mtime=0)
        return Reply(headers=[*headers, _GZIP], body=self._zipped, storefront=self._storefront)


class Shelf:
    """The lists of one standing."""

    __slots__ = ("by_id", "pages", "rows", "standing")

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.rows: tuple[Row, ...] = standing.rows
        self.by_id = {row.model.id: row for row in self.rows}
        self.pages: dict[View, Page] = {}


class Lists:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._of: Snapshot | None = None
        self._forget(None)

    def _forget(self, snapshot: Snapshot | None) -> None:
        self._of = snapshot
        self._encoder = Encoder(SHAPES)
        self._shelves: dict[tuple[str, str, str | None], Shelf] = {}
        self._bytes = 0
        self._roots: dict[str, Storefront] = {}
        if snapshot is not None:
            for storefront in snapshot.catalogue.storefronts.values():
                self._roots.update(dict.fromkeys(storefront.root_paths, storefront))

    async def answer(self, question: Question, path: str, name: str | None = None) -> Reply:
        """The list at a path of LISTS, or the one model of it that is named."""
        snapshot = self._parts.snapshot()
        headers = dict(question.headers)
        protocol = _GOOGLE if LISTS[path].shape == "google" else "openai-chat"
        if protocol != _GOOGLE and b"anthropic-version" in headers:
            protocol = _ANTHROPIC
        caller: Caller | None = None
        storefront = question.mount
        try:
            if question.secret is not None:
                caller, storefront = await identify(self._parts, snapshot, question.secret, question.mount)
            if self._of is not snapshot:  # asked after the wait: others answer meanwhile
                self._forget(snapshot)
            if storefront is None:
                storefront = self._roots.get(path) or root_storefront(snapshot)
            if caller is None and path in storefront.keyed_paths:
                raise GatewayError(Kind.UNAUTHENTICATED, MISSING_KEY)
            query = parse_query(question.query) if question.query else {}
            view = choose(SHAPES, storefront, LISTS[path], query, anthropic=protocol == _ANTHROPIC)
            shelf = self._shelf(standing_of(snapshot, caller, storefront, question.headers))
            if name is None:
                page = self._list(shelf, view, query, storefront)
            else:
                page = self._one(shelf, view, name, snapshot, storefront)
        except GatewayError as error:
            storefront = storefront or root_storefront(snapshot)
            error.request_id = question.request_id.decode()
            return refusal(error, storefront, DIALECTS[protocol])
        reply = page.reply(headers, private=caller is not None)
        return replace(reply, id_header=DIALECTS[protocol].id_header) if protocol == _ANTHROPIC else reply

    def _shelf(self, standing: Standing) -> Shelf:
        found = self._shelves.get(standing.fingerprint)
        if found is None or found.standing is not standing:
            if len(self._shelves) >= _SHELVES_KEPT:
                self._forget(self._of)
            found = self._shelves[standing.fingerprint] = Shelf(standing)
        return found

    def _list(self, shelf: Shelf, view: View, query: Mapping[str, str], storefront: Storefront) -> Page:
        paged = SHAPES[view.shape].paged
        if paged is not None:
            return Page(self._encoder.page(view, shelf.rows, query, paged), storefront, kept=False)
        page = shelf.pages.get(view)
        if page is None:
            page = Page(self._encoder.list(view, shelf.rows), storefront, kept=True)
            self._bytes += len(page.body)
            if self._bytes > _BYTES_KEPT:
                self._forget(self._of)
            shelf.pages[view] = page
        return page

    def _one(self, shelf: Shelf, view: View, name: str, snapshot: Snapshot, storefront: Storefront) -> Page:
        model = snapshot.catalogue.resolve(storefront.id, name)
        row = shelf.by_id.get(model.id) if model is not None else None
        if row is None or not keep(view, [row]):
            raise unknown_model(name)
        return Page(self._encoder.row(view, row), storefront, kept=False)


def refusal(error: GatewayError, storefront: Storefront, dialect: Dialect) -> Reply:
    """In the words of the protocol that asked."""
    status, content = dialect.error(error, storefront.error_style)
    return Reply(status=status, headers=[JSON], body=content, storefront=storefront, id_header=dialect.id_header)


def takes_gzip(headers: Headed) -> bool:
    """
    >>> takes_gzip({b"accept-encoding": b"br, gzip"}), takes_gzip({b"accept-encoding": b"gzip;q=0"}), takes_gzip({})
    (True, False, False)
    """
    said = headers.get(b"accept-encoding")
    if said is None or b"gzip" not in said:
        return False
    for one in said.split(b","):
        coding, _, weight = one.partition(b";")
        if coding.strip() == b"gzip":
            return weight.replace(b" ", b"").rstrip(b"0.") != b"q="
    return False


def parse_query(query: bytes) -> dict[str, str]:
    """Query parameters, the last of a name wins. What is not UTF-8 is no name or value that anybody knows."""
    try:
        found = parse_qs(query.decode("latin-1"), keep_blank_values=True, max_num_fields=50, errors="replace")
    except ValueError:
        raise invalid("the query string has more than 50 parameters") from None
    return {name: values[-1] for name, values in found.items()}
