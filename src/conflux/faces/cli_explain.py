"""`conflux explain`: where a request would go, and why.

Law: one operation; nothing is sent to anybody, nothing is held.
"""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from conflux.faces.cli_common import ConfigFlag, DataFlag, JsonFlag, Operates, fail, fields, out, out_json, table
from conflux.faces.launch import KEY_VARIABLE
from conflux.neutral.errors import ConfigError

_NAMES = ("model", "dropped_because", "score", "cost_usd", "time_s", "success", "quality")


def add_explain(app: typer.Typer, actions: Operates) -> None:
    @app.command(
        epilog="Examples:  conflux explain 'Write a haiku' --task creative   |   conflux explain hello --model "
        "conflux/kimi-k2.6   |   conflux explain --body request.json --json   |   "
        "CONFLUX_KEY=cf_live_… conflux explain '2+2?' --task simple_chat --prefer speed"
    )
    def explain(
        text: Annotated[str, typer.Argument(help="What would be asked.")] = "hello",
        task: Annotated[str | None, typer.Option(help="A task type: the gateway chooses the model.")] = None,
        model: Annotated[str | None, typer.Option(help="A model, in place of a task.")] = None,
        prefer: Annotated[str | None, typer.Option(help="cost, balanced, speed or quality.")] = None,
        body: Annotated[Path | None, typer.Option(help="A whole request, as JSON; nothing else counts then.")] = None,
        key: Annotated[str, typer.Option(envvar=KEY_VARIABLE, help="Whose request it would be.")] = "",
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Say where a request would go and why: every candidate with its cost, time, quality, or what is against it."""
        try:
            if not key:
                raise ConfigError([f"explain: whose request would it be? Set {KEY_VARIABLE}, or give --key"])
            asked = _read(body) if body is not None else _asked(text, task, model, prefer)
        except ConfigError as error:
            fail(error)
            raise typer.Exit(2) from None
        flags = {"config": config, "data": data}
        found = actions.operate(flags, "route.explain", {"key": key, "body": asked})
        if json:
            out_json(found)
            return
        fields({name: found.get(name) for name in ("model", "reason", "task_type", "tier", "prefer", "needs")})
        out("")
        rows = [["-" if row[name] is None else str(row[name]) for name in _NAMES] for row in found["candidates"]]
        table(["model", "dropped", "score $", "cost $", "time s", "success", "quality"], rows)
        out("")
        for row in found["attempts"]:
            out(f"{row['role']:10} {row['model']}")


def _asked(text: str, task: str | None, model: str | None, prefer: str | None) -> dict[str, Any]:
    said = {"task_type": task, "model": model, "prefer": prefer}
    if task is None and model is None:
        said["task_type"] = "simple_chat"
    return {name: one for name, one in said.items() if one is not None} | {
        "messages": [{"role": "user", "content": text}]
    }


def _read(file: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise ConfigError([f"explain: {file}: {error.strerror}"]) from None
    except msgspec.DecodeError as error:
        raise ConfigError([f"explain: {file} is no JSON object: {error}"]) from None
