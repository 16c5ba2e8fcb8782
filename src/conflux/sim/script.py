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


class Rule(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    do: str  # markers
    model: str = "*"
    text: str | None = None  # a pattern searched in the last user message
    header: dict[str, str] = {}  # name: pattern
    nth: int | None = None  # only the nth request that matches otherwise, from 1
    times: int | None = None  # only so often
    seen: int = 0


class Script:
    """Rules, and how often each has matched."""

    def __init__(self, rules: list[Rule] | None = None) -> None:
        self.rules = rules or []

    @classmethod
    def load(cls, path: Path) -> "Script":
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
            rules = msgspec.convert(content.pop("rule", []), list[Rule])
        except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise ConfigError([f"{path}: {error}"]) from None
        if content:
            raise ConfigError([f"{path}: {', '.join(content)}: a script has only [[rule]] tables"])
        for number, rule in enumerate(rules, 1):
            for pattern in (rule.text, *rule.header.values()):
                try:
                    re.compile(pattern or "")
                except re.error as error:
                    raise ConfigError([f"{path}: [[rule]] #{number}: {pattern!r} is no pattern: {error}"]) from None
        return cls(rules)

    def markers(self, model: str, text: str, headers: dict[str, str]) -> str:
        for rule in self.rules:
            if not fnmatch.fnmatchcase(model, rule.model):
                continue
            if rule.text is not None and not re.search(rule.text, text):
                continue
            if not all(re.search(pattern, headers.get(name.lower(), "")) for name, pattern in rule.header.items()):
                continue
            rule.seen += 1
            if rule.nth is not None and rule.seen != rule.nth:
                continue
            if rule.times is not None and rule.seen > rule.times:
                continue
            return rule.do
        return ""
