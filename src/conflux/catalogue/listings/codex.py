"""What Codex CLI wants beside `data` when it asks with `client_version`: its own description of each model.

Law: Codex refuses the whole list for one field that is missing or for one word it does not know, so every field it
reads is here and no value is passed on that it might not know. It needs tools, so models without them are left out.
It replaces its own instructions by the ones given here and takes none for an answer, hence the few lines below.
"""

from conflux.catalogue.listings.row import Rendered, Row
from conflux.neutral.records import Capability

INSTRUCTIONS = """\
You are a coding agent. You work in the user's project through the tools you are given, until the task is done.
- Read before you change. Look for files and text with `rg` where it is installed.
- Change no more than the task needs, in the style of the code around it. Leave alone what others have changed.
- Edit files with the patch tool where there is one, else with the shell. Do not print whole files as an answer.
- Check your work: run the tests, the linter or the program where the project has them, and say what you ran.
- Never delete, reset, commit or push unless you were asked to. Ask only when you cannot go on.
- When you are done, say in a few sentences what changed and what is left to do, with file names and line numbers.
"""
_EFFORTS = (("low", "Answers fast"), ("medium", "Thinks where it pays"), ("high", "Thinks longest"))
_KNOWN = ("none", "minimal", "low", "medium", "high", "xhigh")
_SEEN = ("text", "image")


def codex(row: Row) -> Rendered | None:
    model = row.model
    if model.kind != "chat" or Capability.TOOLS not in model.capabilities:
        return None
    efforts: tuple[tuple[str, str], ...] = _EFFORTS if Capability.REASONING in model.capabilities else ()
    if model.effort is not None:
        efforts = ((model.effort, "Fixed by this model's id"),) if model.effort in _KNOWN else ()
    return {
        "slug": model.id,
        "display_name": model.name,
        "description": model.description or None,
        "default_reasoning_level": _usual([name for name, _ in efforts]),
        "supported_reasoning_levels": [{"effort": name, "description": text} for name, text in efforts],
        "shell_type": "unified_exec",
        "visibility": "list",
        "supported_in_api": True,
        "priority": 0,
        "upgrade": None,
        "base_instructions": INSTRUCTIONS,
        "supports_reasoning_summaries": False,
        "support_verbosity": False,
        "default_verbosity": None,
        "apply_patch_tool_type": None,
        "truncation_policy": {"mode": "tokens", "limit": 10_000},
        "supports_parallel_tool_calls": True,
        "context_window": model.safe_context,
        "effective_context_window_percent": 100,  # the safe context has left room already
        "experimental_supported_tools": [],
        "input_modalities": [one for one in model.input_modalities if one in _SEEN],
    }


def _usual(efforts: list[str]) -> str | None:
    return "medium" if "medium" in efforts else efforts[0] if efforts else None
