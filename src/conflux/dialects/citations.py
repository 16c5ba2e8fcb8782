"""Web pages that an answer cites, as each dialect says it; and the names of what no other dialect has words for.

Law: a page's address and title arrive everywhere. What else a citation holds arrives where the client's protocol has a
place for it, and is named where it has none.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Raw

from conflux.neutral.events import Aside, Link

Json = dict[str, Any]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,63}")
# What of a citation a Link holds, by any dialect's name for it, and what stands for nothing.
_HELD = frozenset({"type", "url", "title", "url_citation", "start_index", "end_index", "content", "cited_text",
                   "encrypted_index"})  # fmt: skip
_MOST = 100
_EMPTY = (b"null", b'""', b"[]", b"{}", b"false")
_fields = msgspec.json.Decoder(dict[str, Raw]).decode
NOTHING: tuple[Any, ...] = (None, "", [], {}, False)


def named(kind: Any) -> str:
    """The name of a part that an upstream chose. What begins with x_ would name the upstream."""
    text = kind if isinstance(kind, str) else ""
    return text if _NAME.fullmatch(text) and not text.startswith("x_") else "unknown part"


def note(lost: set[str], *names: str) -> None:
    """However much an upstream makes up, no more is kept of it than anybody reads."""
    if len(lost) < _MOST:
        lost.update(names)


def beyond(raw: Any, known: Iterable[str], path: str = "") -> Iterator[str]:
    """The fields of an object that are none of the known ones, and say something."""
    for name in raw.keys() - set(known) if isinstance(raw, dict) else ():
        if raw[name] not in NOTHING:
            yield named(path + name) if named(name) == name else named(name)


def strange(raw: bytes | Raw, known: Iterable[str]) -> Iterator[str]:
    """The same of an object that is not read: what stands deeper in it may be nothing that can be."""
    for name, value in _fields(raw).items():
        if name not in known and bytes(value).strip() not in _EMPTY:
            yield named(name)


def unsaid(aside: Aside, lost: set[str], *, places: bool, quotes: bool) -> Link | None:
    """The page that an aside of another dialect cites; what of it is not to be said is named. `places`, `quotes`: the
    client's protocol has words for where in the answer, and for what the page says."""
    link = aside.link
    if link is None:
        kind = aside.value.get("type") if aside.kind == "citation" and isinstance(aside.value, dict) else aside.kind
        note(lost, named(kind or aside.kind))
        return None
    if link.start is not None and not places:
        note(lost, "citations.position")
    if link.quote and not quotes:
        note(lost, "citations.cited_text")
    note(lost, *beyond(aside.value, _HELD, "citations."))
    return link


def read_openai(note: Any, base: int = 0) -> Link | None:
    """Of an annotation of a chat or a response. `base`: where the text that it counts in begins."""
    if not isinstance(note, dict) or note.get("type") != "url_citation":
        return None
    inner = note.get("url_citation", note)
    if not isinstance(inner, dict) or not isinstance(inner.get("url"), str):
        return None
    start, end = _number(inner.get("start_index")), _number(inner.get("end_index"))
    return Link(
        url=inner["url"],
        title=_text(inner.get("title")),
        quote=_text(inner.get("content")),
        start=None if start is None else start + base,
        end=None if end is None else end + base,
    )


def read_messages(note: Any, start: int, end: int) -> Link | None:
    """`start`, `end`: of the block it stands in."""
    if not isinstance(note, dict) or note.get("type") != "web_search_result_location":
        return None
    if not isinstance(note.get("url"), str):
        return None
    quote = _text(note.get("cited_text"))
    return Link(url=note["url"], title=_text(note.get("title")), quote=quote, start=start, end=end)


def read_gemini(grounding: Json, text: str) -> Iterator[Link]:
    """Every page once for each passage it supports, or once where it supports none. Gemini counts in bytes."""
    pages: dict[int, Json] = {}
    for place, chunk in enumerate(_list(grounding, "groundingChunks")):
        web = chunk.get("web") if isinstance(chunk, dict) else None
        if isinstance(web, dict) and isinstance(web.get("uri"), str):
            pages[place] = web
    raw = text.encode("utf-8", "replace")
    told = set()
    for support in _list(grounding, "groundingSupports"):
        segment = support.get("segment") if isinstance(support, dict) else None
        segment = segment if isinstance(segment, dict) else {}
        end = _number(segment.get("endIndex"))
        start = None if end is None else _number(segment.get("startIndex")) or 0
        for place in _list(support, "groundingChunkIndices"):
            if isinstance(place, int) and place in pages:
                told.add(place)
                yield _page(pages[place], _chars(raw, start), _chars(raw, end))
    for place, page in pages.items():
        if place not in told:
            yield _page(page, None, None)


def _page(page: Json, start: int | None, end: int | None) -> Link:
    return Link(url=page["uri"], title=_text(page.get("title")), start=start, end=end)


def _chars(raw: bytes, place: int | None) -> int | None:
    return None if place is None else len(raw[:place].decode("utf-8", "ignore"))


def write_responses(link: Link, base: int = 0, length: int = 0) -> Json:
    """`base`: where the text begins that is counted in; `length`: of it, for a page that stands for all of it."""
    start = 0 if link.start is None else max(link.start - base, 0)
    end = length if link.end is None else max(link.end - base, start)
    return {"type": "url_citation", "url": link.url, "title": link.title, "start_index": start, "end_index": end}


def write_chat(link: Link, length: int) -> Json:
    inner = write_responses(link, 0, length)
    del inner["type"]
    return {"type": "url_citation", "url_citation": inner}


def write_messages(link: Link) -> Json:
    """The index is Anthropic's own seal on its results: a page that somebody else found has none."""
    return {"type": "web_search_result_location", "url": link.url, "title": link.title, "encrypted_index": "",
            "cited_text": link.quote}  # fmt: skip


def write_gemini(links: list[Link], text: str) -> Json:
    pages = list(dict.fromkeys((one.url, one.title) for one in links))
    supports = []
    for link in links:
        if link.start is not None and link.end is not None:
            said = text[link.start : link.end]
            start = len(text[: link.start].encode("utf-8", "replace"))
            segment = {"startIndex": start, "endIndex": start + len(said.encode("utf-8", "replace")), "text": said}
            supports.append({"segment": segment, "groundingChunkIndices": [pages.index((link.url, link.title))]})
    found: Json = {"groundingChunks": [{"web": {"uri": url, "title": title}} for url, title in pages]}
    return {**found, "groundingSupports": supports} if supports else found


def _list(holder: Any, field: str) -> list[Any]:
    found = holder.get(field) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""


def _number(found: Any) -> int | None:
    return found if type(found) is int and 0 <= found < 1 << 31 else None
