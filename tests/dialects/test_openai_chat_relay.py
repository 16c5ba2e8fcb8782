"""Answers carried through: exact bytes, whatever the cuts, and nothing that names the upstream."""

import json

import msgspec
import pytest

from conflux.dialects.base import Wanted
from conflux.dialects.openai_chat_answer_wire import Choice, read_choices
from conflux.dialects.openai_chat_intake import Intake
from conflux.dialects.openai_chat_reader import ChatReader
from conflux.dialects.openai_chat_relay import ChatPassThrough
from conflux.dialects.sse import write_data
from conflux.neutral.usage import Usage
from tests.dialects.golden import BILLED, UNASKED, WANTED, Golden, answers, cuts, other_spellings, streams

DONE = b"data: [DONE]\n\n"


def relay(pieces: list[bytes], wanted: Wanted = WANTED) -> tuple[bytes, ChatPassThrough]:
    """All that goes out, as the house sends it: what is fed, then, settled, the last of it."""
    lane = ChatPassThrough(wanted)
    out = b"".join([lane.feed(piece) for piece in pieces]) + lane.end()
    tally = lane.tally
    if tally.fault is None and tally.finished:
        out += lane.last(tally.usage or BILLED)
    return out, lane


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_a_stream(golden: Golden) -> None:
    out, lane = relay([golden.wire])
    assert out == golden.relayed
    golden.tally(lane.tally, relayed=True)
    assert relay([golden.wire], UNASKED)[0] == golden.hidden


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_a_stream_in_any_cuts(golden: Golden) -> None:
    for pieces in cuts(golden.wire, golden.name):
        out, lane = relay(pieces)
        assert out == golden.relayed
        golden.tally(lane.tally, relayed=True)
        assert relay(pieces, UNASKED)[0] == golden.hidden


@pytest.mark.parametrize("golden", streams(), ids=str)
def test_case_35_a_stream_in_any_spelling(golden: Golden) -> None:
    for spelling, data in other_spellings(golden.wire).items():
        for pieces in cuts(data, golden.name + spelling, times=1):
            assert relay(pieces)[0] == golden.relayed, spelling


@pytest.mark.parametrize("golden", answers(), ids=str)
def test_a_plain_answer(golden: Golden) -> None:
    lane = ChatPassThrough(UNASKED)
    lane.whole(golden.wire)
    golden.tally(lane.tally, relayed=True)
    if golden.fault is None:
        assert lane.last(lane.tally.usage or BILLED) == golden.relayed
        json.loads(golden.relayed)


@pytest.mark.parametrize("golden", [*streams(), *answers()], ids=str)
def test_nothing_names_the_upstream(golden: Golden) -> None:
    seen = (golden.relayed + golden.hidden).lower()
    for word in (b"upstream", b"up-1", b"secret", b"fingerprint", b"provider", b"native", b"cost", b"details_x"):
        assert word not in seen


@pytest.mark.parametrize("golden", [golden for golden in streams() if golden.fault is None], ids=str)
def test_what_went_out_reads_as_what_came_in(golden: Golden) -> None:
    """The relay and the reader agree: nothing but the upstream's name and its count was changed."""

    def read(data: bytes) -> list[object]:
        reader = ChatReader()
        found = [*reader.feed(data), *reader.end()]
        return [event for event in found if type(event).__name__ not in ("Began", "Reported")]

    if golden.finished and golden.name not in ("case_04_no_id_at_all", "case_04_id_after_name"):  # ids made up
        assert read(golden.relayed) == read(golden.wire)


def test_the_end_is_held_back_until_it_is_settled() -> None:
    lane = ChatPassThrough(WANTED)
    usage = b'"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}'
    assert lane.feed(write_data(b'{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}'))
    assert lane.feed(write_data(b'{"choices":[],' + usage + b"}")) == b""
    assert lane.feed(DONE) == lane.end() == b""
    assert lane.tally.done
    assert lane.last(Usage(input=9, output=4)).endswith(b'"choices":[],' + usage + b"}\n\n" + DONE)


def test_what_was_billed_is_said_where_the_upstream_counted_nothing_or_nonsense() -> None:
    for said in (
        b"",
        b',"usage":null',
        b',"usage":{}',
        b',"usage":{"prompt_tokens":-1,"completion_tokens":1}',
        b',"usage":7',
    ):
        lane = ChatPassThrough(WANTED)
        lane.whole(b'{"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}]' + said + b"}")
        body = json.loads(lane.last(BILLED))
        assert body["usage"]["prompt_tokens"] == 11
        assert body["usage"]["completion_tokens"] == 7
        assert body["usage"]["total_tokens"] == 18


def test_the_models_own_name_is_echoed_only_where_the_storefront_says_so() -> None:
    echo = msgspec.structs.replace(WANTED, model="")
    chunk = b'{"id":"x","model":"up/stream","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}'
    out, _ = relay([write_data(b'{"id":"","model":"","choices":[]}'), write_data(chunk), DONE], echo)
    assert [json.loads(line[6:])["model"] for line in out.split(b"\n\n")[:2]] == ["up/stream", "up/stream"]
    lane = ChatPassThrough(echo)
    lane.whole(chunk.replace(b"delta", b"message"))
    assert json.loads(lane.last(BILLED))["model"] == "up/stream"


def test_a_line_break_between_tokens_does_not_break_the_event() -> None:
    data = (
        b'data: {"choices":[\ndata: {"index":0,\ndata: "delta":{"content":"a\\nb"},"finish_reason":"stop"}'
        b"\ndata: ]}\n\n" + DONE
    )
    out, lane = relay([data], UNASKED)
    (event, done, rest) = out.split(b"\n\n")
    assert b"\n" not in event
    assert (done, rest) == (b"data: [DONE]", b"")
    assert json.loads(event[6:])["choices"][0]["delta"]["content"] == "a\nb"
    assert lane.tally.fault is None


@pytest.mark.parametrize("created", ["null", '"now"', "-5", "1e300", "12345678901234567890123", "[1]", "1700000000.25"])
def test_an_odd_time_does_not_pass_as_it_is(created: str) -> None:
    lane = ChatPassThrough(WANTED)
    lane.whole(b'{"created":%s,"choices":[{"index":0,"message":{"content":"x"}}]}' % created.encode())
    found = json.loads(lane.last(BILLED))["created"]
    assert found in (WANTED.created, 1700000000)


def test_case_35_bad_utf8_is_a_fault_and_does_not_pass() -> None:
    for part in (b'"content":"\xff"', b'"content":"\xed\xa0\x80"', b'"role":"\xc3"', b'"\xff":1'):
        data = write_data(b'{"choices":[{"index":0,"delta":{' + part + b'},"finish_reason":null}]}')
        out, lane = relay([data, DONE])
        assert lane.tally.fault is not None or b"\xff" not in out
        out.decode()


def test_case_35_a_cut_inside_a_character_is_harmless() -> None:
    data = write_data('{"choices":[{"index":0,"delta":{"content":"€𝄞"},"finish_reason":"stop"}]}'.encode()) + DONE
    whole, _ = relay([data])
    assert "€𝄞".encode() in whole
    for place in range(len(data)):
        assert relay([data[:place], data[place:]])[0] == whole


def test_case_45_a_page_of_html_is_no_answer() -> None:
    page = b"<!doctype html>\n<html>\n\n<title>502</title>\ndata: no\n\n</html>\n"
    out, lane = relay([page])
    assert out == b""
    assert lane.tally.fault is not None
    out, lane = relay([b"<html></html>"])
    assert (out, lane.tally.finished) == (b"", False)
    assert lane.tally.fault is not None


def test_case_45_an_endless_line_is_a_fault_of_bounded_size() -> None:
    lane = ChatPassThrough(WANTED)
    piece = b"x" * 65536
    for _ in range(8 * 1024 * 1024 // len(piece) + 1):
        assert lane.feed(piece) == b""
    assert lane.tally.fault is not None
    assert lane.feed(piece) == lane.end() == b""


def test_deep_nesting_is_a_fault() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    for body in (
        b'{"choices":[{"index":0,"delta":{"audio":' + deep + b"}}]}",
        b'{"choices":' + deep + b"}",
        b'{"other":' + deep + b"}",
        b'{"error":' + deep + b"}",
        b'{"choices":[{"index":0,"delta":{}}],"usage":' + deep + b"}",
    ):
        _out, lane = relay([write_data(body), DONE])
        assert lane.tally.fault is not None or lane.tally.usage_absurd
        lane = ChatPassThrough(WANTED)
        lane.whole(body)
        assert lane.tally.fault is not None or lane.tally.usage_absurd


def _said(choices: str, *, behind: str = "", before: str = "", id: str = "u1") -> bytes:
    return f'data: {{"id":"{id}","model":"up",{before}"choices":{choices}{behind}}}\n\n'.encode()


_WORD = '[{"index":0,"delta":{"content":"wörd"},"finish_reason":null}]'
_END = '[{"index":0,"delta":{},"finish_reason":"stop"}]'
LIKE_THE_ONE_BEFORE = {
    "the same": [_said(_WORD)] * 3 + [_said(_END)],
    "other ids": [_said(_WORD, id=f"u{number}") for number in range(12)],
    "usage behind": [_said(_WORD), _said(_WORD), _said(_WORD, behind=',"usage":{"prompt_tokens":1}')],
    "usage before": [_said(_WORD, before='"usage":null,')] * 3,
    "an error behind": [_said(_WORD), _said(_WORD), _said(_WORD, behind=',"error":{"message":"no"}'), _said(_WORD)],
    "twice the same name": [_said(_WORD), _said(_WORD), _said(_WORD, behind=f',"choices":{_END}')],
    "foreign fields": [_said(_WORD), _said(_WORD), _said(_WORD[:-2] + ',"provider":"x"}]'), _said(_WORD)],
    "a failure": [_said(_WORD), _said(_WORD), _said(_END.replace("stop", "error")), _said(_WORD)],
    "no JSON": [_said(_WORD), _said(_WORD), _said("[{]"), _said(_WORD)],
    "nothing, then null": [_said(_WORD), _said(_WORD), _said("[]"), _said("null"), _said(_WORD)],
    "a bare line end inside": [_said(_WORD), _said(_WORD), _said(_WORD.replace(":null", ":\rnull")), _said(_WORD)],
    "two at once": [_said(_WORD), _said(_WORD) + _said(_WORD), _said(_WORD)],
    "after the last": [_said(_WORD), _said(_WORD), b"data: [DONE]\n\n", _said(_WORD)],
}


@pytest.mark.parametrize("chunks", LIKE_THE_ONE_BEFORE.values(), ids=LIKE_THE_ONE_BEFORE.keys())
@pytest.mark.parametrize("include_usage", [False, True])
def test_a_chunk_like_the_one_before_is_taken_as_if_it_were_read_whole(
    chunks: list[bytes], *, include_usage: bool
) -> None:
    wanted = Wanted(answer_id="a", model="m", created=1, include_usage=include_usage)
    quick, whole = ChatPassThrough(wanted), ChatPassThrough(wanted)
    for chunk in chunks:
        # In two pieces nothing is like anything before.
        assert quick.feed(chunk) == whole.feed(chunk[:9]) + whole.feed(chunk[9:])
    for name in quick.tally.__struct_fields__:
        assert getattr(quick.tally, name) == getattr(whole.tally, name), name


_SAID = [
    b'[{"index":0,"delta":{"content":"plain"},"finish_reason":null}]',
    '[{"index":0,"delta":{"content":"\\u00e9 \\ud83d\\ude00 é😀"}}]'.encode(),
    b'[{"index":0,"delta":{"reasoning_content":"hm","content":null},"logprobs":null}]',
    b'[{"index":0,"delta":{"reasoning":"hm","content":""}}]',
    b'[{"index":0,"delta":{"reasoning":"hm","content":"both"}}]',
    b'[{"index":0,"delta":{"content":""}}]',
    b'[{"index":0,"delta":{"role":"assistant","content":"x","refusal":null,"tool_calls":null}}]',
    b'[{"index":0,"delta":{"role":"assistant","content":"x"},"finish_reason":null,"native_finish_reason":null}]',
    b'[{"index":0,"delta":{"role":"tool","content":"x"},"finish_reason":null}]',
    b'[{"index":0,"delta":{"reasoning":"x","content":""},"finish_reason":null,"native_finish_reason":"going on"}]',
    b'[{"index":0,"delta":{"content":"x"},"logprobs":{"content":[]}}]',
    b'[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]',
    b'[{"index":0,"delta":{"content":"x"},"finish_reason":"error"}]',
    b'[{"index":1,"delta":{"content":"another"}}]',
    b'[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}]',
    b'[{"index":200,"delta":{"content":"beyond"}}]',
    b'[{"index":0,"delta":{"content":"x","vendor":"acme"}}]',
    b'[{"index":0,"delta":{"content":"x"},"vendor":"acme"}]',
    b'[{"index":0,"delta":{"content":"one","content":"two"}}]',
    b'[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]}}]',
    b'[{"index":0,"delta":{"content":7}}]',
    b'[{"index":0,\r"delta":{"content":"x"}}]',
    b'[{"index":0,"delta":{"content":"a lone \\ud83d"}}]',
    b'[{"index":0,"delta":{"content":"cut}}]',
    b"[]",
    b'[{"index":0,"delta":{"content":"x"}}],"usage":null,"more":[]',
]


@pytest.mark.parametrize("said", _SAID)
def test_a_chunk_that_is_like_the_one_before_is_read_as_any_other(said: bytes) -> None:
    """Whole events take the short way; the same in pieces cannot."""
    lead = b'{"id":"up","object":"chat.completion.chunk","created":1,"model":"up","choices":'
    word = b'[{"index":0,"delta":{"content":"word "}}]'
    events = [write_data(lead + one + b"}") for one in (word, word, said, word, said, word)]
    short, long = ChatPassThrough(WANTED), ChatPassThrough(WANTED)
    for event in events:
        whole = short.feed(event)
        pieces = b"".join(long.feed(event[at : at + 7]) for at in range(0, len(event), 7))
        assert whole == pieces
        assert short.tally == long.tally or msgspec.structs.asdict(short.tally) == msgspec.structs.asdict(long.tally)


def test_text_alone_is_not_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    lane = ChatPassThrough(WANTED)
    event = write_data(b'{"id":"up","choices":[{"index":0,"delta":{"content":"word "}}]}')
    lane.feed(event)
    monkeypatch.setattr(lane._intake, "take", None)
    monkeypatch.setattr(lane._intake, "take_choices", None)
    assert b"word" in lane.feed(event)
    assert (lane.tally.output_bytes, lane.tally.events) == (10, 2)


_DRESSED = {
    "OpenRouter": '{"index":%d,"delta":{"role":"assistant","content":"%s"},"finish_reason":null,'
                  '"native_finish_reason":null,"logprobs":null}',
    "OpenRouter, thinking": '{"index":%d,"delta":{"role":"assistant","content":"","reasoning":"%s"},'
                            '"finish_reason":null,"native_finish_reason":null,"logprobs":null}',
    "vLLM": '{"index":%d,"delta":{"content":"%s","reasoning_content":null},"logprobs":null,"finish_reason":null,'
            '"stop_reason":null,"token_ids":null}',
    "SGLang": '{"index":%d,"delta":{"role":"assistant","content":"%s"},"finish_reason":null,"matched_stop":null}',
}  # fmt: skip


@pytest.mark.parametrize("dress", _DRESSED.values(), ids=_DRESSED)
def test_text_in_its_upstream_s_own_dress_is_not_read_whole_and_comes_without_it(dress: str) -> None:
    """However many choices there are, each says its role once, and no word of the upstream's passes."""
    read: list[bytes] = []

    def counted(raw: msgspec.Raw) -> tuple[msgspec.Raw, list[Choice]]:
        read.append(bytes(raw))
        return read_choices(raw)

    short, long = ChatPassThrough(WANTED, Intake(counted)), ChatPassThrough(WANTED)
    said: dict[bool, list[str]] = {True: [], False: []}
    roles: list[int] = []
    for number in range(60):
        event = write_data(('{"id":"up","choices":[' + dress % (number % 2, f"word {number} é ") + "]}").encode())
        for lane, out in (short, short.feed(event)), (long, long.feed(event[:9]) + long.feed(event[9:])):
            (choice,) = json.loads(out.removeprefix(b"data: "))["choices"]
            assert choice.keys() <= {"index", "delta", "finish_reason", "logprobs"}
            delta = choice["delta"]
            said[lane is short].append(f"{choice['index']} {delta.get('content')} {delta.get('reasoning')}")
            if lane is short and "role" in delta:
                roles.append(choice["index"])
    assert said[True] == said[False] and len(read) <= 4
    assert roles == ([0, 1] if "role" in dress else [])
    assert msgspec.structs.asdict(short.tally) == msgspec.structs.asdict(long.tally)


def test_a_role_that_comes_late_is_said_once() -> None:
    lane = ChatPassThrough(WANTED)
    deltas = [
        '{"content":"a"}',
        '{"content":"b"}',
        '{"role":"assistant","content":"c"}',
        '{"role":"assistant","content":"d"}',
    ]
    events = [write_data(b'{"choices":[{"index":0,"delta":%b,"stop_reason":null}]}' % one.encode()) for one in deltas]
    out = [json.loads(lane.feed(event)[6:]) for event in events]
    assert [one["choices"][0]["delta"] for one in out] == [
        {"content": "a"}, {"content": "b"}, {"role": "assistant", "content": "c"}, {"content": "d"}]  # fmt: skip
