"""An installed Skep and a project with folders that are called as Skep's packages are: neither breaks the other."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from skep.own_packages import is_ours
from skep.tools.starter import create

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with Skep's wheel in it; the libraries are this environment's."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)]
    subprocess.run(wheel, check=True, capture_output=True)
    venv.create(folder / "venv")
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    zipfile.ZipFile(next(folder.glob("*.whl"))).extractall(site)
    libraries = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "libraries.pth").write_text(f"{libraries}\n")
    return folder / "venv" / "bin" / "python"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with packages of its own."""
    folder = tmp_path_factory.mktemp("projects") / "shop"
    create(folder)
    (folder / "events" / "none.jsonl").touch()
    for name in ("flows", "contracts", "state", "operators", "connectors", "schemalogic"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "__init__.py").write_text(f"OF = 'the project, {name}'\n")
    (folder / "flows" / "mine.py").write_text("from contracts import OF\nprint(OF)\n")
    return folder


def run(python: Path, project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("SKEP_", "PYTHON"))}
    return subprocess.run([python, *words], cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_the_environment_has_the_wheel_and_not_this_folder(python: Path, project: Path) -> None:
    where = run(python, project.parent, "-c", "import skep; print(skep.__file__)").stdout
    assert where.startswith(str(python.parent.parent))


@pytest.mark.parametrize(
    "words",
    [
        ("-m", "skep.cli", "check"),
        ("-m", "bytewax.run", "flows.cdp"),
        ("-m", "skep.cli", "run", "--once"),
    ],
    ids=" ".join,
)
def test_skep_runs_in_a_project_with_such_folders(python: Path, project: Path, words: tuple[str, ...]) -> None:
    done = run(python, project, *words)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_the_project_finds_its_own_packages(python: Path, project: Path) -> None:
    assert run(python, project, "-m", "flows.mine").stdout == "the project, contracts\n"


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        (["python", "/venv/bin/skep", "run"], True),
        (["python", "-m", "skep.cli"], True),
        (["python", "-P", "-m", "bytewax.run", "flows.activation", "-w", "1"], True),
        (["python", "-m", "bytewax.run", "-w", "1", "flows.cdp"], True),
        (["python", "-m", "bytewax.run", "flows.mine"], False),
        (["python", "-m", "pytest", "flows.cdp"], False),
        (["python", "flows/cdp.py"], False),
        (["python"], False),
        ([], False),
    ],
)
def test_which_processes_are_skeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], ours: bool) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_ours(words, safe=False) is ours


def test_a_flow_of_the_same_name_is_the_projects_unless_skep_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "cdp.py").touch()
    words = ["python", "-m", "bytewax.run", "flows.cdp"]
    assert (is_ours(words, safe=False), is_ours(words, safe=True)) == (False, True)
