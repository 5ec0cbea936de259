"""CPU and wall time by stage, and what the process has used. Stages may lie in each other: an inner one's time is not the outer's."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any


class Meter:
    """Sums thread CPU of wrapped callables by stage."""

    def __init__(self) -> None:
        self.cpu_ns: dict[str, int] = {}
        self._inner: list[int] = [0]

    def wrap(self, stage: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The callable, with its CPU counted for a stage."""
        inner, spent = self._inner, self.cpu_ns
        spent.setdefault(stage, 0)
        now = time.thread_time_ns

        @wraps(call)
        def counted(*args: Any, **kwargs: Any) -> Any:
            inner.append(0)
            began = now()
            try:
                return call(*args, **kwargs)
            finally:
                took = now() - began
                spent[stage] += took - inner.pop()
                inner[-1] += took

        return counted

    def method(self, stage: str, owner: Any, name: str) -> None:
        """Count a method of a class (or an object) for a stage, if it has such a method."""
        found = getattr(owner, name, None)
        if found is not None:
            setattr(owner, name, self.wrap(stage, found))


def cpu_seconds() -> float:
    """User and system time of the whole process, RocksDB's background threads included."""
    return time.process_time()


def rss_mb(process: int | None = None) -> float:
    """Resident memory now, of this process or of another one."""
    pages = int(Path(f"/proc/{process or 'self'}/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def peak_rss_mb() -> float:
    """The most resident memory so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, 1)


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
