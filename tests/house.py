"""The product's files as a graph of imports, and what stands in them: what `tests/test_walls.py` asks about."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("flows", "skep", "operators", "connectors", "state", "contracts", "schemalogic")


@dataclass(frozen=True)
class File:
    """One file of the product: its module, and its syntax tree."""

    path: str
    module: str
    lines: int
    tree: ast.Module

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    def nodes(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))

    def imports(self) -> Iterator[str]:
        """Everything that is imported, as ``module`` or ``module.name``."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.path}:{node.lineno}: relative import"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def files() -> dict[str, File]:
    """By module, in order."""
    found = {}
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        text, name = path.read_text(), str(path.relative_to(ROOT))
        module = name.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        found[module] = File(name, module, len(text.splitlines()), ast.parse(text))
    return found


@cache
def imported() -> dict[str, frozenset[str]]:
    """Module → those of ours that it imports."""
    known = files()
    return {
        module: frozenset(
            target
            for name in file.imports()
            if (target := name if name in known else name.rpartition(".")[0]) in known and target != module
        )
        for module, file in known.items()
    }


def folders() -> dict[str, set[str]]:
    """Folder → folders that it imports from; what lies in one another counts as one."""
    known, found = files(), {file.folder: set[str]() for file in files().values()}
    for module, targets in imported().items():
        here = known[module].folder
        for there in {known[target].folder for target in targets}:
            if not f"{here}/".startswith(f"{there}/") and not f"{there}/".startswith(f"{here}/"):
                found[here].add(there)
    return found


def circle(graph: Mapping[str, set[str] | frozenset[str]]) -> list[str]:
    """One way that leads round, its first node again at the end; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []
