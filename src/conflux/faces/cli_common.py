"""What all groups of commands share: flags, and how an answer is written.

Law: standard output is the answer alone, everything else goes to standard error.
"""

import sys
from typing import Annotated, Any, Protocol

import msgspec
import typer

from conflux.neutral.errors import ConfigError, StoreError

ConfigFlag = Annotated[str | None, typer.Option("--config", help="Configuration file (default: ./conflux.toml).")]
DataFlag = Annotated[str | None, typer.Option("--data", help="Data directory (default: ./data).")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print pure JSON.")]
StorefrontFlag = Annotated[str | None, typer.Option("--storefront", help="Which storefront, for example conflux.")]


class Operates(Protocol):
    """What commands of administration need: an operation, done by the running server or else here."""

    def operate(self, flags: dict[str, Any], operation: str, params: dict[str, Any]) -> Any: ...


def fail(error: ConfigError | StoreError) -> None:
    lines = error.problems if isinstance(error, ConfigError) else [str(error)]
    for line in lines:
        print(f"conflux: {line}", file=sys.stderr)


def out(text: str) -> None:
    print(text)


def out_json(value: Any) -> None:
    out(msgspec.json.encode(value).decode())


def table(columns: list[str], rows: list[list[str]]) -> None:
    """A table for people; wide enough for its content where nobody looks at a screen."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column, no_wrap=True)
    for row in rows:
        shown.add_row(*map(Text, row))  # as it is: a name may hold what looks like markup
    console = Console()
    console.print(shown) if console.is_terminal else Console(width=400).print(shown)


def fields(row: dict[str, Any]) -> None:
    """One thing for people: a line for each of its fields."""
    for name, value in row.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
        out(f"{name:24} {'-' if shown in (None, '') else shown}")
