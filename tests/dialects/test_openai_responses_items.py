"""Items: added once with nothing in them, done once with all."""

from conflux.dialects.openai_responses_items import MessageItem, ReasoningItem, Sequence
from conflux.dialects.signatures import unwrap
from conflux.neutral.events import RefusalDelta, TextDelta, ThinkingDelta
from tests.dialects.golden_responses import data_of


def test_a_message_of_two_parts() -> None:
    sequence = Sequence()
    item = MessageItem(sequence, "m")
    item.place(3)
    logprobs = {"content": [{"token": "a", "logprob": -1.0}]}
    out = item.begin() + item.text(TextDelta(text="a", logprobs=logprobs)) + item.text(TextDelta(text='"\n'))
    found = data_of(out + item.refusal(RefusalDelta(text="no")) + item.close("completed"))
    assert [event["type"].removeprefix("response.") for event in found] == [
        "output_item.added", "content_part.added", "output_text.delta", "output_text.delta", "output_text.done",
        "content_part.done", "content_part.added", "refusal.delta", "refusal.done", "content_part.done",
        "output_item.done",
    ]  # fmt: skip
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    assert {event["output_index"] for event in found} == {3}
    assert [event["content_index"] for event in found if "content_index" in event] == [0] * 5 + [1] * 4
    assert found[2]["logprobs"] == logprobs["content"] and found[3]["delta"] == '"\n'
    text, refusal = found[-1]["item"]["content"]
    assert (text["text"], text["logprobs"], refusal["refusal"]) == ('a"\n', logprobs["content"], "no")
    assert found[0]["item"]["content"] == []


def test_thinking_without_words_is_only_sealed() -> None:
    item = ReasoningItem(Sequence(), "m", sealed=True)
    item.place(0)
    assert item.thought(ThinkingDelta(redacted="x", issuer="anthropic-messages")) == b""
    (done,) = data_of(item.close("completed"))
    sealed = done["item"]["encrypted_content"]
    assert done["item"]["summary"] == []
    assert unwrap(sealed, "openai-responses") == ("x", "anthropic-messages/redacted")
