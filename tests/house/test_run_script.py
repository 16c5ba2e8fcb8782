"""./run itself: its help, its refusals, and the making of the environment, without network.

A scene is a copy of `run` in a folder with a space, a Python that only pretends to install (everything it is asked to
run with -c is done by the real one), and a PATH that holds nothing but the plain tools.
"""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT

RUN = ROOT / "run"
SH = shutil.which("sh") or "/bin/sh"
TOOLS = ("sh", "cat", "cksum", "cp", "date", "dirname", "grep", "id", "mkdir", "readlink", "rm", "sed")

# Stands for the base Python, for the environment's and for uv; writes down what it was asked.
PRETENDER = r"""#!/bin/sh
case "$1" in
    -c)
        case "$2" in *ensurepip*) echo "$0"; exit 0 ;; *"import sys, pip"*) exit 0 ;; esac
        exec "$REAL_PYTHON" "$@" ;;
    -P) printf '%s|' "$PWD" "$PYTHONPATH" "$@"; echo "${PYTHONHOME:-}"; echo $$ >"$SCENE/pid"; exit 0 ;;
esac
echo "${0##*/} $*" >>"$SCENE/asked"
case "$*" in
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    *" pip config "*) ;;
    *" pip "*)
        [ ! -e "$SCENE/gate" ] || read -r _ <"$SCENE/gate"
        [ ! -e "$SCENE/no-pip" ] || { echo "pip is cross"; exit 1; }
        cp "$0" "${0%/*}/uv" ;;
    "pip sync "*) [ ! -e "$SCENE/no-uv" ] || { echo "uv is cross"; exit 1; } ;;
esac
"""
APT_GET = '#!/bin/sh\necho "apt-get $*" >>"$SCENE/asked"\nexit 1\n'


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "the project"
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.project / "requirements").mkdir(parents=True)
        shutil.copy(RUN, self.project / "run")
        for name in ("uv", "run", "dev", "bench"):
            (self.project / "requirements" / f"{name}.txt").write_text(f"{name}==1\n")
        for tool in TOOLS:
            # No link: a test that replaces the tool would write to the machine's own.
            self.program(tool, f'#!{SH}\nexec "{shutil.which(tool)}" "$@"\n')
        self.program("python3.12", PRETENDER)

    def program(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "PATH": str(self.bin),
            "SCENE": str(self.folder),
            "REAL_PYTHON": sys.executable,
            "HOME": str(self.folder),
            **more,
        }

    def command(self, *arguments: str) -> list[str]:
        return [SH, str(self.project / "run"), *arguments]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """In a process group of its own."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def asked(self) -> list[str]:
        file = self.folder / "asked"
        return file.read_text().split("\n")[:-1] if file.exists() else []

    def forget(self) -> None:
        (self.folder / "asked").unlink(missing_ok=True)

    def touch(self, name: str) -> None:
        (self.folder / name).write_text("")

    @property
    def venv(self) -> Path:
        return self.project / ".venv"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def run(*arguments: str, cwd: Path, script: Path = RUN) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SH, str(script), *arguments], cwd=cwd, capture_output=True, text=True, timeout=60)


def test_help_names_every_task_and_nothing_else(tmp_path: Path) -> None:
    told = run("help", cwd=tmp_path)
    tasks = re.findall(r"^task_([a-z]+)\(\)", RUN.read_text(), re.MULTILINE)
    described = re.findall(r"^ {2}\./run ([a-z]+) .*\w", told.stdout.split("Examples:")[0], re.MULTILINE)
    assert {"setup", "serve", "conflux", "test", "check", "bench", "lock", "help"} <= set(tasks)
    assert described == tasks
    assert told.returncode == 0
    assert told.stderr == ""
    examples = re.findall(r"^ {2}\./run ([a-z]+)", told.stdout.split("Examples:")[1], re.MULTILINE)
    assert len(examples) >= 2
    assert set(examples) <= set(tasks)
    assert run(cwd=tmp_path).stdout == run("--help", cwd=tmp_path).stdout == told.stdout


@pytest.mark.parametrize("name", ["foo", "../run", "a b", "help;ls", "--serve", "say", "TEST"])
def test_an_unknown_task_is_one_line_and_exit_2(name: str, tmp_path: Path) -> None:
    told = run(name, cwd=tmp_path)
    assert told.returncode == 2
    assert told.stdout == ""
    assert told.stderr == f"conflux: there is no task '{name}'; ./run help lists them\n"


def test_it_is_found_through_links_and_spaces(scene: Scene, tmp_path: Path) -> None:
    link = tmp_path / "a link"
    link.symlink_to("the project/run")
    second = tmp_path / "another"
    second.symlink_to(link)
    assert run("help", cwd=Path("/"), script=second).stdout == run("help", cwd=tmp_path).stdout
    bare = subprocess.run([SH, "run"], cwd=scene.project, capture_output=True, text=True, timeout=60)
    assert bare.stdout.startswith("Conflux")


def test_a_first_run_installs_and_the_second_starts_at_once(scene: Scene) -> None:
    first = scene.run("conflux", "keys", "a b", "*")
    assert first.returncode == 0, first.stderr
    # The command's own folder, our sources alone, arguments untouched; standard output is the command's.
    assert first.stdout == f"{scene.folder}|{scene.project}/src|-P|-m|conflux|keys|a b|*|\n"
    assert [line.split()[0] for line in first.stderr.splitlines()] == ["conflux:"] * 4
    steps = scene.asked()
    assert [step.split()[0] for step in steps if "pip config" not in step] == ["python3.12", "python", "uv"]
    assert all("--require-hashes" in step for step in steps[1:] if "pip config" not in step)
    assert steps[-1].endswith("requirements/run.txt")
    assert not (scene.venv / ".unfinished").exists()

    scene.forget()
    (scene.bin / "python3.12").unlink()
    second = scene.run("serve", PYTHONPATH="/elsewhere", PYTHONHOME="/elsewhere")
    assert (second.returncode, second.stderr, scene.asked()) == (0, "", [])
    assert second.stdout == f"{scene.folder}|{scene.project}/src|-P|-m|conflux|serve|\n"


def test_a_higher_level_serves_and_a_changed_lock_is_installed(scene: Scene) -> None:
    scene.run("setup", "dev")
    assert scene.asked()[-1].endswith("requirements/dev.txt")
    scene.forget()
    assert scene.run("serve").returncode == 0
    assert scene.asked() == []
    (scene.project / "requirements" / "dev.txt").write_text("dev==2\n")
    assert scene.run("serve").returncode == 0
    assert scene.asked()[-1].endswith("requirements/run.txt")
    assert not any("venv" in step.split()[:3] for step in scene.asked())
    scene.forget()
    scene.run("setup", "dev")
    assert scene.asked()[-1].endswith("requirements/dev.txt")


def test_the_gateway_takes_the_place_of_the_script(scene: Scene) -> None:
    scene.run("setup")
    with scene.start("serve") as serving:
        serving.communicate(timeout=60)
    assert int((scene.folder / "pid").read_text()) == serving.pid  # So that a signal to it reaches the server.


def test_a_wrong_level_is_refused(scene: Scene) -> None:
    told = scene.run("setup", "all")
    assert (told.returncode, scene.asked()) == (2, [])
    assert told.stderr == "conflux: there is no level 'all'; it is run, dev or bench\n"


def test_pip_alone_where_the_installer_fails(scene: Scene) -> None:
    scene.touch("no-uv")
    told = scene.run("setup")
    assert told.returncode == 0
    assert "pip alone" in told.stderr
    assert "cross" not in told.stderr + told.stdout
    assert scene.asked()[-1].startswith("python -m pip ")
    scene.forget()
    assert scene.run("setup").stderr == ""
    assert scene.asked() == []


def test_a_failure_shows_why_and_the_next_run_mends_it(scene: Scene) -> None:
    scene.touch("no-pip")
    told = scene.run("serve")
    assert (told.returncode, told.stdout) == (1, "")
    assert "pip is cross\n" in told.stderr
    assert told.stderr.splitlines()[-1].startswith("conflux: the packages could not be installed")
    leftover = scene.venv / "leftover"
    leftover.write_text("")
    (scene.folder / "no-pip").unlink()
    assert scene.run("serve").returncode == 0
    assert not leftover.exists()

    # The same when an environment that was good is brought up to date.
    scene.touch("no-pip")
    lock = scene.project / "requirements" / "run.txt"
    before = lock.read_text()
    lock.write_text("run==2\n")
    assert scene.run("serve").returncode == 1
    leftover.write_text("")
    lock.write_text(before)
    (scene.folder / "no-pip").unlink()
    assert scene.run("serve").returncode == 0
    assert not leftover.exists()


def test_what_was_cut_off_is_made_again(scene: Scene) -> None:
    scene.run("setup")
    (scene.venv / ".unfinished").write_text("")
    scene.forget()
    assert scene.run("setup").returncode == 0
    assert scene.asked()[0].startswith("python3.12 -m venv")
    scene.forget()
    (scene.venv / "bin" / "python").unlink()
    assert scene.run("setup").returncode == 0
    assert scene.asked()[0].startswith("python3.12 -m venv")


def test_no_python_is_one_line(scene: Scene) -> None:
    (scene.bin / "python3.12").unlink()
    scene.program("python3", "#!/bin/sh\nexit 1\n")
    told = scene.run("setup")
    assert told.returncode == 1
    assert re.fullmatch(r"conflux: Python 3\.11 or later was not found: install it .*\n", told.stderr)
    told = scene.run("setup", CONFLUX_PYTHON="python3")
    assert told.stderr == "conflux: CONFLUX_PYTHON=python3 is not a Python 3.11 or later\n"


def test_a_python_without_venv_is_passed_over_or_named(scene: Scene) -> None:
    lacking = PRETENDER.replace('*ensurepip*) echo "$0"; exit 0', '*ensurepip*) echo "$0"; exit 1')
    scene.program("python3.13", lacking)
    assert scene.run("setup").returncode == 0
    assert scene.asked()[0].startswith("python3.12 -m venv")

    scene.forget()
    shutil.rmtree(scene.venv)
    scene.program("python3.12", lacking)
    scene.program("apt-get", APT_GET)
    scene.program("id", "#!/bin/sh\necho 1000\n")
    told = scene.run("setup")
    assert (told.returncode, scene.asked()) == (1, [])
    assert re.fullmatch(r"conflux: .* install the package python3\.\d+-venv .*\n", told.stderr)

    scene.program("id", "#!/bin/sh\necho 0\n")
    told = scene.run("setup")
    assert told.returncode == 1
    assert scene.asked()[0].startswith("apt-get install -y python3.")


def test_a_folder_of_someone_else_is_one_line(scene: Scene) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    scene.project.chmod(0o555)
    try:
        told = scene.run("setup")
    finally:
        scene.project.chmod(0o755)
    assert told.returncode == 1
    assert told.stderr == f"conflux: {scene.project} cannot be written: run ./run setup as its owner first\n"


def first_line(process: subprocess.Popen[str], words: str) -> None:
    """Waits for a line with these words; fails when the process ends without."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"it ended without saying {words!r}")


def test_two_at_once_install_once(scene: Scene) -> None:
    os.mkfifo(scene.folder / "gate")
    gate = os.open(scene.folder / "gate", os.O_RDWR)
    with scene.start("setup") as first:
        try:
            first_line(first, "[2/3]")
            with scene.start("setup") as second:
                first_line(second, "waiting for another set-up")
                os.write(gate, b"go on\n")
                assert second.communicate(timeout=60)[1] == ""
        finally:
            os.write(gate, b"go on\n")
        first.communicate(timeout=60)
    os.close(gate)
    assert (first.returncode, second.returncode) == (0, 0)
    assert sum("venv" in step.split()[:3] for step in scene.asked()) == 1


def test_a_killed_set_up_leaves_no_lock(scene: Scene) -> None:
    os.mkfifo(scene.folder / "gate")
    gate = os.open(scene.folder / "gate", os.O_RDWR)
    with scene.start("setup") as first:
        first_line(first, "[2/3]")
        os.killpg(first.pid, signal.SIGKILL)
    (scene.folder / "gate").unlink()
    os.close(gate)
    scene.forget()
    told = scene.run("setup")
    assert (told.returncode, "waiting" in told.stderr) == (0, False)
    assert scene.asked()[0].startswith("python3.12 -m venv")
