"""The processes that tests start: forked from a server that has imported everything already, or in full."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import count, cycle
from pathlib import Path
from typing import Any

from skep.compiled import VARIABLE
from tests.patience import PATIENCE_S

SERVERS = 2
"""They take turns: each orders sets differently, and no result may depend on that."""
OWN = ("SKEP_", "BYTEWAX_", "RUST_", "PYTEST_")
"""Beginnings of variables that nothing reads while it is imported."""
Process = subprocess.Popen[Any]
Completed = subprocess.CompletedProcess[str]


def plain_environment(**settings: str) -> dict[str, str]:
    """The environment of a process, without the settings of Skep that the caller's holds; it runs in the same form."""
    return {key: value for key, value in os.environ.items() if not key.startswith("SKEP_") or key == VARIABLE} | settings


def started(module: str, *words: str, env: Mapping[str, str], cwd: Path | str = "/", **how: Any) -> Process:
    """``python -P -m MODULE WORDS`` beside the test; ``how`` is for `subprocess.Popen`."""
    if sys.platform != "linux" or _read_by_imports(env) != _IMPORTED_WITH or _on_terminal(how):
        return subprocess.Popen([sys.executable, "-P", "-m", module, *words], cwd=cwd, env=env, **how)
    return _Forked([module, *words], cwd=cwd, env=env, **how)


def completed(
    module: str, *words: str, env: Mapping[str, str], cwd: Path | str = "/", timeout: float = PATIENCE_S, **how: Any
) -> Completed:
    """The same to its end, with what it said."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **how}
    with started(module, *words, env=env, cwd=cwd, **pipes) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def _read_by_imports(env: Mapping[str, str]) -> dict[str, str]:
    """What modules may read when they are imported, which the servers have done."""
    return {key: value for key, value in env.items() if not key.startswith(OWN)}


_IMPORTED_WITH = _read_by_imports(os.environ)


def _on_terminal(how: Mapping[str, Any]) -> bool:
    """The servers' modules know that they have none: whoever passes one wants to see what comes with it."""
    given = (how.get(name) for name in ("stdin", "stdout", "stderr"))
    return any(os.isatty(one if isinstance(one, int) else one.fileno()) for one in given if one is not None)


class _Forked(subprocess.Popen[Any]):
    """A process that a server has forked, with all that `subprocess.Popen` has."""

    def _execute_child(self, args, _executable, _preexec, _close_fds, _pass_fds, cwd, env, *rest) -> None:  # type: ignore[no-untyped-def]
        pipes = rest[3:9]
        files = [own if given == -1 else given for own, given in enumerate((pipes[0], pipes[3], pipes[5]))]
        job = {"module": args[0], "words": args[1:], "cwd": str(cwd), "env": dict(env)}
        self._keeper = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._keeper.connect(f"\0{server()}")
            socket.send_fds(self._keeper, [json.dumps(job).encode()], files)
            self.pid = int(self._keeper.recv(32))
            self._child_created = True
        finally:
            self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]

    def _wait(self, timeout: float | None) -> int:
        if self.returncode is None:
            self._keeper.settimeout(timeout)
            try:
                self.returncode = int(self._keeper.recv(32))
            except (BlockingIOError, TimeoutError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
            self._keeper.close()
        return self.returncode

    def _internal_poll(self, *_: Any, **__: Any) -> int | None:
        try:
            return self._wait(0)
        except subprocess.TimeoutExpired:
            return None


_names = count()
_own_server: list[str] = []


def serve_myself(name: str) -> None:
    """What a server's own processes start is forked by it."""
    _own_server.append(name)


def server() -> str:
    """The name of the one whose turn it is."""
    return next(_servers())


@cache
def _servers() -> Iterator[str]:
    return cycle(_own_server or [_start_server() for _ in range(SERVERS)])


def _start_server() -> str:
    name = f"skep-tests-{os.getpid()}-{next(_names)}"
    server = subprocess.Popen(
        [sys.executable, "-P", str(Path(__file__).with_name("fork_server.py")), name],
        env=plain_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    atexit.register(server.communicate)
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    return name
