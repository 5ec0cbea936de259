"""The processes that `skep run` starts, and whether a flow runs at all."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from skep.compiled import form
from skep.project.exits import Exit
from skep.project.log import logger
from skep.project.settings import Settings
from state.errors import StateError, StateLocked

_LOCK_ATTEMPTS = 10
STOP_SECONDS = 60
"""How long a child may take to drain before it is killed."""
RESTART_SECONDS = 5.0
FLOW = ("-P", "-m", "bytewax.run", "flows.cdp")
ACTIVATION = ("-P", "-m", "bytewax.run", "flows.activation")
"""``-P``: the project folder has a `contracts` of its own, which must not hide the code."""


def run_lock(settings: Settings) -> Path:
    """The file that a flow holds locked while it runs."""
    return settings.data / "run.lock"


def restoring(settings: Settings) -> Path:
    """The file that is there while state is exchanged for a checkpoint; it says which."""
    return settings.data / "restoring"


def take_lock(settings: Settings, *, unfinished: bool = False) -> IO[bytes]:
    """Be the one that writes the project's state until the handle is closed, and say in which form. Raises `StateLocked` if another is,
    and `StateError` of state that is half exchanged, unless it is wanted ``unfinished``."""
    path = run_lock(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.open("ab")
    # A command that looks whether a flow runs holds the lock for a moment.
    for _ in range(_LOCK_ATTEMPTS):
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not unfinished and restoring(settings).exists():
                handle.close()
                raise StateError(
                    f"{settings.data}: a restore was interrupted → run it again: skep state restore {restoring(settings).read_text()}"
                )
            handle.truncate(0)
            handle.write(form().encode())
            handle.flush()
            return handle
        time.sleep(0.05)
    raise StateLocked(f"{settings.data} is written by another flow (it holds {path}). Stop that one, or choose another `data:` folder.")


def flow_is_running(settings: Settings) -> bool:
    """Whether a flow holds the lock of this project's state now."""
    try:
        handle = os.open(run_lock(settings), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        # A shared lock: two commands that look at the same time do not take each other for a flow.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def form_of_flow(settings: Settings) -> str:
    """``compiled`` or ``interpreted``: how the flow runs, or would if it were started now."""
    # One that was started by an older version, which knew no other, says nothing.
    return run_lock(settings).read_text() or "interpreted" if flow_is_running(settings) else form()


_C = ctypes.CDLL(None)


def die_with_parent() -> None:
    """For a child before it begins: its parent takes it along also if killed with -9 (PR_SET_PDEATHSIG is 1). Only Linux knows that."""
    if sys.platform == "linux":
        _C.prctl(1, signal.SIGTERM)


@dataclass
class Child:
    """One supervised process; ``needed``: the others cannot go on without it."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    needed: bool = False
    process: subprocess.Popen[bytes] | None = None
    start_at: float = 0.0

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *self.arguments],
            env={**os.environ, **self.environment},
            # Ctrl-C reaches the supervisor alone, which stops its children in order.
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread runs yet
        )

    def poll(self) -> int | None:
        return self.process.poll() if self.process else None


@dataclass
class Supervisor:
    """Starts children, restarts those that may be missing for a while, and stops all of them on SIGTERM or SIGINT."""

    children: list[Child] = field(default_factory=list)
    stopping: bool = False

    def install_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def _stop(self, _number: int, _frame: Any) -> None:
        self.stopping = True

    def run(self, child: Child) -> int:
        """Run one child to its end; `Exit.ERROR` if it ended over an error, 0 also if it was stopped and drained."""
        self.children = [child]
        child.start()
        while child.poll() is None and not self.stopping:
            time.sleep(0.1)
        if self.stopping:
            return self._finish()
        return Exit.ERROR if child.poll() else Exit.DONE

    def keep(self, children: list[Child]) -> int:
        """Run children side by side until stopped, or until a needed one ends; then stop the others."""
        self.children = children
        for child in children:
            child.start()
        log = logger()
        while not self.stopping:
            time.sleep(0.1)
            for child in children:
                code = child.poll()
                if code is not None and child.needed:
                    if code:
                        log.error("stopping the others", because=f"{child.name} ended", code=code)
                    return self._finish(Exit.ERROR if code else Exit.DONE)
                if code is not None:
                    self._restart_later(child, code)
        return self._finish()

    def _restart_later(self, child: Child, code: int) -> None:
        if not child.start_at:
            logger().warning(f"{child.name} ended and will start again", code=code, seconds=RESTART_SECONDS)
            child.start_at = time.monotonic() + RESTART_SECONDS
        elif time.monotonic() >= child.start_at:
            child.start_at = 0.0
            child.start()

    def _finish(self, code: int = Exit.DONE) -> int:
        """Ask all children to drain, wait for them; ``code``, or `Exit.ERROR` if a needed child did not drain."""
        running = [child for child in self.children if child.process and child.poll() is None]
        for child in running:
            child.process.terminate()  # type: ignore[union-attr]
        end = time.monotonic() + STOP_SECONDS
        for child in running:
            try:
                ended = child.process.wait(max(0.1, end - time.monotonic()))  # type: ignore[union-attr]
            except subprocess.TimeoutExpired:
                logger().error(f"{child.name} did not stop and was killed", seconds=STOP_SECONDS)
                child.process.kill()  # type: ignore[union-attr]
                ended = Exit.ERROR
            if child.needed and ended > 0:
                code = Exit.ERROR
        return code
