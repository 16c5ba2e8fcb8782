"""How a route is said: method, path, rule, answer, in one line above its function.

Law: a route names its rule and what it answers; its function's name is its id in the OpenAPI document and stays. The
rule is looked at before anything of the request is read but its head.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, ClassVar

import msgspec
from fastapi import Depends, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, model_validator

from conflux.faces.admin.actor import Actor, Rule, admit
from conflux.faces.admin.desk import Desk
from conflux.faces.admin.shape import MOST, USUAL, Asked

Endpoint = Callable[..., Awaitable[Response]]


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    method: str
    path: str
    rule: Rule
    endpoint: Endpoint
    tag: str
    out: Any  # a model, or None for an answer without a body
    status: int
    csv: bool
    media: str | None  # of another form that the answer may have
    public_errors: tuple[int, ...]


class Routes:
    """One area's routes, in the order in which they are said."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.specs: list[Spec] = []

    def __call__(
        self, method: str, path: str, rule: Rule, out: Any, *, status: int = 200, csv: bool = False,
        media: str | None = None, errors: tuple[int, ...] = (),
    ) -> Callable[[Endpoint], Endpoint]:  # fmt: skip
        def take(endpoint: Endpoint) -> Endpoint:
            self.specs.append(
                Spec(method=method, path=path, rule=rule, endpoint=endpoint, tag=self.tag, out=out, status=status,
                     csv=csv, media="text/csv" if csv else media, public_errors=errors)
            )  # fmt: skip
            return endpoint

        return take


def unsound(value: Any, *, nul: bool) -> bool:
    if isinstance(value, str):
        return ("\0" in value and not nul) or any("\ud800" <= one <= "\udfff" for one in value)
    if isinstance(value, dict):
        value = [*value, *value.values()]
    return isinstance(value, list) and any(unsound(one, nul=nul) for one in value)


class View(BaseModel):
    """What goes out or comes in: nothing but the fields that are written down."""

    model_config = {"extra": "forbid", "title": None}
    holds_nul: ClassVar[bool] = False

    @model_validator(mode="before")
    @classmethod
    def sound(cls, value: Any) -> Any:
        """Texts that a database cannot hold, or nobody encode, are refused here, however deep they lie."""
        if unsound(value, nul=cls.holds_nul):
            raise ValueError("a text holds a NUL, or half of a surrogate pair")
        return value


class Wide(BaseModel):
    """What goes out and may say more than is written down."""

    model_config = {"extra": "allow"}


class Failure(View):
    message: str
    type: str
    param: str | None = None
    code: str | None = None
    request_id: str | None = None


class Problem(BaseModel):
    """Every error: the same shape as on the OpenAI paths."""

    error: Failure


class Done(View):
    """It was done; nothing else is to be said."""

    done: bool


def ruled(rule: Rule) -> type[APIRoute]:
    class Ruled(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            inner = super().get_route_handler()

            async def handler(request: Request) -> Response:
                desk: Desk = request.app.state.desk
                request.state.actor = await admit(
                    request.scope["headers"], request.method, rule, desk.find, desk.now()
                )  # fmt: skip
                return await inner(request)

            return handler

    return Ruled


def _desk(request: Request) -> Desk:
    found: Desk = request.app.state.desk
    return found


def _actor(request: Request) -> Actor:
    found: Actor = request.state.actor
    return found


def _maybe_actor(request: Request) -> Actor | None:
    found: Actor | None = request.state.actor
    return found


def _asked(
    limit: Annotated[int, Query(ge=1, le=MOST, description="Rows in a page.")] = USUAL,
    cursor: Annotated[str | None, Query(max_length=200, description="`next` of the page before.")] = None,
    format: Annotated[str, Query(pattern="^(json|csv)$", description="`csv`: all rows as a file.")] = "json",
) -> Asked:
    return Asked(limit, cursor, format == "csv")


TheDesk = Annotated[Desk, Depends(_desk)]
TheActor = Annotated[Actor, Depends(_actor)]
MaybeActor = Annotated[Actor | None, Depends(_maybe_actor)]
ThePage = Annotated[Asked, Depends(_asked)]


def summary_of(endpoint: Endpoint) -> str:
    return (inspect.getdoc(endpoint) or "").partition("\n")[0].rstrip(".")
