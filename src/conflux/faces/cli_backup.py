"""`conflux backup` and `conflux restore`: the data directory in one file, and back.

Law: a backup is safe beside a running server; a restore is not, and is refused there. Nothing is overwritten unasked.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from conflux.faces.cli_common import ConfigFlag, DataFlag, JsonFlag, out, out_json

Tell = Callable[[int, int], None]  # how much is done, of how much


class Keeps(Protocol):
    def backup(self, flags: dict[str, Any], file: Path, tell: Tell, *, force: bool) -> None: ...
    def restore(self, flags: dict[str, Any], file: Path, *, force: bool) -> Path | None:
        """Where what was there before is now, if anything was."""
        ...


def add_backup(app: typer.Typer, actions: Keeps) -> None:
    @app.command(epilog="Example:  conflux backup /var/backups/conflux-monday.tar")
    def backup(
        file: Annotated[Path, typer.Argument(help="Where to write it; for its owner's eyes only.")],
        force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Copy database and secrets into one file and check the copy. Works beside a running server."""
        actions.backup({"config": config, "data": data}, file, _bar(), force=force)
        done = {"file": str(file), "bytes": file.stat().st_size}
        out_json(done) if json else out(f"{done['file']}: {done['bytes']} bytes, checked")
        print("conflux: it holds secrets: keep it where nobody else reads it", file=sys.stderr)

    @app.command(epilog="Example:  conflux restore /var/backups/conflux-monday.tar --data /var/lib/conflux")
    def restore(
        file: Annotated[Path, typer.Argument(help="What `conflux backup` wrote.")],
        force: Annotated[bool, typer.Option("--force", help="Even where a database is; it is put aside.")] = False,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Put a backup in the data directory's place. Refused while a server runs."""
        aside = actions.restore({"config": config, "data": data}, file, force=force)
        done = {"file": str(file), "put_aside": str(aside) if aside is not None else None}
        out_json(done) if json else out(f"restored from {file}")
        if aside is not None:
            print(f"conflux: what was there before is in {aside}", file=sys.stderr)


def _bar() -> Tell:
    """The share done on standard error, where somebody looks at it."""
    shown = -1

    def tell(done: int, total: int) -> None:
        nonlocal shown
        share = done * 100 // max(total, 1)
        if sys.stderr.isatty() and share != shown:
            shown = share
            print(f"\rconflux: {share} %", end="\n" if share == 100 else "", file=sys.stderr, flush=True)

    return tell
