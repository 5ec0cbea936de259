"""Compiled modules run where they were made of exactly the sources that lie there, and nowhere else; no compiler is needed."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from skep import compiled
from skep.compiled import Compiled, form

ROOT = Path(__file__).resolve().parent.parent
HOOK = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]
MODULE = "operators.people.take"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with sources, and a library that was made of them."""
    for package in compiled.SOURCES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "operators" / "people").mkdir()
    (tmp_path / "operators" / "people" / "take.py").write_text("WHO = 1\n")
    built = tmp_path / "skep" / "built"
    built.mkdir(parents=True)
    (built / f"{MODULE}{EXTENSION_SUFFIXES[0]}").touch()
    monkeypatch.setattr(compiled, "ROOT", str(tmp_path))
    monkeypatch.setattr(compiled, "BUILT", str(built))
    (built / compiled.MADE_OF).write_text(f"{compiled.digest()}\n")
    monkeypatch.delenv(compiled.VARIABLE, raising=False)
    return tmp_path


def found(root: Path, name: str = MODULE) -> str | None:
    """The library that a process which starts now would run for a module; None for its source."""
    folder = str(root / name.rpartition(".")[0].replace(".", "/"))
    spec = Compiled().find_spec(name, [folder])
    return None if spec is None else spec.origin


def test_what_was_made_of_these_sources_runs(root: Path) -> None:
    assert found(root) == str(root / "skep" / "built" / f"{MODULE}{EXTENSION_SUFFIXES[0]}")
    assert found(root, "operators.people.fold") is None


def test_behind_an_edit_the_sources_run(root: Path) -> None:
    """Of any source, with the length and the times that it had; taken back, what was made of it runs again."""
    source = root / "operators" / "people" / "take.py"
    before = source.stat()
    source.write_text("WHO = 2\n")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert found(root) is None
    source.write_text("WHO = 1\n")
    assert found(root) is not None
    (root / "contracts" / "more.py").touch()
    assert found(root) is None
    (root / "contracts" / "more.py").rename(root / "state" / "more.py")
    assert found(root) is None
    (root / "state" / "more.py").unlink()
    assert found(root) is not None


def test_a_library_of_another_python_is_not_known(root: Path) -> None:
    (library,) = (root / "skep" / "built").glob("operators*")
    library.rename(library.with_name(f"{MODULE}.cpython-39-x86_64-linux-gnu.so"))
    assert found(root) is None


def test_the_sources_run_where_that_is_asked_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(compiled.VARIABLE, "0")
    assert found(root) is None


def test_a_project_may_call_its_modules_so_too(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("project")
    assert Compiled().find_spec(MODULE, [str(other / "operators" / "people")]) is None
    assert Compiled().find_spec("operators", None) is None


def test_a_folder_that_is_not_whole_is_of_no_sources(root: Path) -> None:
    (root / "skep" / "built" / compiled.MADE_OF).unlink()
    assert found(root) is None


@pytest.mark.parametrize("text", [b"\xff\n", b""])
def test_what_cannot_be_read_is_of_no_sources(root: Path, text: bytes) -> None:
    (root / "skep" / "built" / compiled.MADE_OF).write_bytes(text)
    assert found(root) is None


def test_what_is_replaced_meanwhile_is_of_no_sources(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the look at what they were made of, the libraries may be gone."""
    digest = compiled.digest

    def replaced() -> str:
        shutil.rmtree(root / "skep" / "built", ignore_errors=True)
        return digest()

    monkeypatch.setattr(compiled, "digest", replaced)
    assert found(root) is None


def test_what_is_compiled_can_be() -> None:
    """The modules are there, below packages whose sources count, and none holds a struct, of which msgspec reads the types of fields."""
    assert sorted(set(HOOK["modules"])) == HOOK["modules"]
    for module in HOOK["modules"]:
        assert module.split(".")[0] in compiled.SOURCES
        assert not [base for _, base in bases(ROOT / f"{module.replace('.', '/')}.py") if base == "msgspec.Struct"], module


def test_no_class_inherits_from_one_of_the_other_form() -> None:
    """Compiled modules take no interpreted class from ours, and none of theirs is inherited from outside of them."""
    wrong = []
    rooms = ("connectors", "contracts", "operators", "perf", "skep", "state", "tests")
    for file in [path for room in rooms for path in (ROOT / room).rglob("*.py")]:
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for name, base in bases(file):
            theirs = base.rpartition(".")[0]
            if theirs.split(".")[0] in compiled.SOURCES and (module in HOOK["modules"]) != (theirs in HOOK["modules"]):
                wrong.append(f"{module}.{name}({base})")
    assert wrong == []


def bases(file: Path) -> list[tuple[str, str]]:
    """The classes of a file, each with what it inherits from, by the full name."""
    tree = ast.parse(file.read_text())
    origins = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                first, dot, rest = ast.unparse(base).partition("[")[0].partition(".")
                found.append((node.name, f"{origins.get(first, first)}{dot}{rest}"))
    return found


@pytest.mark.parametrize(("words", "code"), [(["--if-possible"], 0), ([], 1)])
def test_without_a_compiler_one_line_says_so(words: list[str], code: int, tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "CC"} | {"PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, ROOT / "hatch_build.py", *words], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("Skep runs interpreted, which costs only speed: there is no C compiler (")
    assert done.stderr.count("\n") == 1


def test_where_compiling_fails_the_sources_run(tmp_path: Path) -> None:
    """`make run` goes on without it."""
    words = [sys.executable, "-c", "import sys, hatch_build as h; h.make = lambda modules: sys.exit(1); h.main()", "--if-possible"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("Skep runs interpreted, which costs only speed: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(form() == "interpreted", reason="wants compiled modules: `make compiled promises`")
def test_a_wheel_that_is_built_with_them_runs_them(tmp_path: Path) -> None:
    """And, when a source of it is edited, that source."""
    words = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(ROOT)]
    subprocess.run(words, check=True, capture_output=True, env={**os.environ, "HATCH_BUILD_HOOKS_ENABLE": "1"})
    (wheel,) = tmp_path.glob("*.whl")
    assert "none-any" not in wheel.name
    venv.create(tmp_path / "venv")
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    zipfile.ZipFile(wheel).extractall(site)
    libraries = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "libraries.pth").write_text(f"{libraries}\n")

    def says() -> str:
        python = [
            tmp_path / "venv" / "bin" / "python",
            "-c",
            "import skep.compiled as c, operators.people.take as t; print(c.form(), t.__file__)",
        ]
        return subprocess.run(python, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert says().startswith(f"compiled {site / 'skep' / 'built'}")
    with (site / "operators" / "judge.py").open("a") as source:
        source.write("\n")
    assert says() == f"interpreted {site / 'operators' / 'people' / 'take.py'}\n"
