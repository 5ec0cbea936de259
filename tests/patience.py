"""Waiting for what another process does. No test says how long that may take: the limit only ends what hangs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE_S = 120.0
PAUSE_S = 0.02


def until(found: Callable[[], T], wanted: Callable[[T], Any] = bool, *, told: Callable[[], object] = str, pause_s: float = PAUSE_S) -> T:
    """Ask until the answer is wanted, and give it back; ``told`` says more where it never is."""
    end = time.monotonic() + PATIENCE_S
    while not wanted(answer := found()):
        assert time.monotonic() < end, f"still {answer} after {PATIENCE_S:.0f} s {told()}"
        time.sleep(pause_s)
    return answer
