"""The conversations of the web chat, kept for their user.

Law: each is its user's alone; no admin and not the house reads one here. They are kept only because the user keeps
them, and only where the owner lets it be: `web.conversations = false` keeps none. The gateway's own path stores no
prompt.
"""

import asyncio
from typing import Annotated, Any, ClassVar

import msgspec
from fastapi import Path, Query, Response
from pydantic import Field

from conflux.faces.admin.actor import Rule
from conflux.faces.admin.desk import Desk
from conflux.faces.admin.routes import Done, Routes, TheActor, TheDesk, ThePage, View
from conflux.faces.admin.shape import answer, listed, text
from conflux.neutral.accounts import ConversationRow, MessageRow
from conflux.neutral.errors import NoSuch, invalid
from conflux.stores.conversations import Box, Conversations

ROUTES = Routes("Conversations")
_BODY_MOST = 2_000_000
Id = Annotated[str, Path(max_length=40, examples=["conv_1"])]


class Conversation(View):
    id: str = Field(examples=["conv_1"])
    name: str
    created: int = Field(description="Unix milliseconds.")
    changed: int
    messages: int


class ConversationList(View):
    data: list[Conversation]
    next: str | None = None


class Message(View):
    n: int
    parent: int | None = Field(description="What it follows; two with one parent are branches.")
    created: int
    body: dict[str, Any]


class WholeConversation(Conversation):
    tree: list[Message]


class NewConversation(View):
    name: str = Field("", max_length=200, examples=["Rhymes"])


class NewMessage(View):
    """`body` is the page's own: role, content, model, receipt, cost and whatever it wants to show again."""

    holds_nul: ClassVar[bool] = True  # it is sealed: no database reads it

    parent: int | None = Field(None, ge=0, le=1 << 40)
    body: dict[str, Any] = Field(examples=[{"role": "user", "content": "Hello"}])


class Deleted(View):
    deleted: int


@ROUTES("GET", "/conversations", Rule.SIGNED_IN, ConversationList)
async def list_conversations(
    desk: TheDesk,
    actor: TheActor,
    asked: ThePage,
    q: Annotated[str | None, Query(max_length=200, description="A word in its name or a message's content.")] = None,
) -> Response:
    """One's conversations, the one that changed last first."""
    shelf, user = _shelf(desk), actor.caller.user_id
    if q is None:
        rows = await shelf.rows(user)
    else:
        found = await shelf.texts(user)
        rows = await asyncio.to_thread(_with, found, q.lower())
    return listed([_plain(row) for row in rows], asked, "conversations")


@ROUTES("POST", "/conversations", Rule.SIGNED_IN, Conversation, status=201)
async def create_conversation(body: NewConversation, desk: TheDesk, actor: TheActor) -> Response:
    """Begin a conversation."""
    return answer(_plain(await _shelf(desk).create(actor.caller.user_id, body.name)), 201)


@ROUTES("DELETE", "/conversations", Rule.SIGNED_IN, Deleted)
async def delete_conversations(desk: TheDesk, actor: TheActor) -> Response:
    """Delete all of one's conversations. Nothing of them is left."""
    return answer({"deleted": await _shelf(desk).delete_all(actor.caller.user_id)})


@ROUTES("GET", "/conversations/{conversation}", Rule.SIGNED_IN, WholeConversation)
async def get_conversation(conversation: Id, desk: TheDesk, actor: TheActor) -> Response:
    """A conversation with all its messages, as a tree."""
    row, messages = await _shelf(desk).show(actor.caller.user_id, conversation)
    return answer({**_plain(row), "tree": [_plain(one) for one in messages]})


@ROUTES("GET", "/conversations/{conversation}/export", Rule.SIGNED_IN, WholeConversation, media="text/markdown")
async def export_conversation(
    conversation: Id,
    desk: TheDesk,
    actor: TheActor,
    format: Annotated[str, Query(pattern="^(json|markdown)$", description="markdown: its latest branch.")] = "json",
) -> Response:
    """A conversation as a file: JSON with every branch, or Markdown to read."""
    row, messages = await _shelf(desk).show(actor.caller.user_id, conversation)
    kind = "md" if format == "markdown" else "json"
    headers = {"content-disposition": f'attachment; filename="{row.id}.{kind}"'}
    if format == "json":
        return answer({**_plain(row), "tree": [_plain(one) for one in messages]}, headers=headers)
    return text(as_markdown(row.name, messages), "text/markdown; charset=utf-8", headers)


@ROUTES("PATCH", "/conversations/{conversation}", Rule.SIGNED_IN, Conversation)
async def rename_conversation(conversation: Id, body: NewConversation, desk: TheDesk, actor: TheActor) -> Response:
    """Give it another name."""
    return answer(_plain(await _shelf(desk).rename(actor.caller.user_id, conversation, body.name)))


@ROUTES("DELETE", "/conversations/{conversation}", Rule.SIGNED_IN, Done)
async def delete_conversation(conversation: Id, desk: TheDesk, actor: TheActor) -> Response:
    """Delete a conversation. Nothing of it is left."""
    await _shelf(desk).delete(actor.caller.user_id, conversation)
    return answer({"done": True})


@ROUTES("POST", "/conversations/{conversation}/messages", Rule.SIGNED_IN, Message, status=201)
async def add_message(conversation: Id, body: NewMessage, desk: TheDesk, actor: TheActor) -> Response:
    """Add a message below another. Messages are not changed: an edit is a branch."""
    if len(msgspec.json.encode(body.body)) > _BODY_MOST:
        raise invalid(f"body: over {_BODY_MOST} bytes", "body")
    return answer(_plain(await _shelf(desk).add(actor.caller.user_id, conversation, body.parent, body.body)), 201)


def as_markdown(name: str, messages: list[MessageRow]) -> str:
    """The branch on which something was said last, from its beginning."""
    by_number = {one.n: one for one in messages}
    path: list[MessageRow] = []
    at = messages[-1] if messages else None
    while at is not None:
        path.append(at)
        at = by_number.get(at.parent) if at.parent is not None else None
    parts = [f"## {_who(one.body)}\n\n{_said(one.body)}\n" for one in reversed(path)]
    return "\n".join([f"# {' '.join(name.split()) or 'Conversation'}\n", *parts])


def _who(body: dict[str, Any]) -> str:
    if body.get("role") == "user":
        return "You"
    found = body.get("answer")
    whole = found if isinstance(found, dict) else body
    name = whole.get("served") or whole.get("model")
    return name if isinstance(name, str) and name else "Assistant"


def _said(body: dict[str, Any]) -> str:
    """What the page keeps as `content`: a text, or parts with texts."""
    content = body.get("content")
    if isinstance(content, str):
        return content
    return "\n\n".join(words([one.get("text") for one in content if isinstance(one, dict)])) if isinstance(
        content, list
    ) else ""  # fmt: skip


def _shelf(desk: Desk) -> Conversations:
    if not desk.conversations():
        raise NoSuch(["this gateway keeps no conversations: its owner has switched that off"])
    return Conversations(desk.store.ledger, Box(desk.sealer.seal, desk.sealer.open), desk.now)


def _with(found: list[tuple[ConversationRow, list[MessageRow]]], word: str) -> list[ConversationRow]:
    return [
        row
        for row, messages in found
        if word in row.name.lower()
        or any(word in said.lower() for one in messages for said in words(one.body.get("content")))
    ]


def words(value: Any) -> list[str]:
    """Every text within."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [text for one in value for text in words(one)] if isinstance(value, list) else []


def _plain(row: ConversationRow | MessageRow) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.structs.asdict(row)
    return found
