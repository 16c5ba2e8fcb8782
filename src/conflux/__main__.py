"""The program: arguments in, exit code out.

Law: only what a command needs is imported, so that `--version` does not load a server. Every mistake of the user ends
here as its own line, never as a traceback.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conflux import __version__
from conflux.faces.catalogue_cli import add_catalogue
from conflux.faces.cli import SERVE, build
from conflux.faces.cli_common import fail
from conflux.faces.launch import Launch
from conflux.neutral.errors import ConfigError, NoSuch, StoreError
from conflux.settings import BrokenSettings, Config, load, redacted

if TYPE_CHECKING:
    from conflux.stores.opening import Books
    from conflux.wiring import Running


_STARTING_SECONDS = 15.0


class Program:
    """Implements the command line's Actions."""

    version = __version__

    def _settings(self, flags: dict[str, Any]) -> Config:
        said = {name: value for name, value in flags.items() if name != "config"}
        return load(said, os.environ, flags.get("config"))

    def _config(self, flags: dict[str, Any]) -> Config:
        """Where the settings have mistakes, those of the catalogue are told with them."""
        try:
            return self._settings(flags)
        except BrokenSettings as error:
            from conflux.configured import catalogue_mistakes

            raise ConfigError(error.problems + catalogue_mistakes(error.rest)) from None

    def serve(self, flags: dict[str, Any]) -> None:
        from conflux.configured import check
        from conflux.wiring import serve

        config = self._config(flags)
        place = None
        if config.settings.workers > 1:
            from conflux.workers import split

            check(config)
            place, config = split(config, lambda: self._config(flags))
        _run(serve(config, lambda: self._config(flags), _greet, place))

    def simulate(self, host: str, port: int, script: Path | None, log: Path | None, pace: float) -> None:
        from conflux.sim.server import serve_forever

        if not 0 <= pace < float("inf"):
            raise ConfigError([f"--pace: {pace} is no number of tokens per second: 0 is as fast as they go"])
        try:
            _run(serve_forever(host, port, script, log, pace))
        except OSError as error:
            raise ConfigError([f"cannot listen on {host} port {port}: {error.strerror or error}"]) from None

    def operate(self, flags: dict[str, Any], operation: str, params: dict[str, Any]) -> Any:
        from conflux.faces.control import ask, server_runs

        config = self._config(flags)
        if not server_runs(config.data_dir):
            if operation.startswith("server."):
                raise ConfigError([f"no server runs on {config.data_dir}: start one with `conflux serve`"])
            from conflux.alone import operate
            from conflux.stores.data_dir import InUse

            try:
                return asyncio.run(operate(config, operation, params))
            except InUse:
                # A server that is starting has the lock before it has the socket.
                if not _appears(lambda: server_runs(config.data_dir)):
                    raise
        return ask(config.data_dir, operation, params)

    def show_config(self, flags: dict[str, Any]) -> dict[str, Any]:
        return redacted(self._config(flags))

    def validate(self, flags: dict[str, Any], directory: Path | None) -> list[str]:
        from conflux.catalogue.loader import load as load_catalogue
        from conflux.catalogue.loader import shipped_dir
        from conflux.configured import read_catalogue

        try:
            config = self._config(flags)
            if directory is None:
                read_catalogue(config)
            else:
                load_catalogue([shipped_dir(), directory])
        except ConfigError as error:
            return error.problems
        return []

    def doctor(self, flags: dict[str, Any]) -> list[tuple[str, bool, str]]:
        from conflux.doctor import examine

        return examine(lambda: self._settings(flags))

    def start(self, launch: Launch) -> int:
        # Ctrl-C goes to the whole terminal: the client decides what it means, and we wait for it.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return subprocess.run(launch.argv, env=launch.environment, check=False).returncode
        finally:
            signal.signal(signal.SIGINT, before)

    def books(self, flags: dict[str, Any]) -> "Books":
        from conflux.stores.opening import Books

        config = self._config(flags)
        return Books(config.data_dir, config.settings.postgres_url)

    def backup(self, flags: dict[str, Any], file: Path, tell: Callable[[int, int], None], *, force: bool) -> None:
        from conflux.stores.backup import backup

        backup(self._own_file(flags, "backup", "pg_dump"), file, tell, force=force)

    def restore(self, flags: dict[str, Any], file: Path, *, force: bool) -> Path | None:
        from conflux.stores.backup import restore

        return restore(self._own_file(flags, "restore", "pg_restore"), file, force=force)

    def _own_file(self, flags: dict[str, Any], command: str, tool: str) -> Path:
        from conflux.configured import own_file

        return own_file(self._config(flags), command, tool)

    def verify(self, flags: dict[str, Any]) -> dict[str, int]:
        from conflux.stores.opening import verify_file, verify_url

        config = self._config(flags)
        url = config.settings.postgres_url
        return verify_file(config.data_dir) if url is None else asyncio.run(verify_url(url)).counts()


def _appears(there: Callable[[], bool]) -> bool:
    end = time.monotonic() + _STARTING_SECONDS
    while not there():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _run(work: Any) -> None:
    if sys.platform == "win32":
        asyncio.run(work)
        return
    import uvloop

    uvloop.run(work)


def _greet(running: "Running", admin_key: str | None) -> None:
    """What the owner sees first. Out of a checkout the command has another name, which ./run tells."""
    called = os.environ.get("CONFLUX_CALLED", "conflux")
    lines = [f"Conflux {__version__}", f"  address    {running.address}"]
    if admin_key is not None:
        lines.append(f"  admin key  {admin_key}")
        lines.append(f"             shown once; `{called} keys create --admin` makes another")
    if running.snapshot.simulated:
        lines.append("  simulated  no provider is configured: every answer is made up, labelled so, and costs nothing")
    lines.append(f"  try        curl {running.address}/v1/models")
    print("\n".join(lines), flush=True)


def main() -> None:
    program = Program()
    word = sys.argv[1] if len(sys.argv) > 1 else None
    app = build(program, word)
    if word != SERVE:
        add_catalogue(app, program)
    try:
        app(standalone_mode=True, prog_name="conflux")  # however it was started
    except NoSuch as error:
        fail(error)
        sys.exit(1)
    except (ConfigError, StoreError) as error:
        fail(error)
        sys.exit(2)
    except PermissionError as error:
        fail(ConfigError([f"{error.filename}: {error.strerror}: run as its owner, or choose another with --data"]))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
