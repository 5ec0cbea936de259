"""Skep's packages come first in processes that are Skep's, whatever a project calls its own folders.

The wheel puts `skep.pth` beside the packages, so this runs when any interpreter of the environment starts: `python -m bytewax.run`
puts the current folder before everything else, and no other code of ours could run before it imports ``flows``. A process of
somebody else's finds its own `flows/`, `contracts/` or `state/` as ever.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from skep import compiled

PACKAGES = frozenset({"connectors", "contracts", "flows", "operators", "schemalogic", "state"})
FLOWS = ("flows.cdp", "flows.activation")
_ROOT = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120 - pathlib would make every start of an interpreter slower


class _Own:
    """Finds these packages beside this one."""

    @staticmethod
    def find_spec(name: str, _path: Sequence[str] | None = None, _target: Any = None) -> Any:
        if name not in PACKAGES:
            return None
        from importlib.machinery import PathFinder  # noqa: PLC0415 - most interpreters never ask

        return PathFinder.find_spec(name, [_ROOT])


def is_ours(words: Sequence[str], *, safe: bool) -> bool:
    """Whether a process that was started with these words runs Skep.

    ``safe``: with ``-P``, as `skep run` starts its flows; without it, somebody's own `flows/cdp.py` is what they mean.
    """
    if len(words) > 1 and words[1].endswith(f"{os.sep}skep"):
        return True
    module = next((at for at, word in enumerate(words) if word == "-m"), len(words)) + 1
    if words[module : module + 1] == ["skep.cli"]:
        return True
    asked = next((word for word in words[module + 1 :] if word.partition(":")[0] in FLOWS), "")
    if words[module : module + 1] != ["bytewax.run"] or not asked:
        return False
    return safe or not os.path.exists(asked.partition(":")[0].replace(".", os.sep) + ".py")  # noqa: PTH110 - as above


def first() -> None:
    """Let the packages come first from now on, in a process of Skep's."""
    if is_ours(sys.orig_argv, safe=sys.flags.safe_path):
        sys.meta_path.insert(0, _Own)
    compiled.first()
