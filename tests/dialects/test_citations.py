"""Pages as each dialect says them: there and back, with their places; and names that nobody can abuse."""

from conflux.dialects.citations import (
    beyond,
    named,
    note,
    read_gemini,
    read_messages,
    read_openai,
    unsaid,
    write_chat,
    write_gemini,
    write_messages,
    write_responses,
)
from conflux.neutral.events import Aside, Link

TEXT = "Größe 12 ☃ ends."
LINK = Link(url="https://a/", title="A", start=6, end=10)


def test_there_and_back() -> None:
    assert read_openai(write_chat(LINK, len(TEXT))) == LINK
    assert read_openai(write_responses(LINK, 4, 12), 4) == LINK
    assert list(read_gemini(write_gemini([LINK], TEXT), TEXT)) == [LINK]
    assert read_messages(write_messages(LINK), 6, 10) == LINK


def test_gemini_counts_in_bytes() -> None:
    (support,) = write_gemini([LINK], TEXT)["groundingSupports"]
    assert support["segment"] == {"startIndex": 8, "endIndex": 14, "text": "12 ☃"}


def test_a_page_without_a_place_stands_for_the_whole_text() -> None:
    found = write_responses(Link(url="u"), 0, 7)
    assert (found["start_index"], found["end_index"]) == (0, 7)
    assert "groundingSupports" not in write_gemini([Link(url="u")], TEXT)


def test_one_page_for_several_passages_is_one_page() -> None:
    other = Link(url="https://a/", title="A", start=0, end=3)
    found = write_gemini([LINK, other], TEXT)
    assert len(found["groundingChunks"]) == 1
    assert [one["groundingChunkIndices"] for one in found["groundingSupports"]] == [[0], [0]]


def test_what_is_no_page_is_none() -> None:
    for wrong in (None, 7, {}, {"type": "url_citation"}, {"type": "url_citation", "url_citation": 7},
                  {"type": "file_citation", "url": "u"}):  # fmt: skip
        assert read_openai(wrong) is None
    assert read_messages({"type": "page_location", "url": "u"}, 0, 1) is None
    assert read_messages({"type": "web_search_result_location"}, 0, 1) is None
    odd = {"groundingChunks": [7, {"web": {}}, {"retrievedContext": {}}], "groundingSupports": [7, {"segment": 7}]}
    assert list(read_gemini(odd, TEXT)) == []
    assert read_openai({"type": "url_citation", "url": "u", "start_index": True, "end_index": -1}) == Link(url="u")


def test_what_cannot_be_said_is_named() -> None:
    lost: set[str] = set()
    link = Link(url="u", quote="q", start=0, end=1)
    aside = Aside(dialect="x", kind="citation", value={"type": "t", "novelty": 1, "nothing": None}, link=link)
    assert unsaid(aside, lost, places=False, quotes=False) is link
    assert lost == {"citations.position", "citations.cited_text", "citations.novelty"}
    assert (
        unsaid(Aside(dialect="x", kind="citation", value={"type": "page_location"}), lost, places=True, quotes=True)
        is None
    )
    assert unsaid(Aside(dialect="x", kind="audio", value={"type": "t"}), lost, places=True, quotes=True) is None
    assert {"page_location", "audio"} < lost


def test_a_name_is_one_or_is_not_told() -> None:
    assert named("web_search_call") == "web_search_call"
    for wrong in ("x_groq", "a b", "a" * 65, "", "\r\n", 7, None):
        assert named(wrong) == "unknown part"
    assert set(beyond({"a": 1, "b": 2, "c": None, "x_y": 1}, {"a"}, "p.")) == {"p.b", "unknown part"}
    assert list(beyond(7, {"a"})) == []


def test_no_more_names_are_kept_than_anybody_reads() -> None:
    lost: set[str] = set()
    for place in range(1000):
        note(lost, f"a{place}")
    assert len(lost) == 100
