"""Rules: which one matches, how often, and what is wrong with a file is said at once."""

from pathlib import Path

import pytest

from conflux.neutral.errors import ConfigError
from conflux.sim.quirks import Quirks
from conflux.sim.script import MODELS, Rule, Script


def load(folder: Path, text: str) -> Script:
    path = folder / "script.toml"
    path.write_text(text, encoding="utf-8")
    return Script.load(path)


def test_the_first_rule_that_matches_counts() -> None:
    script = Script(
        [
            Rule(model="gpt-*", do="a"),
            Rule(text=r"weather in \w+", do="b"),
            Rule(header={"X-Team": "^red$"}, do="c"),
            Rule(header={"authorization": "^$"}, do="d"),
        ]
    )
    assert script.markers("gpt-5", "weather in Rome", {}) == "a"
    assert script.markers("glm", "the weather in Rome", {}) == "b"
    assert script.markers("glm", "", {"x-team": "red", "authorization": "Bearer x"}) == "c"
    assert script.markers("glm", "", {"x-team": "reddish"}) == "d"
    assert script.markers("glm", "", {"authorization": "Bearer x"}) == ""


def test_nth_and_times_count_what_matches_otherwise() -> None:
    script = Script([Rule(model="a", nth=2, do="second"), Rule(model="a", times=2, do="early"), Rule(do="rest")])
    assert [script.markers("a", "", {}) for _ in range(5)] == ["early", "second", "early", "rest", "rest"]
    assert script.markers("b", "", {}) == "rest"


def test_a_whole_file(tmp_path: Path) -> None:
    script = load(
        tmp_path,
        """
        models = ["one", "two"]
        pace = 30.5
        [quirks]
        reasoning_field = "reasoning"
        refuses = ["parallel_tool_calls"]
        [[rule]]
        model = "gpt-*"
        nth = 1
        do = "[[fail: 503]]"
        [[rule]]
        do = "[[say: hi]]"
        """,
    )
    assert script.models == ("one", "two")
    assert script.pace == 30.5
    assert script.quirks == Quirks(reasoning_field="reasoning", refuses=("parallel_tool_calls",))
    assert [script.markers("gpt-5", "", {}) for _ in range(2)] == ["[[fail: 503]]", "[[say: hi]]"]


def test_an_empty_file_is_a_script(tmp_path: Path) -> None:
    script = load(tmp_path, "")
    assert script.rules == [] and script.models == MODELS and script.quirks == Quirks()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[[rule]]\ndo = '[[sey: x]]'\n[[rule]]\ndo = ''\ntext = '('",
            ["#1: do: unknown marker: sey", "#2: '(' is no"],
        ),
        ("[[rule]]\ndo = ''\nnth = 0", ["#1: nth: counts from 1"]),
        ("[[rule]]\nmodel = 'x'", ["missing required field `do`"]),
        ("[[rule]]\ndo = ''\nmodell = 'x'", ["unknown field `modell`"]),
        ("[[rules]]\ndo = ''", ["unknown field `rules`"]),
        ("[quirks]\nusage = 'sometimes'", ["[quirks] usage: 'sometimes'"]),
        ("pace = -1", ["pace"]),
        ("not toml", ["line 1"]),
    ],
)
def test_every_mistake_is_a_line_with_its_place(tmp_path: Path, text: str, said: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert len(caught.value.problems) == len(said)
    for problem, words in zip(caught.value.problems, said, strict=True):
        assert problem.startswith(str(tmp_path / "script.toml")) and words in problem


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        Script.load(tmp_path / "none.toml")
