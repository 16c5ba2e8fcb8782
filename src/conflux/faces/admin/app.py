"""The FastAPI application, built when the first request for it comes.

Law: every route comes from the tables below, with its rule; there is no other way in. Errors have one shape. The
OpenAPI document says what is answered, and nothing else is.
"""

import mimetypes
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from conflux import __version__
from conflux.accounts.sealing import SealError
from conflux.faces.admin import (
    books,
    catalogue,
    changes,
    chats,
    house,
    limits,
    people,
    plans,
    session,
    storefronts,
    work,
)
from conflux.faces.admin.actor import Rule
from conflux.faces.admin.desk import Desk
from conflux.faces.admin.examples import illustrate
from conflux.faces.admin.routes import Endpoint, Problem, Routes, Spec, ruled, summary_of
from conflux.faces.admin.shape import answer, refusal, said
from conflux.faces.web import GUARDS
from conflux.neutral.errors import ConfigError, GatewayError, Kind, StoreError, invalid

PREFIX = "/admin/api/v1"
TABLES: tuple[Routes, ...] = (
    *(session.ROUTES, people.ROUTES, limits.ROUTES, catalogue.ROUTES, changes.ROUTES, house.ROUTES, books.ROUTES),
    *(chats.ROUTES, plans.ROUTES, storefronts.ROUTES, work.ROUTES),
)

_FOLDER = Path(__file__).parent / "pages"
_PAGES = {"docs": "docs.html", "docs.css": "docs.css", "docs.js": "docs.js"}

_ABOUT = """What the command line can do, over HTTP: the same operations behind both doors.

Send an admin's key (`Authorization: Bearer KEY`), or sign in and send the session's cookie; what changes something
then also needs the header `X-Conflux-CSRF` with the word that `GET /admin/api/v1/session` gives. Lists come in pages:
`next` of one page is the `cursor` of the following; `format=csv` is the whole list as a file. Money is an exact decimal
text. Errors have the shape they have on the OpenAI paths."""
_ERRORS = {
    400: "What was asked makes no sense; the message says what and where.",
    401: "Nobody is signed in, or the credential is not valid.",
    403: "This takes another role.",
    404: "It is not there, or not yours.",
    413: "The body is over the limit, which the message says.",
    429: "Too many attempts: wait as `retry-after` says.",
    503: "The ledger cannot do this now.",
}


def build(desk: Desk) -> FastAPI:
    app = FastAPI(
        title="Conflux admin API", version=__version__, description=_ABOUT, openapi_url=None, docs_url=None,
        redoc_url=None, redirect_slashes=False,
    )  # fmt: skip
    app.state.desk = desk
    for table in TABLES:
        for spec in table.specs:
            _add(app, spec)
    _add_document(app)
    app.add_exception_handler(Exception, _failed)
    for kind in (GatewayError, ConfigError, StoreError, SealError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _refused)
    return app


def _add(app: FastAPI, spec: Spec) -> None:
    statuses = [400, 404, 503, *spec.public_errors]
    if spec.method in ("POST", "PUT", "PATCH"):
        statuses.append(413)
    if spec.rule is not Rule.OPEN:
        statuses += [401, 403]
    responses: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem, "description": _ERRORS[status]} for status in sorted(set(statuses))
    }
    if spec.out is not None:
        responses[spec.status] = {"model": spec.out, "description": "As asked."}
        if spec.media is not None:
            responses[spec.status]["content"] = {spec.media: {"schema": {"type": "string"}}}
    app.router.add_api_route(
        PREFIX + spec.path,
        spec.endpoint,
        methods=[spec.method],
        response_model=None,
        response_class=Response,
        status_code=spec.status,
        tags=[spec.tag],
        summary=summary_of(spec.endpoint),
        operation_id=_camel(spec.endpoint.__name__),
        responses=responses,
        route_class_override=ruled(spec.rule),
        openapi_extra={"x-conflux-rule": spec.rule.name.lower()},
    )


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once. FastAPI adds its own error to each route, which is never answered here."""
    fresh = app.openapi_schema is None
    found = app.openapi()
    if fresh:
        for path in found["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        for name in ("HTTPValidationError", "ValidationError"):
            found.get("components", {}).get("schemas", {}).pop(name, None)
        illustrate(found)
    return found


def _add_document(app: FastAPI) -> None:
    async def openapi() -> Response:
        return answer(document(app))

    served = [("openapi.json", openapi), *((name, _page(name)) for name in _PAGES)]
    for name, endpoint in served:
        app.router.add_api_route("/admin/api/" + name, endpoint, include_in_schema=False, response_model=None,
                                 route_class_override=ruled(Rule.OPEN))  # fmt: skip


def _page(name: str) -> Endpoint:
    body = (_FOLDER / _PAGES[name]).read_bytes()
    headers = {one.decode(): value.decode() for one, value in (*GUARDS, (b"cache-control", b"no-cache"))}
    kind = mimetypes.guess_type(_PAGES[name])[0]

    async def page() -> Response:
        return Response(body, 200, headers, kind)

    return page


async def _refused(request: Request, error: Exception) -> Response:
    return refusal(told(error))


def told(error: Exception) -> GatewayError:
    if isinstance(error, GatewayError):
        return error
    if isinstance(error, ConfigError):
        return said(error)
    if isinstance(error, SealError):
        return GatewayError(Kind.UNAVAILABLE, str(error))
    if isinstance(error, StoreError):
        return GatewayError(Kind.UNAVAILABLE, f"the ledger cannot do this now: {error}")
    if isinstance(error, RequestValidationError):
        return _unread(error)
    if isinstance(error, HTTPException) and isinstance(error.__cause__, GatewayError):
        return error.__cause__  # the door stopped the body while it was read
    if isinstance(error, HTTPException) and error.status_code == 405:
        found = GatewayError(Kind.METHOD_NOT_ALLOWED, "this path does not take this method")
        found.headers = [(b"allow", str((error.headers or {}).get("allow", "")).encode())]
        return found
    if isinstance(error, HTTPException) and error.status_code == 404:
        return GatewayError(Kind.NOT_FOUND, "there is nothing at this path")
    if isinstance(error, HTTPException) and error.status_code < 500:
        return invalid(f"this cannot be read: {error.detail}")
    return GatewayError(Kind.INTERNAL, "the gateway failed on this request; it was noted")


def _unread(error: RequestValidationError) -> GatewayError:
    """The first mistakes, by name."""
    lines, first = [], None
    for one in error.errors()[:5]:
        if one["type"] == "json_invalid":
            return invalid(f"the body is not valid JSON, at letter {one['loc'][-1]}: {one['ctx']['error']}")
        place = ".".join(str(part) for part in one["loc"][1:]) or str(one["loc"][0])
        first = first or place
        lines.append(f"{place}: {one['msg']}")
    return invalid("; ".join(lines)[:1000], first[:200] if first else None)


async def _failed(request: Request, error: Exception) -> Response:
    """The client is told here; the door notes what it was."""
    return refusal(told(error))
