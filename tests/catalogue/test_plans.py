"""A plan that is wrong is refused with file, row and field."""

from pathlib import Path

import pytest

from conflux.catalogue.loader import load, shipped_dir
from conflux.neutral.errors import ConfigError
from conflux.neutral.plans import Plan, PlanWindow


def loaded(tmp_path: Path, text: str):
    (tmp_path / "mine.toml").write_text(text)
    return load([shipped_dir(), tmp_path]).plans


def test_the_shipped_plan():
    found = load([shipped_dir()]).plans
    assert [(one.storefront, one.default) for one in found.values()] == [("llmbase", True)]


def test_a_plan_is_read(tmp_path):
    text = """[[plan]]
id = "small"
storefront = "llmbase"
windows = [{ hours = 1, requests = 2, tokens = 30 }, { days = 7, tokens = 40 }]
"""
    windows = (PlanWindow(seconds=3600, requests=2, tokens=30), PlanWindow(seconds=604_800, tokens=40))
    assert loaded(tmp_path, text)["small"] == Plan(id="small", name="small", storefront="llmbase", windows=windows)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("", "windows: none"),
        ("windows = []", "windows: none"),
        ("windows = [{ requests = 1 }]", r"windows\[0\]: say its length"),
        ("windows = [{ hours = 1, days = 1, requests = 1 }]", r"windows\[0\]: say its length"),
        ("windows = [{ hours = 1 }]", r"windows\[0\]: it limits nothing"),
        ("windows = [{ hours = 0, requests = 1 }]", r"windows\[0\].hours"),
        ("windows = [{ hours = 1, requests = -1 }]", r"windows\[0\].requests"),
        ("windows = [{ hours = 1, requests = 1.5 }]", r"windows\[0\].requests"),
        ("windows = [{ hours = 24, requests = 1 }, { days = 1, tokens = 5 }]", "same length"),
        ("windows = [{ hours = 1, requests = 1 }]\ndefault = true", "default: agents is the default"),
        ('windows = [{ hours = 1, requests = 1 }]\nstorefront = "nowhere"', "there is no"),
        ('windows = [{ hours = 1, requests = 1 }]\nstorefront = "conflux"', "no agent_prefixes"),
    ],
)
def test_mistakes_have_their_place(tmp_path, fields, words):
    front = "" if "storefront" in fields else 'storefront = "llmbase"\n'
    with pytest.raises(ConfigError, match=words) as refused:
        loaded(tmp_path, f'[[plan]]\nid = "mine"\n{front}{fields}\n')
    assert all("mine.toml: [[plan]] #1 mine" in problem for problem in refused.value.problems)
