"""The dialect as the table holds it: paths, envelopes, what is forwarded."""

import json
from typing import Any

import msgspec
import pytest

from conflux.dialects import strict_json
from conflux.dialects.base import Place, Shape
from conflux.dialects.gemini import Gemini
from conflux.neutral.errors import GatewayError
from conflux.neutral.request import BY_ADDRESS, BY_TOOLS, Envelope, Need
from tests.dialects.gemini_golden import GoldenRequest, requests

GEMINI = Gemini()
HI = {"role": "user", "parts": [{"text": "Hi"}]}


def opened(place: Place | None = None, **body: Any) -> Envelope:
    return GEMINI.open(strict_json.encode({"contents": [HI], **body}), place or Place(model="m", stream=False))


def test_what_is_read_at_the_provider() -> None:
    assert opened(tools=[{"functionDeclarations": [{"name": "f"}]}]).fetches == 0
    assert opened(tools=[{"functionDeclarations": [{"name": "f"}], "urlContext": {}}]).fetches == BY_TOOLS
    assert opened(tools=[{"google_search": {}}]).fetches == BY_TOOLS
    kinds = ("application/pdf", "video/mp4", "image/png")
    parts = [{"fileData": {"fileUri": "https://e/f", "mimeType": kind}} for kind in kinds]
    assert opened(contents=[{"role": "user", "parts": parts}]).fetches == 2 * BY_ADDRESS


@pytest.mark.parametrize(
    ("path", "model", "stream"),
    [
        ("/v1beta/models/gemini-3-pro:generateContent", "gemini-3-pro", False),
        ("/v1beta/models/gemini-3-pro:streamGenerateContent", "gemini-3-pro", True),
        ("/v1/models/conflux/deepseek-v4-pro:generateContent", "conflux/deepseek-v4-pro", False),
        ("/v1alpha/models/qwen:7b:generateContent", "qwen:7b", False),
        ("/v1beta/tunedModels/mine:generateContent", "mine", False),
        ("/v1beta1/projects/p/locations/l/publishers/google/models/m:generateContent", "m", False),
    ],
)
def test_paths(path: str, model: str, stream: bool) -> None:
    place = GEMINI.find(path)
    assert place is not None
    assert (place.model, place.stream, place.secret_in) == (model, stream, "key")
    assert place.listed_unless == ("alt=sse" if stream else "")


@pytest.mark.parametrize(
    "path",
    ["/v1beta/models", "/v1/models/a:b", "/v1beta/models/:generateContent", "/x/v1beta/models/a:generateContent"],
)
def test_other_paths(path: str) -> None:
    assert GEMINI.find(path) is None


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        ("gemini-3-pro", False, "/models/gemini-3-pro:generateContent"),
        ("gemini-3-pro", True, "/models/gemini-3-pro:streamGenerateContent?alt=sse"),
        ("tunedModels/mine", False, "/tunedModels/mine:generateContent"),
        ("a b?c", False, "/models/a%20b%3Fc:generateContent"),
    ],
)
def test_where_upstreams_take_it(model: str, stream: bool, path: str) -> None:
    assert GEMINI.path(Shape(model=model, stream=stream)) == path


@pytest.mark.parametrize(
    ("body", "needs"),
    [
        ({}, set()),
        ({"tools": [{"functionDeclarations": [{"name": "f"}]}]}, {Need.TOOLS}),
        ({"tools": [{"googleSearch": {}}]}, {Need.WEB_SEARCH}),
        ({"generationConfig": {"responseMimeType": "application/json"}}, {Need.JSON_MODE}),
        ({"generationConfig": {"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}}},
         {Need.STRUCTURED_OUTPUTS}),
        ({"generationConfig": {"responseLogprobs": True, "candidateCount": 2}}, {Need.LOGPROBS, Need.MANY_CHOICES}),
        ({"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}]}, {Need.VISION}),
        ({"contents": [{"parts": [{"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}]}]}, {Need.AUDIO}),
        ({"contents": [{"parts": [{"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}}]}]}, {Need.FILES}),
        ({"contents": [{"parts": [{"fileData": {"fileUri": "gs://b/x.png", "mimeType": "image/png"}}]}]},
         {Need.VISION, Need.STORED_FILES}),
        ({"contents": [{"parts": [{"fileData": {"fileUri": "https://x.googleapis.com/v1beta/files/x"}}]}]},
         {Need.FILES, Need.STORED_FILES}),
        ({"contents": [{"role": "model", "parts": [{"functionCall": {"name": "f"}}]}]}, {Need.TOOLS}),
        ({"generationConfig": {"thinkingConfig": {"thinkingLevel": "high"}}}, set()),
    ],
)  # fmt: skip
def test_needs(body: dict[str, Any], needs: set[Need]) -> None:
    assert opened(**body).needs == needs


def test_an_envelope_says_what_path_and_settings_say() -> None:
    settings = {"maxOutputTokens": 7, "candidateCount": 2, "thinkingConfig": {"thinkingLevel": "LOW"}}
    found = opened(Place(model="a/b", stream=True), generationConfig=settings)
    assert (found.model, found.stream, found.max_output, found.choices, found.effort) == ("a/b", True, 7, 2, "low")


def test_an_image_counts_by_its_pixels_not_its_bytes() -> None:
    def size(data: str) -> int:
        return opened(contents=[{"parts": [{"inlineData": {"mimeType": "image/png", "data": data}}]}]).size

    assert size("AAAA" * 10_000) == size("AAAA") > 4096


def test_what_is_cached_at_the_provider_is_nobodys() -> None:
    with pytest.raises(GatewayError) as error:
        opened(cachedContent="cachedContents/x")
    assert error.value.param == "cachedContent"


@pytest.mark.parametrize("golden", requests(), ids=str)
def test_what_is_forwarded(golden: GoldenRequest) -> None:
    found = GEMINI.forward(GEMINI.open(golden.wire, Place(model="m")), msgspec.convert(golden.shape, Shape))
    assert json.loads(found.body) == golden.forwarded
    assert found.dropped == golden.dropped


def test_forwarding_changes_nothing_of_the_envelope() -> None:
    envelope = opened(generationConfig={"temperature": 1})
    GEMINI.forward(envelope, Shape(model="up", max_output=5, temperature=0.5))
    assert envelope.body["generationConfig"] == {"temperature": 1}


def test_a_model_in_the_body_is_not_forwarded() -> None:
    assert b"sneaky" not in GEMINI.forward(opened(model="sneaky"), Shape(model="up")).body


def test_tokens_are_counted_of_contents_or_of_a_whole_request() -> None:
    place = GEMINI.find("/v1beta/models/acme/m:countTokens")
    assert place is not None and (place.model, place.counts, place.secret_in) == ("acme/m", "totalTokens", "key")
    contents = b'"contents":[{"parts":[{"text":"Hi"}]}]'
    for raw in (b"{%b}" % contents, b'{"generateContentRequest":{"model":"models/x",%b}}' % contents):
        assert GEMINI.open(raw, place).body["contents"] == [{"parts": [{"text": "Hi"}]}]


@pytest.mark.parametrize(
    ("path", "said", "model"),
    [
        ("auto", {"task_type": "creative"}, None),
        ("auto", {"task_type": "creative", "model": "t/a"}, "t/a"),  # both are refused later, as in every protocol
        ("auto", {"flux": {}}, None),
        ("auto", {"flux": {}, "model": "t/a"}, "t/a"),
        ("auto", {}, "auto"),
        ("t/b", {"flux": {}, "model": "t/a"}, "t/b"),
    ],
)
def test_auto_in_the_path_names_nobody_where_the_body_says_what_answers(
    path: str, said: dict[str, Any], model: str | None
) -> None:
    body = json.dumps({"contents": [{"parts": [{"text": "hello"}]}]} | said).encode()
    assert Gemini().open(body, Place(model=path, stream=False)).model == model
