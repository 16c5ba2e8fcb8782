"""How a coding agent is started against this gateway: what it is called, and what it must be told.

Law: pure. One row per client; what it says to a client goes by environment where a process list would show a secret.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

KEY_VARIABLE = "CONFLUX_KEY"


class Launch(msgspec.Struct, frozen=True):
    """A program as it is to be started."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]


class Client(msgspec.Struct, frozen=True):
    program: str
    install: str  # what to type where it is missing
    launch: Callable[[str, str, str | None, Sequence[str], Mapping[str, str]], Launch]


def _claude(url: str, key: str, model: str | None, args: Sequence[str], environment: Mapping[str, str]) -> Launch:
    said = {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_AUTH_TOKEN": key,
        # It would ask its maker's own hosts for news, which no gateway answers.
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    if model is not None:
        # Its errands (titles, summaries) go to a model of their own unless that is named too.
        said |= {"ANTHROPIC_MODEL": model, "ANTHROPIC_DEFAULT_HAIKU_MODEL": model}
    kept = {name: value for name, value in environment.items() if name != "ANTHROPIC_API_KEY"}
    return Launch(("claude", *args), kept | said)


def _codex(url: str, key: str, model: str | None, args: Sequence[str], environment: Mapping[str, str]) -> Launch:
    provider = "model_providers.conflux"
    settings = {
        "model_provider": "conflux",
        f"{provider}.name": "Conflux",
        f"{provider}.base_url": f"{url}/v1",
        f"{provider}.env_key": KEY_VARIABLE,
        f"{provider}.wire_api": "responses",
    }
    if model is not None:
        settings["model"] = model
    flags = [part for name, value in settings.items() for part in ("-c", f'{name}="{value}"')]
    return Launch(("codex", *flags, *args), {**environment, KEY_VARIABLE: key})


CLIENTS = {
    "claude": Client("claude", "npm install -g @anthropic-ai/claude-code", _claude),
    "codex": Client("codex", "npm install -g @openai/codex", _codex),
}
