"""Which coding agent is calling, by what it says of itself.

Law: for convenience, never for trust: whoever wants to be taken for another client only has to say so. So a rule by
client may shape what is served, and everything that protects something stands in the other layers too.
"""

CLAUDE_CODE = "claude-code"
CODEX = "codex"

_AGENTS: tuple[tuple[bytes, str], ...] = (
    (b"claude-cli/", CLAUDE_CODE),
    (b"claude-code/", CLAUDE_CODE),
    (b"codex", CODEX),  # codex_cli_rs/, codex_exec/, codex-tui/
)


def recognise(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The client behind these headers (names in lower case), None for any other."""
    client = None
    for name, value in headers:
        if name == b"user-agent":
            said = value.strip().lower()
            for beginning, found in _AGENTS:
                if said.startswith(beginning):
                    return found
        elif name == b"originator":
            if value.strip().lower().startswith(b"codex"):
                client = CODEX
        elif name == b"x-app" and client is None and value.strip().lower() in (b"cli", b"cli-bg"):
            client = CLAUDE_CODE
    return client
