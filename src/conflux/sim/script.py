"""A script: rules in a small TOML file that say how the simulator answers.

Law: the first rule that matches adds its markers to the request, as if the prompt had carried them; so a script can do
what a prompt can do, and nothing else. See docs/simulator.md.
"""

import fnmatch
import re
import tomllib
from pathlib import Path

import msgspec

from conflux.neutral.errors import ConfigError
from conflux.sim import markers
from conflux.sim.quirks import Quirks

MODELS = ("simulated-model",)


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    do: str  # markers
    model: str = "*"
    text: str | None = None  # a pattern searched in the last user message
    header: dict[str, str] = {}  # name: pattern
    nth: int | None = None  # only the nth request that matches otherwise, from 1
    times: int | None = None  # only so often


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    rule: list[Rule] = []
    quirks: Quirks = Quirks()
    models: tuple[str, ...] = MODELS
    pace: float = 0.0


class Script:
    """Rules, and how often each has matched."""

    def __init__(
        self,
        rules: list[Rule] | None = None,
        *,
        quirks: Quirks | None = None,
        models: tuple[str, ...] = MODELS,
        pace: float = 0.0,
    ) -> None:
        self.rules = rules or []
        self.quirks = quirks or Quirks()
        self.models = models  # what the simulator's own list shows; it answers to any name
        self.pace = pace  # tokens per second where nothing else says
        self._seen = [0] * len(self.rules)

    @classmethod
    def load(cls, path: Path) -> "Script":
        try:
            read = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
        except OSError as error:
            raise ConfigError([f"{path}: {error.strerror or error}"]) from None
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise ConfigError([f"{path}: {error}"]) from None
        problems = [
            f"{path}: [[rule]] #{number}: {problem}"
            for number, rule in enumerate(read.rule, 1)
            for problem in _problems(rule)
        ]
        if read.quirks.usage not in ("normal", *markers.USAGE_MANNERS):
            problems.append(f"{path}: [quirks] usage: {read.quirks.usage!r} is none of {markers.USAGE_MANNERS}")
        if not 0 <= read.pace < float("inf"):
            problems.append(f"{path}: pace: tokens per second, or 0")
        if problems:
            raise ConfigError(problems)
        return cls(read.rule, quirks=read.quirks, models=read.models, pace=read.pace)

    def markers(self, model: str, text: str, headers: dict[str, str]) -> str:
        for place, rule in enumerate(self.rules):
            if not fnmatch.fnmatchcase(model, rule.model):
                continue
            if rule.text is not None and not re.search(rule.text, text):
                continue
            if not all(re.search(pattern, headers.get(name.lower(), "")) for name, pattern in rule.header.items()):
                continue
            self._seen[place] += 1
            seen = self._seen[place]
            if rule.nth is not None and seen != rule.nth:
                continue
            if rule.times is not None and seen > rule.times:
                continue
            return rule.do
        return ""


def _problems(rule: Rule) -> list[str]:
    found = [f"do: unknown marker: {one}" for step in markers.read(rule.do) for one in step.unknown]
    for pattern in (rule.text, *rule.header.values()):
        try:
            re.compile(pattern or "")
        except re.error as error:
            found.append(f"{pattern!r} is no pattern: {error}")
    for name, number in (("nth", rule.nth), ("times", rule.times)):
        if number is not None and number < 1:
            found.append(f"{name}: counts from 1")
    return found
