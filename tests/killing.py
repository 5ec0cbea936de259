"""A step that is killed at one of its calls after another: what each leaves is a folder of its own, which a test looks at."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

from tests.house import ROOT
from tests.processes import plain_environment


def killed_at_each(step: Callable[..., object], calls: Sequence[str], made: Path, target: Path, *words: str, every: int = 1) -> list[Path]:
    """Copies of ``made`` below ``target``: in each, ``step`` was killed right before one of its ``calls`` (``module.function``), the
    first of them in the first copy and ``every`` calls later in each next one; in the last copy it came to its end.

    ``step`` is a function of a module, and called with the copy and ``words``.
    """
    of = f"{step.__module__}:{step.__qualname__}"
    # A process without threads, which may fork.
    command = [sys.executable, "-m", "tests.killing", of, ",".join(calls), str(made), str(target), str(every), *words]
    subprocess.run(command, cwd=ROOT, env=plain_environment(), check=True)
    return sorted(target.iterdir(), key=lambda folder: int(folder.name))


def _kill(of: str, calls: str, made: str, target: str, every: str, *words: str) -> None:
    module, _, name = of.partition(":")
    step = getattr(import_module(module), name)
    for number in count(1, int(every)):
        folder = shutil.copytree(made, Path(target) / str(number))
        child = os.fork()
        if not child:
            _count_down(number, calls.split(","))
            step(folder, *words)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code == 0:
            return
        assert code == -signal.SIGKILL, f"call {number}: ended with {code}"


def _count_down(number: int, calls: list[str]) -> None:
    """Let the process be killed when it comes to the call of this number, from 1."""
    left = iter(range(number - 1, -1, -1))

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def inner(*args: Any, **named: Any) -> Any:
            if not next(left):
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **named)

        return inner

    for path in calls:
        module, _, name = path.rpartition(".")
        owner = import_module(module)
        setattr(owner, name, counted(getattr(owner, name)))


if __name__ == "__main__":
    _kill(*sys.argv[1:])
