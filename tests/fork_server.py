"""Forks a process for each command of the tests, which then need not import Python's, our and other people's modules.

    python -P tests/fork_server.py NAME

What it forks is a process like any other, with an id, signals, files and a state of its own. It opens no state and runs no
thread that would be missing behind a fork, and it ends when its standard input does.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import threading
import warnings
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any, NoReturn

import typer.main

from skep.cli import main as cli
from skep.project import process
from tests import processes

ROOMS = ("schemalogic", "contracts", "state", "connectors", "operators", "skep", "flows")
LATE = ("bytewax.recovery", "pyarrow.compute", "pyarrow.parquet", "rich.status")
"""What commands import of libraries when they need it."""
REQUEST_BYTES = 1 << 20


def import_all() -> None:
    """Every module that a command may need."""
    for room in map(import_module, ROOMS):
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            import_module(module.name)
    for name in LATE:
        import_module(name)
    typer.main.get_command = cache(typer.main.get_command)
    typer.main.get_command(cli.app)
    # Collections would write to all pages, and each process would have to copy them.
    gc.collect()
    gc.freeze()


def serve(name: str) -> dict[str, Any]:
    """Returns in each process that shall run something, with what that is."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(f"\0{name}")
    listener.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    while True:
        readable, _, _ = select.select([sys.stdin, listener], [], [])
        if sys.stdin in readable:
            os._exit(0)
        starter, _ = listener.accept()
        if not _fork():
            listener.close()
            return _keep(starter)
        starter.close()


def _keep(starter: socket.socket) -> dict[str, Any]:
    """Forks the process itself, stays its parent, and tells the starter its id and its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, files, _, _ = socket.recv_fds(starter, REQUEST_BYTES, 3)
    child = _fork()
    if not child:
        starter.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        return dict(json.loads(request))
    for file in (0, 1, 2, *files):
        os.close(file)
    starter.send(str(child).encode())
    ended = os.pidfd_open(child)
    if starter in select.select([ended, starter], [], [])[0]:
        # The starter is gone. What `skep run` starts asks Linux for the same.
        signal.pidfd_send_signal(ended, signal.SIGTERM)
    _, status = os.waitpid(child, 0)
    try:
        starter.send(str(os.waitstatus_to_exitcode(status)).encode())
    finally:
        os._exit(0)


def _fork() -> int:
    with warnings.catch_warnings():
        # The one other thread is that in which Arrow's allocator tidies up; it is started again behind a fork.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _start(child: process.Child) -> None:
    """A process of `skep run` is forked here too: the one that asks may have a store open by now."""
    _, _, module, *words = child.arguments
    child.process = processes.started(module, *words, env={**os.environ, **child.environment})


def _opened(number: int, like: Any) -> Any:
    """One of the three streams, which is now another kind of file."""
    return open(number, like.mode, encoding=like.encoding, errors=like.errors, closefd=False, buffering=1 if number == 2 else -1)


def become(job: dict[str, Any]) -> NoReturn:
    """Run the module of a job as ``python -P -m`` would, to its end."""
    os.chdir(job["cwd"])
    os.environ.clear()
    os.environ.update(job["env"])
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        setattr(sys, name, _opened(number, getattr(sys, name)))
    sys.argv = ["skep", *job["words"]]
    code: Any = 0
    try:
        if job["module"] == "skep.cli":
            cli.main()
        else:
            runpy.run_module(job["module"], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    _leave(code)


def _leave(code: Any) -> NoReturn:
    """The end of a process without what costs it most: taking down, module by module, what the server has imported."""
    if isinstance(code, str):
        print(code, file=sys.stderr)
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    with suppress(BrokenPipeError):
        sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1 if isinstance(code, str) else code or 0)


if __name__ == "__main__":
    import_all()
    process.Child.start = _start  # type: ignore[method-assign]
    processes.serve_myself(sys.argv[1])
    become(serve(sys.argv[1]))
