"""Compiled modules run in the place of their sources where they were made of exactly these sources.

`make compiled`, and a wheel that is built with them, leave libraries in `skep/built`, one a module, and beside them the digest of all
sources that those may know of. Where that is not the digest of what lies here, none of them is run: no edited file, and no other branch,
is ever answered by code that was made before. Another Python does not know them, since a library is called after its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

ROOT = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120 - pathlib would make every start of an interpreter slower
BUILT = f"{ROOT}/skep/built"
MADE_OF = "made_of"
"""The file there whose first line is the digest of the sources."""
SOURCES = ("contracts", "operators", "schemalogic", "state")
"""Packages that have compiled modules, or types that those know."""
VARIABLE = "SKEP_COMPILED"
"""0 where the sources are to run in any case."""


def digest() -> str:
    """The contents of all sources, by their places."""
    from hashlib import blake2b  # noqa: PLC0415 - most interpreters never ask

    made = blake2b(digest_size=16)
    folders, paths = [f"{ROOT}/{name}" for name in SOURCES], []
    for folder in folders:
        with os.scandir(folder) as found:
            for each in found:
                if each.name.endswith(".py"):
                    paths.append(each.path)
                elif "." not in each.name and each.name != "__pycache__" and each.is_dir():
                    folders.append(each.path)
    for path in sorted(paths):
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
            text = file.read()
        made.update(b"%b %d\n%b" % (os.fsencode(path.removeprefix(ROOT)), len(text), text))
    return made.hexdigest()


class Compiled:
    """Finds modules among those of `skep/built`. Whether any is run is decided once, when the first module of ours is asked for."""

    def __init__(self) -> None:
        self._libraries: dict[str, str] | None = None

    def find_spec(self, name: str, path: Sequence[str] | None = None, _target: Any = None) -> Any:
        if path is not None:
            package = name.rpartition(".")[0]
            if package.partition(".")[0] not in SOURCES or list(path) != [f"{ROOT}/{package.replace('.', '/')}"]:
                return None
            if self._libraries is None:
                self._libraries = _libraries()
        # What they have in common is asked for by the first of them, under a name without a package.
        library = self._libraries.get(name) if self._libraries else None
        if library is None:
            return None
        from importlib.machinery import ExtensionFileLoader, ModuleSpec  # noqa: PLC0415 - as above

        spec = ModuleSpec(name, ExtensionFileLoader(name, library), origin=library)
        spec.has_location = True
        return spec


def _libraries() -> dict[str, str]:
    """By module the library that runs in its place. Whatever is wrong with what lies there, the sources run."""
    from importlib.machinery import EXTENSION_SUFFIXES  # noqa: PLC0415 - as above

    if os.environ.get(VARIABLE) == "0":
        return {}
    suffix = EXTENSION_SUFFIXES[0]
    try:
        with open(f"{BUILT}/{MADE_OF}", encoding="ascii") as file:  # noqa: PTH123 - as above
            made_of = file.readline().strip()
        if made_of != digest():
            return {}
        return {each.name.removesuffix(suffix): each.path for each in os.scandir(BUILT) if each.name.endswith(suffix)}
    except (OSError, ValueError):
        return {}


def form() -> str:
    """Which form of Skep this process runs: ``compiled`` or ``interpreted``."""
    from importlib.util import find_spec  # noqa: PLC0415 - as above

    met = find_spec("operators.people.take")
    return "compiled" if met is not None and (met.origin or "").startswith(BUILT) else "interpreted"


_FINDER = Compiled()


def first() -> None:
    """Let compiled modules come before sources from now on. An interpreter of an environment reads its `.pth` files twice."""
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
