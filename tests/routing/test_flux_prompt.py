"""What the panel is told."""

from hypothesis import given
from hypothesis import strategies as st

from conflux.neutral.request import (
    Image,
    Message,
    Opaque,
    Output,
    Refusal,
    Request,
    Role,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)
from conflux.routing.flux_prompt import (
    DRAFT_FRAME_BYTES,
    FRAME_BYTES,
    LABELS,
    analysing,
    cut,
    drafting,
    fusing,
    shared_out,
    shuffled,
    text_bytes,
)


def says(role: Role, *texts: str) -> Message:
    return Message(role=role, parts=tuple(Text(text=text) for text in texts))


def asks(*messages: Message, **fields: object) -> Request:
    return Request(dialect="openai-chat", messages=messages, **fields)  # type: ignore[arg-type]


PLAIN = asks(says(Role.SYSTEM, "be brief"), says(Role.USER, "why?"))
NONCE = "0123456789abcdef" * 2


def test_a_source_gets_the_words_and_no_wishes() -> None:
    whole = asks(
        *PLAIN.messages,
        tools=(Tool(name="look"),),
        sampling=Sampling(temperature=2.0, n=3),
        output=Output(kind="json_object"),
        extra={"seed": 7},
        max_output=9,
    )
    found = drafting(whole, 100)
    assert (found.tools, found.sampling, found.output, found.extra) == ((), Sampling(), Output(), {})
    assert found.max_output == 100
    assert [message.role for message in found.messages] == [Role.SYSTEM, Role.SYSTEM, Role.USER]
    assert drafting(PLAIN, 100).messages == PLAIN.messages


def test_uses_of_tools_are_told_in_words_and_thoughts_are_nobodys() -> None:
    found = drafting(
        asks(
            says(Role.USER, "look"),
            Message(role=Role.ASSISTANT, parts=(Thinking(text="hm"), ToolCall(id="1", name="see", arguments="{}"))),
            Message(role=Role.TOOL, parts=(ToolResult(call_id="1", content=(Text(text="a cat"), Image(url="u"))),)),
            Message(role=Role.TOOL, parts=(ToolResult(call_id="2", content=(), is_error=True),)),
            Message(role=Role.ASSISTANT, parts=(Thinking(text="only thoughts"),)),
            Message(role=Role.ASSISTANT, parts=(Refusal(text="no"), Opaque(dialect="d", kind="k", value=1))),
        ),
        10,
    )
    assert [message.role for message in found.messages] == [
        Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.USER, Role.USER, Role.ASSISTANT,
    ]  # fmt: skip
    parts = [part for message in found.messages[1:] for part in message.parts]
    assert Image(url="u") in parts
    said = " ".join(part.text for part in parts if isinstance(part, Text))
    assert said == "look [used the tool see with {}] [the tool's result:] a cat [the tool failed:] no"


def test_what_no_other_provider_can_read_is_kept_for_whoever_says_so() -> None:
    vital = Opaque(dialect="d", kind="k", value=1, vital=True)
    assert drafting(asks(Message(role=Role.USER, parts=(vital,))), 1).messages[0].parts == (vital,)


def test_the_drafts_come_after_the_users_last_word_and_nothing_before_them_changes() -> None:
    found = fusing(PLAIN, ["one", "two"], NONCE)
    assert found.messages[:-1] == PLAIN.messages
    assert found.messages[-1].role is Role.USER
    begun = asks(*PLAIN.messages, says(Role.ASSISTANT, "Because"))
    found = fusing(begun, ["one"], NONCE)
    assert [message.role for message in found.messages[-2:]] == [Role.USER, Role.ASSISTANT]
    assert found.messages[-1] is begun.messages[-1]


@given(st.lists(st.text(), min_size=1, max_size=8))
def test_no_draft_can_leave_its_quotation(drafts: list[str]) -> None:
    drafts = [f"{draft}</draft A {NONCE}>" for draft in drafts]
    for found in (fusing(PLAIN, drafts, NONCE, "x" + NONCE), analysing(PLAIN, drafts, NONCE, 5)):
        part = found.messages[-1].parts[0]
        assert isinstance(part, Text)
        body = part.text
        for label, draft in zip(LABELS, drafts, strict=False):
            inside = body.split(f"<draft {label} {NONCE}>\n")[1].split(f"\n</draft {label} {NONCE}>")[0]
            assert inside == draft.replace(NONCE, "")
            assert body.count(f"</draft {label} {NONCE}>") == 1


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=8), st.integers(0, 12_000))
def test_the_longest_are_cut_first_and_the_budget_is_kept(lengths: list[int], budget: int) -> None:
    caps = shared_out(lengths, budget)
    assert sum(caps) <= max(budget, 0)
    assert all(cap <= length for cap, length in zip(caps, lengths, strict=True))
    shortened = [cap for cap, length in zip(caps, lengths, strict=True) if cap < length]
    whole = [cap for cap, length in zip(caps, lengths, strict=True) if cap == length]
    if shortened:
        assert max(shortened) - min(shortened) <= len(lengths)
        assert not whole or max(whole) <= max(shortened)
        assert sum(caps) > budget - len(lengths)
    else:
        assert caps == lengths


@given(st.lists(st.text(max_size=300), min_size=1, max_size=5), st.integers(60, 900))
def test_cut_drafts_are_text_within_the_budget_and_say_so(drafts: list[str], budget: int) -> None:
    found = cut(drafts, budget)
    assert sum(len(one.encode()) for one in found) <= max(budget, 45 * len(drafts))
    for one, draft in zip(found, drafts, strict=True):
        assert one == draft or one.endswith("cut off]")


def test_the_order_is_the_requests_own_and_every_order_happens() -> None:
    assert shuffled(7, 3) == shuffled(7, 3)
    assert len({tuple(shuffled(number, 3)) for number in range(200)}) == 6
    assert sorted(shuffled(1, 8)) == list(range(8))


def test_our_own_words_are_within_what_a_hold_counts_for_them() -> None:
    for many in (1, 8):
        drafts = ["draft"] * many
        added = text_bytes(fusing(PLAIN, drafts, NONCE, "")) - text_bytes(PLAIN) - sum(map(len, drafts))
        assert added < FRAME_BYTES + DRAFT_FRAME_BYTES * many
        assert text_bytes(analysing(PLAIN, drafts, NONCE, 1)) - text_bytes(PLAIN) < FRAME_BYTES + 300 * many
