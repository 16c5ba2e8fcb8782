"""Twin of faces/admin/chats.py."""

from pathlib import Path

from conflux.faces.admin.chats import ConversationList, Message, WholeConversation, as_markdown, words
from conflux.neutral.accounts import MessageRow
from tests.faces.admin.gate import gate


async def test_kept_found_renamed_and_deleted_by_their_user_alone(tmp_path: Path) -> None:
    async with gate(tmp_path) as g:
        ann, boss = await g.person("acme", "ann", "member"), await g.person("acme", "boss", "owner")
        made = (await ann.ask("POST", "/conversations", {"name": "Rhymes"})).json()["id"]
        path = f"/conversations/{made}"
        first = {"body": {"role": "user", "content": [{"type": "text", "text": "A <b>Zebra</b>?"}]}}
        assert Message.model_validate((await ann.ask("POST", f"{path}/messages", first)).json()).n == 0
        await ann.ask("POST", f"{path}/messages", {"parent": 0, "body": {"role": "assistant", "content": "Stripes."}})
        whole = WholeConversation.model_validate(await ann.get(path))
        assert [one.parent for one in whole.tree] == [None, 0] and whole.tree[0].body == first["body"]
        for word, count in (("zebra", 1), ("RHYM", 1), ("giraffe", 0), ("assistant", 0)):
            assert len(ConversationList.model_validate(await ann.get("/conversations", q=word)).data) == count
        file = await ann.ask("GET", f"{path}/export")
        assert WholeConversation.model_validate(file.json()) == whole
        assert file.headers["content-disposition"] == f'attachment; filename="{made}.json"'
        read = await ann.ask("GET", f"{path}/export?format=markdown")
        assert read.headers["content-type"].startswith("text/markdown") and "attachment" in str(read.headers)
        assert read.text == "# Rhymes\n\n## You\n\nA <b>Zebra</b>?\n\n## Assistant\n\nStripes.\n"
        assert (await ann.ask("GET", f"{path}/export?format=pdf")).status == 400
        for browser in (boss, g.house):
            for method, where, body in (("GET", path, None), ("GET", f"{path}/export", None),
                                        ("PATCH", path, {"name": "x"}), ("DELETE", path, None),
                                        ("POST", f"{path}/messages", first)):  # fmt: skip
                assert (await browser.ask(method, where, body)).status == 404
            assert (await browser.get("/conversations"))["data"] == []
        assert (await ann.ask("PATCH", path, {"name": "Poems"})).json()["name"] == "Poems"
        assert (await ann.ask("POST", f"{path}/messages", {"parent": 9, "body": {}})).status == 404
        assert (await ann.ask("POST", f"{path}/messages", {"body": {"x": "y" * 2_000_001}})).status == 400
        assert (await ann.ask("DELETE", path)).status == 200
        await ann.ask("POST", "/conversations", {})
        assert (await ann.ask("DELETE", "/conversations")).json() == {"deleted": 1}


async def test_an_owner_who_keeps_none_keeps_none(tmp_path: Path) -> None:
    async with gate(tmp_path, "[web]\nconversations = false\n") as g:
        ann = await g.person("acme", "ann", "member")
        assert (await ann.get("/session"))["conversations"] is False
        assert (await ann.ask("POST", "/conversations", {})).status == 404


def test_markdown_is_the_latest_branch() -> None:
    def said(n: int, parent: int | None, **body: object) -> MessageRow:
        return MessageRow(n=n, parent=parent, created=n, body=body)

    tree = [
        said(0, None, role="user", content="One?"),
        said(1, 0, role="assistant", content="Old.", answer={"model": "a", "served": "b"}),
        said(2, 0, role="assistant", content="New.", answer={"model": "a"}),
        said(3, 2, role="assistant", content=7, model="c"),
    ]
    assert as_markdown("A\nname", tree) == "# A name\n\n## You\n\nOne?\n\n## a\n\nNew.\n\n## c\n\n\n"
    assert "## b" in as_markdown("", tree[:2]) and as_markdown("", []).startswith("# Conversation")


def test_every_text_within() -> None:
    assert words({"a": ["x", {"b": "y"}], "c": 1, "d": None}) == ["x", "y"]
