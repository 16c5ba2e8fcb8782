"""Nothing of an upstream's answer is lost silently, whatever protocol it is in and whichever the client's is.

Law: each part arrives, streamed or not, or is named among what was left out. A part is told by a mark that it carries.
"""

import json
from typing import Any

import pytest

from conflux.dialects import DIALECTS
from conflux.dialects.base import Wanted
from conflux.neutral.request import Reasoning, Request
from conflux.neutral.usage import Usage
from conflux.relay.lanes import CompatLane

MARK = "markofthispart"
PAGE = f"https://a/{MARK}"
FACES = ["openai-chat", "openai-completions", "openai-responses", "anthropic-messages", "gemini"]
Json = dict[str, Any]


def chat(**more: Any) -> Json:
    beside = more.pop("beside", {})
    message = {"role": "assistant", "content": "word", **more}
    return {"id": "u", "choices": [{"index": 0, "message": message, "finish_reason": "stop", **beside}]}


def messages(*blocks: Json, **more: Any) -> Json:
    content = [*blocks, {"type": "text", "text": "word"}]
    return {"id": "u", "type": "message", "role": "assistant", "content": content, "stop_reason": "end_turn", **more}


def responses(*items: Json, **part: Any) -> Json:
    text = {"type": "output_text", "text": "word", "annotations": [], **part}
    said = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [text]}
    return {"id": "u", "status": "completed", "output": [*items, said]}


def gemini(*parts: Json, **more: Any) -> Json:
    content = {"role": "model", "parts": [{"text": "word"}, *parts]}
    return {"responseId": "u", "candidates": [{"index": 0, "content": content, "finishReason": "STOP", **more}]}


# upstream: part: the answer that holds it, and what tells of it by name
ANSWERS: dict[str, dict[str, tuple[Json, str]]] = {
    "openai-chat": {
        "page": (chat(annotations=[{"type": "url_citation", "url_citation": {
            "url": PAGE, "title": "t", "start_index": 0, "end_index": 4}}]), "citation"),
        "file annotation": (chat(annotations=[{"type": "file", "file": {"name": MARK}}]), "file"),
        "field of a page": (chat(annotations=[{"type": "url_citation", "url_citation": {"url": "https://a/"},
                                               "novelty": MARK}]), "citations.novelty"),
        "audio": (chat(audio={"id": "a", "data": MARK}), "audio"),
        "refusal": (chat(refusal=MARK), MARK),
        "reasoning": (chat(reasoning_content=MARK), "reasoning"),
        "call": (chat(tool_calls=[{"id": "c", "type": "function", "function": {"name": MARK, "arguments": "{}"}}]),
                 "tool_calls"),
        "field of a call": (chat(tool_calls=[{"id": "c", "type": "function", "extra_content": MARK,
                                              "function": {"name": "f", "arguments": "{}"}}]), "unknown part"),
        "image": (chat(images=[{"image_url": {"url": PAGE}}]), MARK),
        "logprobs": (chat(beside={"logprobs": {"content": [{"token": MARK, "logprob": -1.0}]}}), "logprobs"),
        "field of a message": (chat(novelty=MARK), "unknown part"),
        "field of a choice": (chat(beside={"novelty": MARK}), "unknown part"),
        "field of an answer": ({**chat(), "novelty": [MARK]}, "unknown part"),
    },
    "anthropic-messages": {
        "page": (messages({"type": "text", "text": "a", "citations": [
            {"type": "web_search_result_location", "url": PAGE, "title": "t", "encrypted_index": "e",
             "cited_text": "c"}]}), "citation"),
        "quote": (messages({"type": "text", "text": "a", "citations": [
            {"type": "web_search_result_location", "url": "https://a/", "cited_text": MARK}]}), "cited_text"),
        "place in a document": (messages({"type": "text", "text": "a", "citations": [
            {"type": "page_location", "cited_text": MARK}]}), "page_location"),
        "search": (messages({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": MARK}}),
                   "server_tool_use"),
        "found": (messages({"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"url": PAGE}]}),
                  "web_search_tool_result"),
        "thinking": (messages({"type": "thinking", "thinking": MARK, "signature": "c2ln"}), "reasoning"),
        "call": (messages({"type": "tool_use", "id": "t", "name": MARK, "input": {}}), "tool_calls"),
        "new block": (messages({"type": "novelty", "value": MARK}), "novelty"),
        "field of a block": (messages({"type": "text", "text": "a", "novelty": MARK}), "novelty"),
        "container": (messages(container={"id": MARK}), "container"),
        "stop details": (messages(stop_details={"type": "refusal", "explanation": MARK}), "stop_details"),
        "stop sequence": (messages() | {"stop_reason": "stop_sequence", "stop_sequence": MARK}, "stop_sequence"),
    },
    "openai-responses": {
        "page": (responses(annotations=[{"type": "url_citation", "url": PAGE, "title": "t", "start_index": 0,
                                         "end_index": 4}]), "citation"),
        "file": (responses(annotations=[{"type": "file_citation", "file_id": MARK, "index": 1}]), "file_citation"),
        "search": (responses({"id": "ws_1", "type": "web_search_call", "status": "completed",
                              "action": {"type": "search", "query": MARK}}), "web_search_call"),
        "image": (responses({"id": "ig_1", "type": "image_generation_call", "status": "completed", "result": MARK}),
                  "image_generation_call"),
        "new item": (responses({"id": "n_1", "type": "novelty", "value": MARK}), "novelty"),
        "field of an item": (responses({"id": "fc_1", "type": "function_call", "call_id": "c", "name": "f",
                                        "arguments": "{}", "novelty": MARK}), "novelty"),
        "new part": (responses({"id": "msg_0", "type": "message", "role": "assistant",
                                "content": [{"type": "novelty", "value": MARK}]}), "novelty"),
        "field of a part": (responses(novelty=MARK), "novelty"),
    },
    "gemini": {
        "page": (gemini(groundingMetadata={
            "groundingChunks": [{"web": {"uri": PAGE, "title": "t"}}],
            "groundingSupports": [{"segment": {"endIndex": 4}, "groundingChunkIndices": [0]}]}), "citation"),
        "query": (gemini(groundingMetadata={"webSearchQueries": [MARK]}), "groundingMetadata"),
        "signature": (gemini({"text": "", "thoughtSignature": MARK}), "thoughtSignature"),
        "call": (gemini({"functionCall": {"name": MARK, "args": {}}}), "tool_calls"),
        "image": (gemini({"inlineData": {"mimeType": "image/png", "data": MARK}}), MARK),
        "code": (gemini({"executableCode": {"language": "PYTHON", "code": MARK}}), MARK),
        "new part": (gemini({"novelty": {"value": MARK}}), "novelty"),
        "field of a part": (gemini({"text": "a", "novelty": MARK}), "novelty"),
        "field of a candidate": (gemini(novelty=MARK), "novelty"),
        "citation metadata": (gemini(citationMetadata={"citationSources": [{"uri": PAGE}]}), "citationMetadata"),
        "pages read": (gemini(urlContextMetadata={"urlMetadata": [{"retrievedUrl": PAGE}]}), "urlContextMetadata"),
    },
}  # fmt: skip
CELLS = [(upstream, part, face) for upstream, parts in ANSWERS.items() for part in parts for face in FACES]


def events(*said: Json) -> bytes:
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (str(one.get("type", "message")).encode(), json.dumps(one).encode())
        for one in said
    )


def streamed(upstream: str, answer: Json) -> bytes:
    """The same answer as its upstream would stream it."""
    match upstream:
        case "openai-chat":
            choice = dict(answer["choices"][0])
            delta = choice.pop("message")
            delta["tool_calls"] = [{"index": 0, **one} for one in delta.get("tool_calls", ())]
            return events({**answer, "choices": [{**choice, "delta": delta}]}) + b"data: [DONE]\n\n"
        case "anthropic-messages":
            said: list[Json] = [{"type": "message_start", "message": {**answer, "content": [], "stop_reason": None}}]
            for place, block in enumerate(answer["content"]):
                cited = block.get("citations", ())
                block = {name: value for name, value in block.items() if name != "citations"}
                said.append({"type": "content_block_start", "index": place, "content_block": block})
                said += [{"type": "content_block_delta", "index": place,
                          "delta": {"type": "citations_delta", "citation": one}} for one in cited]  # fmt: skip
                said.append({"type": "content_block_stop", "index": place})
            ends = ("stop_reason", "stop_sequence", "stop_details", "container")
            said.append({"type": "message_delta", "delta": {name: answer[name] for name in ends if name in answer}})
            return events(*said, {"type": "message_stop"})
        case "openai-responses":
            done = [{"type": "response.output_item.done", "output_index": place, "item": item}
                    for place, item in enumerate(answer["output"])]  # fmt: skip
            return events(*done, {"type": "response.completed", "response": {**answer, "output": []}})
        case _:
            return events(answer)


def through(upstream: str, face: str, answer: Json, *, stream: bool) -> tuple[str, set[str]]:
    """What the client gets, and what is named."""
    wanted = Wanted(answer_id="x_1234567890ab", model="acme/m", created=7, include_usage=True)
    asked = Request(dialect=face, messages=(), reasoning=Reasoning(summary="auto"),
                    echo={"include": ["reasoning.encrypted_content"]})  # fmt: skip
    lane = CompatLane(DIALECTS[upstream].reader({}), DIALECTS[face].writer(wanted, asked))
    out = b""
    if stream:
        out = lane.feed(streamed(upstream, answer)) + lane.end()
    else:
        lane.whole(json.dumps(answer).encode())
    out += lane.last(Usage(input=1, output=1))
    assert lane.tally.fault is None, lane.tally.fault
    assert "word" in out.decode()
    return out.decode(), lane.tally.lost


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("upstream", "part", "face"), CELLS)
def test_each_part_of_an_answer_arrives_or_is_named(upstream: str, part: str, face: str, stream: bool) -> None:
    answer, name = ANSWERS[upstream][part]
    out, lost = through(upstream, face, answer, stream=stream)
    assert MARK in out or any(name in one for one in lost), lost


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("face", [one for one in FACES if one != "openai-completions"])
@pytest.mark.parametrize("upstream", ANSWERS)
def test_a_cited_page_arrives_in_the_clients_own_words(upstream: str, face: str, stream: bool) -> None:
    out, lost = through(upstream, face, ANSWERS[upstream]["page"][0], stream=stream)
    assert PAGE in out
    shapes = {"openai-chat": '"url_citation":{', "openai-responses": '"type":"url_citation"',
              "anthropic-messages": '"web_search_result_location"', "gemini": '"groundingChunks"'}  # fmt: skip
    assert shapes[face] in out.replace('": ', '":')
    assert lost <= {"citations.position", "citations.cited_text", "groundingMetadata"}


@pytest.mark.parametrize("upstream", ANSWERS)
def test_an_answer_of_which_nothing_is_lost_names_nothing(upstream: str) -> None:
    plain: dict[str, Json] = {"openai-chat": chat(), "anthropic-messages": messages(), "openai-responses": responses(),
                              "gemini": gemini()}  # fmt: skip
    for face in FACES:
        for stream in (False, True):
            assert through(upstream, face, plain[upstream], stream=stream)[1] == set()
