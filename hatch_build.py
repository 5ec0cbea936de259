"""Compiled modules: what `make compiled` makes beside the sources, and a wheel that is built with this hook takes along.

`tool.hatch.build.targets.wheel.hooks.custom` in pyproject.toml says which modules they are; `skep/compiled.py` says when they are run.

    python hatch_build.py [--if-possible]
    HATCH_BUILD_HOOKS_ENABLE=1 pip wheel --no-deps .
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from skep.compiled import BUILT, MADE_OF, digest  # noqa: E402 - those of this folder, whatever is installed

OPTIMISATION = "2"


class CustomBuildHook(BuildHookInterface[Any]):
    """Puts the compiled modules into a wheel, which is then one of this Python and platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        why = _why_not()
        if why:
            raise OSError(
                f"expected a C compiler for a wheel with compiled modules: {why}; without HATCH_BUILD_HOOKS_ENABLE it holds the sources"
            )
        make(self.config["modules"])
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["force_include"][BUILT] = "skep/built"


def make(modules: Sequence[str]) -> bool:
    """Compile the modules into `skep/built`; returns whether that was to do."""
    from mypy.version import __version__ as mypy  # noqa: PLC0415 - a wheel without compiled modules is built without mypy

    made_of = f"{digest()}\n{sys.version}\nmypy {mypy} -O{OPTIMISATION}\n{' '.join(modules)}\n"
    built = Path(BUILT)
    if (built / MADE_OF).exists() and (built / MADE_OF).read_text() == made_of:
        return False
    with tempfile.TemporaryDirectory(prefix="skep-compiled-") as folder:
        made = _compile(modules, Path(folder))
        if not made_of.startswith(digest()):
            raise OSError("sources have changed while they were compiled: try again")
        fresh = built.with_name(f"{built.name}-{os.getpid()}")
        fresh.mkdir()
        for library in made.rglob(f"*{sysconfig.get_config_var('EXT_SUFFIX')}"):
            shutil.copy(library, fresh / str(library.relative_to(made)).replace(os.sep, "."))
    # Last, so that a folder that is not whole is of no sources.
    (fresh / MADE_OF).write_text(made_of)
    gone = built.with_name(f"{built.name}-{os.getpid()}-before")
    if built.exists():
        built.rename(gone)
    fresh.rename(built)
    shutil.rmtree(gone, ignore_errors=True)
    return True


def _compile(modules: Sequence[str], folder: Path) -> Path:
    """Where the libraries of the modules lie, below a folder."""
    from mypyc.build import mypycify  # noqa: PLC0415 - as above
    from setuptools import Distribution  # noqa: PLC0415 - as above
    from setuptools.command.build_ext import build_ext  # noqa: PLC0415 - as above

    os.chdir(ROOT)
    files = [f"{module.replace('.', '/')}.py" for module in modules]
    # Of what it says only errors are of interest; its warnings are of what it does another way.
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            extensions = mypycify(
                files, opt_level=OPTIMISATION, debug_level="0", group_name="skep", multi_file=True, target_dir=str(folder / "c")
            )
    except SystemExit:
        print(said.getvalue(), file=sys.stderr)  # noqa: T201
        raise

    class OnAllCores(build_ext):
        def build_extensions(self) -> None:
            one = self.compiler.compile

            def many(sources: list[str], **how: Any) -> list[str]:
                with ThreadPoolExecutor(os.cpu_count()) as cores:
                    return [made for each in cores.map(lambda source: one([source], **how), sources) for made in each]

            self.compiler.compile = many
            super().build_extensions()

    command = OnAllCores(Distribution({"name": "skep", "ext_modules": extensions}))
    command.build_lib, command.build_temp = str(folder / "made"), str(folder / "objects")
    command.ensure_finalized()
    command.run()
    return folder / "made"


def _why_not() -> str:
    """Why nothing can be compiled here; empty if something can."""
    with tempfile.TemporaryDirectory(prefix="skep-compiled-") as folder:
        source = Path(folder, "any.c")
        source.write_text("#include <Python.h>\n")
        compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
        words = [*compiler.split(), f"-I{sysconfig.get_path('include')}", "-fsyntax-only", str(source)]
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
        except OSError:
            return f"there is no C compiler ({words[0]})"
    return "Python's headers are not installed (Python.h)" if done.returncode else ""


def _interpreted(why: str, options: argparse.Namespace) -> None:
    """Say in a line that the sources run."""
    print(f"Skep runs interpreted, which costs only speed: {why}", file=sys.stderr)  # noqa: T201
    if not options.if_possible:
        sys.exit(1)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compile modules into skep/built.")
    parser.add_argument("--if-possible", action="store_true", help="without a C compiler say so, and be content")
    options = parser.parse_args()
    why = _why_not()
    if why:
        _interpreted(why, options)
        return
    with (ROOT / "pyproject.toml").open("rb") as file:
        hook = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]
    begun = time.monotonic()
    try:
        made = make(hook["modules"])
    # A type that mypyc refuses ends the process; a compiler may be killed, and a disk be full.
    except (Exception, SystemExit) as error:
        if not options.if_possible:
            raise
        _interpreted(f"compiling failed ({type(error).__name__}); `make compiled` says why", options)
        return
    if made:
        print(f"compiled {len(hook['modules'])} modules in {time.monotonic() - begun:.0f} s")  # noqa: T201


if __name__ == "__main__":
    main()
