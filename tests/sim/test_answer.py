"""From an ask to a plan, without a socket: what is said, called, cut, counted and claimed."""

import json
from typing import Any

import pytest

from conflux.neutral.request import Message, Request, Role, Text
from conflux.routing.flux_prompt import fusing
from conflux.sim.answer import LABEL, OTHER_MODEL, plan_for
from conflux.sim.ask import Ask, Limits, Offered
from conflux.sim.plan import CallPlan, Plan, Usage, call_size, size
from conflux.sim.script import Rule, Script
from tests.sim.validator import faults

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = {"weather": WEATHER, "time": {"type": "object", "properties": {"zone": {"enum": ["UTC"]}}}}


def ask(text: str = "hello", **fields: Any) -> Ask:
    fields = {"body": {}, "path": "/p", "model": "m", "stream": False, "seed": 5, "prompt_tokens": 9, **fields}
    return Ask(text=text, **fields)


def plan(text: str = "hello", script: Script | None = None, **fields: Any) -> Plan:
    return plan_for(ask(text, **fields), script or Script(), {"x-a": "b"})


def text_of(made: Plan) -> str:
    (choice,) = made.choices
    return choice.text


def test_an_answer_is_labelled_and_quotes_the_user() -> None:
    made = plan("what is up")
    assert text_of(made) == "[simulated] You said: what is up"
    assert made.choices[0].finish == "stop"
    assert made.tokens == made.usage.completion == size(text_of(made))
    assert made.usage.prompt == 9


def test_who_is_shown_drafts_answers_with_what_they_say_each_thing_once() -> None:
    """In the very words in which a panel's fuser is asked."""
    turn = Message(role=Role.USER, parts=(Text(text="why?"),))
    drafts = [LABEL + "It scatters.", "Blue light does.", LABEL + "It scatters."]
    asked = fusing(Request(dialect="openai-chat", messages=(turn,)), drafts, "ab12")
    shown = "".join(part.text for part in asked.messages[-1].parts if isinstance(part, Text))
    assert text_of(plan(shown)) == "[simulated] From 3 drafts: It scatters. / Blue light does."
    assert "You said" in text_of(plan("<draft A x>\nnot closed"))


def test_a_long_question_is_not_quoted_whole() -> None:
    assert len(text_of(plan("x" * 100_000))) < 500


def test_attachments_are_named() -> None:
    made = plan(attachments=("image image/png of 68 bytes", "file a.pdf"))
    assert text_of(made).endswith("I received 2 attachment(s): image image/png of 68 bytes; file a.pdf.")


def test_say_is_exactly_that() -> None:
    assert text_of(plan("[[say: the very words]]")) == "the very words"


def test_choices_differ_where_they_may() -> None:
    texts = [choice.text for choice in plan(choices=3).choices]
    assert len(set(texts)) == 3 and all(text.startswith(LABEL) for text in texts)
    assert [choice.text for choice in plan("[[say: x]]", choices=2).choices] == ["x", "x"]


def test_the_tokens_of_all_choices_count() -> None:
    made = plan("[[say: 12345678]] [[think: 1234]]", choices=3)
    assert made.tokens == 3 * (2 + 1)
    assert made.usage.reasoning == 3


def test_a_script_speaks_before_the_system_before_the_user() -> None:
    script = Script([Rule(do="[[say: script]] [[think: script]] [[slow-first: 5]]")])
    made = plan("[[say: user]]", script, system="[[think: system]] [[say: system]]")
    assert (text_of(made), made.thinking, made.first_ms) == ("user", "system", 5)


def test_unknown_markers_are_all_reported() -> None:
    made = plan("[[sey: x]] [[say: hi]] [[then]] [[fail: maybe]]")
    assert text_of(made) == LABEL + "unknown marker: sey; fail: maybe"
    assert made.fault is None


def test_what_is_no_marker_in_a_system_message_is_left_alone() -> None:
    assert text_of(plan("[[say: hi]]", system="write [[their-name]] or [[name: x]]")) == "hi"
    assert "their-name" in text_of(plan("[[their-name]]"))


def test_thinking_is_shown_when_asked_for() -> None:
    assert plan().thinking == ""
    assert plan(effort="high").thinking == "Thinking with effort high."
    assert plan("[[think: my own]]", effort="high").thinking == "my own"


def test_a_refusal() -> None:
    made = plan("[[refuse]]")
    assert made.refused and text_of(made).startswith(LABEL)


def test_echo_tells_what_was_received() -> None:
    made = plan("[[echo]]", body={"model": "m", "user": "u"})
    assert json.loads(text_of(made)) == {"path": "/p", "headers": {"x-a": "b"}, "body": {"model": "m", "user": "u"}}


def test_stream_says_so_many_tokens() -> None:
    made = plan("[[stream: 1200 tokens at 40/s]]")
    assert made.tokens == 1200 and made.rate == 40
    assert text_of(made).startswith("000 001 ")


@pytest.mark.parametrize("seed", range(5))
def test_structured_answers_satisfy_their_schema(seed: int) -> None:
    made = plan(schema=WEATHER, seed=seed, choices=2)
    assert [faults(json.loads(choice.text), WEATHER) for choice in made.choices] == [[], []]
    after_tools = plan(schema=WEATHER, results=("sunny",), step=1)
    assert faults(json.loads(text_of(after_tools)), WEATHER) == []


def test_a_json_object() -> None:
    assert json.loads(text_of(plan("hi", json_object=True))) == {"simulated": True, "you_said": "hi"}


class TestTools:
    def test_none_is_called_unless_said(self) -> None:
        assert plan(tools=Offered(TOOLS)).calls == ()

    def test_a_marker_calls_with_its_own_arguments(self) -> None:
        made = plan('[[call: weather {"city": "Rome"}]]', tools=Offered(TOOLS))
        assert made.calls == (CallPlan("weather", '{"city": "Rome"}'),)
        assert made.choices[0] == type(made.choices[0])("", "tool_calls")
        assert made.tokens == call_size(made.calls[0])

    def test_a_marker_calls_with_arguments_of_the_schema(self) -> None:
        made = plan("[[call: weather]] [[call]] [[call: time]]", tools=Offered(TOOLS))
        assert [call.name for call in made.calls] == ["weather", "weather", "time"]
        assert made.calls[0].arguments != made.calls[1].arguments, "who mixes them up is to be found out"
        assert all(faults(json.loads(call.arguments), TOOLS[call.name]) == [] for call in made.calls)

    def test_words_may_go_with_a_call(self) -> None:
        made = plan("[[say: let me look]] [[call: weather]]", tools=Offered(TOOLS))
        assert text_of(made) == "let me look" and len(made.calls) == 1

    @pytest.mark.parametrize(("forced", "name"), [("time", "time"), ("", "weather")])
    def test_a_forced_tool_is_called_once(self, forced: str, name: str) -> None:
        made = plan(tools=Offered(TOOLS, forced=forced))
        assert [call.name for call in made.calls] == [name]
        assert faults(json.loads(made.calls[0].arguments), TOOLS[name]) == []
        assert plan(tools=Offered(TOOLS, forced=forced), results=("x",), step=1).calls == ()

    def test_a_forbidden_tool_is_not_called(self) -> None:
        assert plan("[[call: weather]]", tools=Offered(TOOLS, forbidden=True)).calls == ()

    def test_what_was_not_offered_is_said(self) -> None:
        assert text_of(plan("[[call: fly]]", tools=Offered(TOOLS))) == LABEL + "asked to call what was not offered: fly"
        assert "not offered: fly" in text_of(plan("[[call: fly]]"))

    def test_results_are_used(self) -> None:
        made = plan("[[call: weather]]", tools=Offered(TOOLS), results=("sunny", "25"), step=1)
        assert made.calls == () and text_of(made) == LABEL + "the tools said: sunny; 25"

    def test_steps_follow_each_other(self) -> None:
        text = "[[call: weather]] [[then]] [[call: time]] [[then]] [[say: done]]"
        made = [plan(text, tools=Offered(TOOLS), results=("r",) * step, step=step) for step in range(4)]
        assert [[call.name for call in one.calls] for one in made] == [["weather"], ["time"], [], []]
        assert [text_of(one) for one in made] == ["", "", "done", "done"]

    def test_calls_come_one_by_one_where_parallel_ones_are_forbidden(self) -> None:
        text = "[[say: go]] [[call: weather]] [[call: time]]"
        made = [plan(text, tools=Offered(TOOLS, parallel=False), results=("r",) * at, step=at) for at in range(3)]
        assert [[call.name for call in one.calls] for one in made] == [["weather"], ["time"], []]
        assert [text_of(one) for one in made] == ["go", "", LABEL + "the tools said: r; r"]

    def test_the_manners_of_the_last_step_stay(self) -> None:
        text = "[[call: weather]] [[usage: prompt=3 completion=4]] [[stream: 2]]"
        made = plan(text, tools=Offered(TOOLS), results=("r",), step=1)
        assert made.usage.prompt == 3 and made.calls == () and text_of(made) == "000 001 "


class TestCut:
    def test_the_earliest_stop_word_ends_the_text(self) -> None:
        made = plan("[[say: one two three]]", limits=Limits(stops=("three", " tw", "")))
        assert text_of(made) == "one" and made.choices[0].finish == "stop"

    def test_the_limit_cuts_thinking_then_text(self) -> None:
        text = "[[think: aaaabbbb]] [[say: ccccdddd]]"
        cuts = [plan(text, limits=Limits(limit)) for limit in range(1, 6)]
        assert [(one.thinking, text_of(one), one.choices[0].finish) for one in cuts] == [
            ("aaaa", "", "length"),
            ("aaaabbbb", "", "length"),
            ("aaaabbbb", "cccc", "length"),
            ("aaaabbbb", "ccccdddd", "stop"),
            ("aaaabbbb", "ccccdddd", "stop"),
        ]
        assert [one.tokens for one in cuts] == [1, 2, 3, 4, 4]

    def test_the_limit_cuts_arguments_in_the_middle(self) -> None:
        text = '[[call: time {"a": 1234567}]] [[call: time {"b": 2}]]'
        cuts = [plan(text, tools=Offered(TOOLS), limits=Limits(limit)) for limit in (1, 3, 5, 6, 7, 100)]
        assert [[call.arguments for call in one.calls] for one in cuts] == [
            [""],
            ['{"a": 12'],
            ['{"a": 1234567}'],
            ['{"a": 1234567}', ""],
            ['{"a": 1234567}', '{"b"'],
            ['{"a": 1234567}', '{"b": 2}'],
        ]
        assert [one.choices[0].finish for one in cuts] == ["length"] * 5 + ["tool_calls"]
        assert [one.tokens for one in cuts] == [1, 3, 5, 6, 7, 8]

    def test_a_finish_that_was_asked_for(self) -> None:
        assert plan("[[finish: content_filter]]").choices[0].finish == "content_filter"
        made = plan("[[call: time]] [[finish: stop]]", tools=Offered(TOOLS))
        assert made.calls and made.choices[0].finish == "stop"


class TestUsage:
    @pytest.mark.parametrize(
        ("marker", "claimed"),
        [
            ("[[usage: completion=5 reasoning=2]]", Usage(prompt=9, completion=5, reasoning=2)),
            ("[[usage: prompt=1]]", Usage(prompt=1, completion=3, reasoning=1)),
            ("[[usage: cached=3]]", Usage(prompt=9, completion=3, cached=3, reasoning=1)),
            ("[[usage: completion=1]]", Usage(prompt=9, completion=1)),
            ("[[usage: zero]]", Usage(manner="zero")),
            ("[[usage: missing]]", Usage(prompt=9, completion=3, reasoning=1, manner="missing")),
        ],
    )  # fmt: skip
    def test_what_is_claimed(self, marker: str, claimed: Usage) -> None:
        made = plan(f"[[say: 12345678]] [[think: x]] {marker}")
        assert made.usage == claimed
        assert made.tokens == 3  # what is delivered is another matter

    def test_absurd_is_absurd(self) -> None:
        used = plan("[[usage: absurd]]").usage
        assert used.prompt < 0 and used.completion > 10**9 and used.cached > used.prompt

    def test_a_providers_manner_is_the_default(self) -> None:
        from conflux.sim.quirks import Quirks

        script = Script(quirks=Quirks(usage="every-chunk"))
        assert plan(script=script).usage.manner == "every-chunk"
        assert plan("[[usage: prompt=3]]", script).usage.manner == "normal"


def test_a_failure_is_planned_whole() -> None:
    made = plan("[[fail: 429 code=slow_down retry-after=2]]")
    assert (made.fault, made.code, made.retry_after, made.model) == ("429", "slow_down", "2", None)
    assert plan("[[fail: reset-mid 7]]").fault_at == 7
    assert plan("[[fail: wrong-model]]").model == OTHER_MODEL


def test_the_same_ask_gets_the_same_plan() -> None:
    once, again = (plan("[[call: weather]]", tools=Offered(TOOLS), seed=99) for _ in range(2))
    assert once == again
    assert plan("[[call: weather]]", tools=Offered(TOOLS), seed=98) != once
