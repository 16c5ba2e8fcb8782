"""The public HTTP face: paths to work, by table.

Law: raw ASGI, one dictionary look-up per request; no middleware. A path is known by exact name or by one of a few
prefixes; a mount fixes the storefront. What is not in the table is 404, a wrong method 405, and nothing guesses.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec.structs import replace

from conflux.catalogue.listings.choose import LISTS
from conflux.dialects import DIALECTS
from conflux.dialects.base import NOWHERE, Dialect, Place
from conflux.dialects.openai_errors import body as openai_error
from conflux.dialects.strict_json import encode
from conflux.faces.admin.door import BELOW, AdminDoor
from conflux.faces.coding import ACCEPTED, check_coding, decoded
from conflux.faces.connection import Connection
from conflux.faces.cookies import page_secret
from conflux.faces.exchange import HttpExchange, ShortExchange, connection_of, cors
from conflux.faces.http_secret import header_secret
from conflux.faces.listed import ListedExchange
from conflux.faces.public import POSTED, Public, serving
from conflux.faces.question import Question, Reply
from conflux.faces.short_way import ShortRequest, announced
from conflux.faces.web import Web
from conflux.neutral.errors import GatewayError, Kind, StoreError, unread
from conflux.neutral.fields import worded
from conflux.neutral.ledger import ID_CHANCES, new_request_id, request_id_text
from conflux.neutral.ports import Headers
from conflux.neutral.records import Storefront
from conflux.relay.gateway import Gateway
from conflux.relay.headers import JSON, identified
from conflux.relay.identify import identify, root_storefront
from conflux.relay.parts import Exchange, Incoming
from conflux.relay.snapshot import Snapshot

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

# path below a mount: the dialect a generation call speaks there
GENERATION = {path: dialect.name for dialect in DIALECTS.values() for path in dialect.routes}

_RESPONSES = "openai-responses"
# What the answer to a refusal must say beside its status.
_EXPLAINED: dict[Kind, Headers] = {
    Kind.UNKNOWN_CODING: [(b"accept-encoding", ACCEPTED)],
    Kind.UPGRADE_REQUIRED: [(b"upgrade", b"HTTP/1.1"), (b"connection", b"upgrade")],
}
_SPEECHLESS = b'{"error":{"message":"the gateway failed on this request; it was noted","type":"server_error"}}'
_READ, _WRITE = b"GET, HEAD", b"POST"  # the methods of a path


class Limits(msgspec.Struct, frozen=True):
    body_bytes: int = 32 * 1024 * 1024
    body_seconds: float = 60.0  # how long a body may take to arrive


class Heard(msgspec.Struct):
    """The few request headers that are read. An unusable Authorization is an empty secret: sent, and bad."""

    secret: str | None = None
    origin: bytes | None = None
    coding: bytes | None = None  # of the body
    host: bytes = b""
    once: bytes | None = None


def hear(headers: list[tuple[bytes, bytes]]) -> Heard:
    return heard_in(dict(headers))


def heard_in(found: dict[bytes, bytes]) -> Heard:
    """Look-ups by name: the last of a name counts."""
    get = found.get
    secret = header_secret(found)
    if secret is None and b"cookie" in found:
        secret = page_secret(found)
    coding = get(b"content-encoding")
    return Heard(
        secret,
        get(b"origin"),
        coding.strip().lower() or None if coding is not None else None,
        get(b"host", b"").partition(b":")[0].lower(),
        get(b"idempotency-key"),
    )


def find_generation(path: str) -> tuple[str | None, Place]:
    """The dialect spoken at a path below a mount, and what the path says beside that."""
    dialect = GENERATION.get(path)
    if dialect is None:
        for one in DIALECTS.values():
            place = one.find(path)
            if place is not None:
                return one.name, place
    return dialect, NOWHERE


def _allowed(dialect: str | None, path: str) -> bytes:
    return _READ if dialect is None and path not in POSTED else _WRITE


def _protocol_of(path: str) -> str | None:
    """Whose errors are read at a path where nothing is generated."""
    return "gemini" if path == "/v1beta" or path.startswith("/v1beta/") else None


def _google_secret(path: str, query: bytes) -> str | None:
    """The key where Google's clients may put it."""
    if _protocol_of(path) is None or b"key=" not in query:
        return None
    return dict(parse_qsl(query.decode("latin-1"))).get("key")


def placed(place: Place, dialect: Dialect, query: bytes, headers: list[tuple[bytes, bytes]]) -> Place:
    """With what the query and the protocol's own headers add."""
    if not query and not dialect.listens:
        return place
    found = dict(headers)
    heard = {name.decode(): found[name].decode("latin-1") for name in dialect.listens if name in found}
    return replace(place, query=query.decode("latin-1"), headers=heard)


def secret_of(place: Place, heard: Heard) -> str | None:
    """The key: a header's, or where the protocol takes it in the query."""
    if heard.secret is not None or not place.secret_in:
        return heard.secret
    return dict(parse_qsl(place.query)).get(place.secret_in)


def goes_listed(place: Place) -> bool:
    """Is the stream asked for as one JSON list?"""
    return bool(place.listed_unless) and place.listed_unless not in place.query.split("&")


class Mounts:
    """Which storefront a path or host belongs to, and what the path is below it. Rebuilt per snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.root = root_storefront(snapshot)
        mounted = [
            (storefront.mount.rstrip("/"), storefront)
            for storefront in snapshot.catalogue.storefronts.values()
            if storefront.mount != "/"
        ]
        mounted.sort(key=lambda one: len(one[0]))
        self._by_prefix = mounted[::-1]  # a mount may lie below another: the longest that fits is meant, here and below
        self._by_host = {
            host.lower().encode(): storefront
            for storefront in snapshot.catalogue.storefronts.values()
            for host in storefront.hosts
        }

        # Storefronts by host need the Host header, so with any of those nothing at the root is short.
        at_root = [] if self._by_host else [("", None)]
        self.short: dict[bytes, tuple[str, Storefront | None]] = {
            (prefix + path).encode(): (dialect, storefront)
            for prefix, storefront in [*at_root, *mounted]
            for path, dialect in GENERATION.items()
        }
        self.lists: dict[bytes, tuple[str, Storefront | None]] = {
            (prefix + path).encode(): (path, storefront)
            for prefix, storefront in [*at_root, *mounted]
            for path in LISTS
        }

    def find(self, path: str, host: bytes) -> tuple[Storefront | None, str]:
        for prefix, storefront in self._by_prefix:
            if path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/"):
                return storefront, path[len(prefix) :] or "/"
        return self._by_host.get(host), path


class HttpFace:
    """The ASGI application."""

    def __init__(
        self,
        gateway: Gateway,
        public: Public,
        limits: Limits,
        report: Callable[[Exception, str], None],
        web: Web | None = None,
        admin: AdminDoor | None = None,
    ) -> None:
        self._web = web
        self._admin = admin
        self._gateway = gateway
        self._public = public
        self._report = report
        self._mounts: Mounts | None = None
        self.body_bytes = limits.body_bytes
        self.body_seconds = limits.body_seconds
        self.leaving = False

    # --- the short way: generation calls and lists of models, straight on the connection

    def takes(self, method: bytes, url: bytes) -> bool:
        mounts = self._current_mounts()
        return (method == b"POST" and url in mounts.short) or (method == b"GET" and url in mounts.lists)

    async def short(self, request: ShortRequest, connection: Connection) -> None:
        heard = heard_in(request.named)
        exchange = ShortExchange(connection, heard.origin)
        mounts = self._current_mounts()
        # A reload may have moved the path between the head and the end of the body: then it is answered as moved.
        reads = request.method == b"GET"
        found, mount = (mounts.lists if reads else mounts.short).get(request.url) or (None, None)
        try:
            if found is None:
                raise GatewayError(Kind.NOT_FOUND, "this path is no longer served: look at the gateway's configuration")
            if reads:
                question = Question(method="GET", path=found, query=b"", secret=heard.secret, mount=mount,
                                    headers=request.headers, request_id=self._request_id()[1])  # fmt: skip
                await self._send(await self._public.answer(question), question, exchange)
                await exchange.drained()  # a list is long, and the next one may be asked for already
                return
            dialect = found
            body = request.body
            if heard.coding is not None:
                body = await decoded(body, heard.coding, self.body_bytes)
            place = placed(NOWHERE, DIALECTS[dialect], b"", request.headers)
            incoming = Incoming(dialect=dialect, body=body, secret=heard.secret, mount=mount, place=place,
                                headers=request.headers, once=heard.once)  # fmt: skip
            await self._gateway.generate(incoming, exchange)
        except (GatewayError, StoreError) as error:
            await self._refuse(exchange, error, mount or mounts.root, None if reads else found)
        except Exception as error:  # noqa: BLE001 edge: nobody above can answer the client
            self._report(error, request.url.decode("latin-1"))
            await self._fail(exchange, mount or mounts.root, None if reads else found)
        finally:
            connection.finished()

    def refusal(self, error: GatewayError, request: ShortRequest | None) -> tuple[int, Headers, bytes]:
        mounts = self._current_mounts()
        storefront, origin, dialect = mounts.root, None, None
        if request is not None:
            dialect, mount = mounts.short.get(request.url) or (None, None)
            if dialect is None:
                mount = mounts.lists.get(request.url, (None, None))[1]
            storefront = mount or mounts.root
            origin = hear(request.headers).origin
        status, headers, content = self._worded(error, storefront, dialect)
        return status, [*headers, *cors(storefront, origin)], content

    def _worded(self, error: GatewayError, storefront: Storefront, dialect: str | None) -> tuple[int, Headers, bytes]:
        """An error as the dialect says it that is spoken there, or as OpenAI does where none is."""
        request_id = self._request_id()
        error.request_id = request_id[1].decode()
        try:
            return self._said(error, storefront, dialect, request_id)
        except Exception as defect:  # noqa: BLE001 edge: a client whose error cannot be worded would wait for ever
            self._report(defect, f"an error of the kind {error.kind}")
            return 500, [JSON, request_id], _SPEECHLESS

    def _said(
        self, error: GatewayError, storefront: Storefront, dialect: str | None, request_id: tuple[bytes, bytes]
    ) -> tuple[int, Headers, bytes]:
        explained = [*_EXPLAINED.get(error.kind, ()), *error.told()]
        if dialect is None:
            status, content = openai_error(error, storefront.error_style)
            return status, [JSON, request_id, *explained], content
        spoken = DIALECTS[dialect]
        status, content = spoken.error(worded(error, spoken.words), storefront.error_style)
        return status, [JSON, *identified(request_id[1], spoken), *explained], content

    async def unwelcome(self, request: ShortRequest) -> GatewayError | None:
        found = self._current_mounts().short.get(request.url)
        if found is None:
            return None
        try:
            await self._welcome(hear(request.headers), found[1])
        except GatewayError as error:
            return error
        return None

    async def _welcome(self, heard: Heard, mount: Storefront | None) -> None:
        """Is a body worth waiting for? Not where nobody would read it: the coding is unknown, or the key bad."""
        check_coding(heard.coding)
        parts = self._gateway.parts
        try:
            await identify(parts, parts.snapshot(), heard.secret, mount)
        except StoreError:
            return  # told when the body is there: by then it may know again

    async def _refuse(
        self,
        exchange: Exchange,
        error: GatewayError | StoreError,
        storefront: Storefront,
        dialect: str | None,
        *,
        allow: bytes = b"",
    ) -> None:
        error = unread() if isinstance(error, StoreError) else error
        status, headers, content = self._worded(error, storefront, dialect)
        if error.kind is Kind.METHOD_NOT_ALLOWED:
            headers.append((b"allow", allow))
        exchange.serving(storefront)
        await exchange.reply(status, headers, content)

    async def _turn_away(self, scope: Scope, exchange: HttpExchange, error: GatewayError, heard: Heard,
                         storefront: Storefront, dialect: str | None) -> None:  # fmt: skip
        """Refused before the body was read to its end."""
        status, headers, content = self._worded(error, storefront, dialect)
        connection = connection_of(scope)
        if connection is None:
            await exchange.reply(status, [*headers, (b"connection", b"close")], content)
        else:
            connection.turn_away(status, [*headers, *cors(storefront, heard.origin)], content)

    def _request_id(self) -> tuple[bytes, bytes]:
        """A number for an answer that is on no receipt, so that its client can be helped."""
        parts = self._gateway.parts
        number = new_request_id(parts.clock.time(), parts.below(ID_CHANCES))
        return (b"x-request-id", request_id_text(number).encode())

    # --- ASGI: everything else

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._admin is not None and scope["path"].startswith(BELOW):
            await self._admin(scope, receive, send, self._request_id()[1])
            return
        heard = hear(scope["headers"])
        exchange = HttpExchange(scope, send, heard.origin)
        mounts = self._current_mounts()
        mount, path = mounts.find(scope["path"], heard.host)
        dialect, place = find_generation(path)
        try:
            if dialect is not None and scope["method"] == "POST":
                body = await self._body(scope, receive, heard, mount)
                place = placed(place, DIALECTS[dialect], scope.get("query_string", b""), scope["headers"])
                secret = secret_of(place, heard)
                incoming = Incoming(
                    dialect=dialect, body=body, secret=secret, mount=mount, place=place, headers=scope["headers"],
                    once=heard.once,
                )  # fmt: skip
                if place.counts:
                    await self._count(incoming, exchange)
                    return
                await self._gateway.generate(incoming, ListedExchange(exchange) if goes_listed(place) else exchange)
                return
            exchange.serving(mount or mounts.root)
            posts = path in POSTED and scope["method"] == "POST"
            body = await self._body(scope, receive, heard, mount) if posts else b""
            await self._other(scope, exchange, heard, mount, path, dialect, body)
        except (GatewayError, StoreError) as error:
            allow = _allowed(dialect, path)
            await self._refuse(exchange, error, mount or mounts.root, dialect or _protocol_of(path), allow=allow)
        except _Unread as unread:
            await self._turn_away(scope, exchange, unread.error, heard, mount or mounts.root, dialect)
        except _Gone:
            return
        except Exception as error:  # noqa: BLE001 edge: nobody above can answer the client
            self._report(error, path)
            await self._fail(exchange, mount or mounts.root, dialect)
        finally:
            exchange.release()

    async def _count(self, incoming: Incoming, exchange: Exchange) -> None:
        storefront, tokens = await self._gateway.count(incoming)
        exchange.serving(storefront)
        headers = [JSON, *identified(self._request_id()[1], DIALECTS[incoming.dialect])]
        await exchange.reply(200, headers, encode({incoming.place.counts: tokens}))

    async def _fail(self, exchange: HttpExchange | ShortExchange, storefront: Storefront, dialect: str | None) -> None:
        """Something of ours broke: the client learns that, and nothing about it."""
        error = GatewayError(Kind.INTERNAL, "the gateway failed on this request; it was noted")
        if not exchange.began:
            await exchange.reply(*self._worded(error, storefront, dialect))
        elif not exchange.ended:
            await exchange.finish(DIALECTS[dialect].error_event(error) if dialect is not None else b"")

    async def _other(
        self,
        scope: Scope,
        exchange: HttpExchange,
        heard: Heard,
        mount: Storefront | None,
        path: str,
        dialect: str | None,
        body: bytes,
    ) -> None:
        method = scope["method"]
        if method == "OPTIONS":
            root = self._current_mounts().root
            await self._preflight(exchange, heard, mount or root, _allowed(dialect, path), scope["headers"])
            return
        if dialect == _RESPONSES and method == "GET" and b"sec-websocket-key" in dict(scope["headers"]):
            raise GatewayError(Kind.UPGRADE_REQUIRED, f"WebSocket is not spoken here: POST to {path} over HTTP")
        question = Question(
            method=method,
            path=path,
            query=scope.get("query_string", b""),
            secret=_google_secret(path, scope.get("query_string", b"")) if heard.secret is None else heard.secret,
            mount=mount,
            headers=scope["headers"],
            request_id=self._request_id()[1],
            body=body,
        )
        taken = dialect is not None or serving(path) is not None
        page = await self._web.answer(question, taken=taken) if self._web is not None else None
        if page is not None:
            await self._send(page, question, exchange)
            return
        if path == "/" and method == "HEAD":  # how some clients look whether anybody is there
            await exchange.reply(200, [self._request_id()], b"")
            return
        if dialect is not None:
            raise GatewayError(Kind.METHOD_NOT_ALLOWED, f"{path} takes POST, not {method}")
        await self._send(await self._public.answer(question), question, exchange)

    async def _send(self, reply: Reply, question: Question, exchange: Exchange) -> None:
        if reply.storefront is not None:
            exchange.serving(reply.storefront)
        headers = [*reply.headers, (b"x-request-id", question.request_id)]
        if reply.id_header:
            headers.append((reply.id_header, question.request_id))
        await exchange.reply(reply.status, headers, reply.body)

    async def _preflight(
        self, exchange: HttpExchange, heard: Heard, storefront: Storefront, allow: bytes, asked: Headers
    ) -> None:
        if heard.origin is None:  # nobody's page asks: the plain question what there is
            await exchange.reply(204, [(b"allow", allow + b", OPTIONS"), self._request_id()], b"")
            return
        allowed = any(name == b"access-control-allow-origin" for name, _ in cors(storefront, heard.origin))
        headers = [
            (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
            # Clients send headers of their own, official ones a dozen; which of them count is said where they are read.
            (b"access-control-allow-headers", dict(asked).get(b"access-control-request-headers", b"*")),
            (b"access-control-max-age", b"600"),
        ]  # fmt: skip
        await exchange.reply(204 if allowed else 403, [*(headers if allowed else ()), self._request_id()], b"")

    def _current_mounts(self) -> Mounts:
        snapshot = self._gateway.parts.snapshot()
        if self._mounts is None or self._mounts.snapshot is not snapshot:
            self._mounts = Mounts(snapshot)
        return self._mounts

    async def _body(self, scope: Scope, receive: Receive, heard: Heard, mount: Storefront | None) -> bytes:
        try:
            body = await self._received(scope, receive, heard, mount)
        except GatewayError as error:
            raise _Unread(error) from None
        except TimeoutError:
            raise _Unread(GatewayError(Kind.REQUEST_TIMEOUT, "the request took too long to arrive")) from None
        return body if heard.coding is None else await decoded(body, heard.coding, self.body_bytes)

    async def _received(self, scope: Scope, receive: Receive, heard: Heard, mount: Storefront | None) -> bytes:
        most = self.body_bytes
        too_large = GatewayError(Kind.TOO_LARGE, f"the body is over the limit of {most} bytes")
        if announced(scope["headers"]) > most:
            raise too_large
        welcome = False
        if any(name == b"expect" for name, _ in scope["headers"]):  # before it is told to go on
            await self._welcome(heard, mount)
            welcome = True
        parts: list[bytes] = []
        size = 0
        async with asyncio.timeout(self.body_seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Gone
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > most:
                    raise too_large
                if not message.get("more_body"):
                    return b"".join(parts)
                if not welcome:
                    await self._welcome(heard, mount)
                    welcome = True


class _Unread(Exception):
    """Refused before the body was read to its end."""

    def __init__(self, error: GatewayError) -> None:
        super().__init__(error.message)
        self.error = error


class _Gone(Exception):
    """The client left before its request was whole."""
