"""Coding agents, known by their headers."""

import pytest

from conflux.policy.clients import recognise


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ({}, None),
        ({"user-agent": "claude-cli/2.1.3 (external, cli)"}, "claude-code"),
        ({"user-agent": "claude-code/2.1.3"}, "claude-code"),
        ({"user-agent": "Claude-CLI/2.1.3"}, "claude-code"),
        ({"user-agent": "node", "x-app": "cli"}, "claude-code"),
        ({"x-app": "CLI"}, "claude-code"),
        ({"x-app": "web"}, None),
        ({"user-agent": "codex_cli_rs/0.101.0 (Ubuntu 24.4.0; x86_64) xterm"}, "codex"),
        ({"user-agent": "codex_exec/0.101.0"}, "codex"),
        ({"user-agent": "codex-tui/0.101.0"}, "codex"),
        ({"originator": "codex_cli_rs"}, "codex"),
        ({"originator": "codex_cli_rs", "x-app": "cli"}, "codex"),
        ({"x-app": "cli", "originator": "codex_cli_rs"}, "codex"),
        ({"originator": "someone", "user-agent": "claude-cli/2"}, "claude-code"),
        ({"user-agent": "OpenAI/Python 2.1.0"}, None),
        ({"user-agent": "not claude-cli/2"}, None),
        ({"user-agent": ""}, None),
    ],
)
def test_who_calls(headers: dict[str, str], client: str | None) -> None:
    assert recognise([(name.encode(), value.encode()) for name, value in headers.items()]) == client
