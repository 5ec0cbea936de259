"""How a flow ends over what people can repair: in one plain line, before Bytewax and its Rust have words of their own."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import NoReturn, ParamSpec, TypeVar

from connectors.errors import SourceError
from contracts.text.problems import ContractErrors
from skep.project import log, terminal
from skep.project.errors import CommandError
from skep.project.exits import Exit
from skep.project.permissions import refused
from state.errors import StateError

P = ParamSpec("P")
R = TypeVar("R")
_CALLED = ("list_parts", "build_part", "build", "next_batch", "write_batch", "on_batch", "snapshot", "close")
"""What Bytewax calls of sources, sinks, logics and their parts, as far as it can fail."""
_BUILDERS = frozenset({"build_part", "build"})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_OUTSIDE = frozenset(
    {
        errno.ENOENT,
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EEXIST,
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.EMFILE,
        errno.EIO,
    }
)
"""What is wrong with a file or a folder as it is, for which no code of ours is to blame."""


def plain_ends() -> None:
    """From now on an error that people can repair ends this process in its own words, without a traceback."""
    terminal.guard()
    log.configure()
    sys.excepthook = _end


def stopped(error: Exception) -> SystemExit:
    """What ends a process over such an error, in its words; what is behind it goes to the log."""
    tell_behind(error)
    return SystemExit(str(error))


def tell_behind(error: BaseException) -> None:
    """Where an error arose, for those who ask for it with ``SKEP_LOG_LEVEL=debug``."""
    if log.is_detailed():
        log.logger().debug("what is behind the error", exc_info=error)


def plain(made: R) -> R:
    """A source, a sink, a logic or a part of one, as it is, but that such an error in it ends the process there.

    An exception that reaches Bytewax is a panic of a thread first, with pages about it. Any other error, which is a
    mistake of ours, still goes that way: the pages say where it arose.
    """
    for name in _CALLED:
        if hasattr(made, name):
            setattr(made, name, (built if name in _BUILDERS else ended)(getattr(made, name)))
    return made


def built(build: Callable[P, R]) -> Callable[P, R]:
    """What makes logics or parts, and makes them plain."""

    @wraps(build)
    def inner(*args: P.args, **named: P.kwargs) -> R:
        return plain(ended(build)(*args, **named))

    return inner


def ended(call: Callable[P, R]) -> Callable[P, R]:
    """The same call, over whose errors the process ends."""

    @wraps(call)
    def inner(*args: P.args, **named: P.kwargs) -> R:
        try:
            return call(*args, **named)
        except Exception as error:
            _end_plainly(error)
            raise

    return inner


def _end(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt):
        # Before the flow reads anything, and listens to signals.
        os._exit(Exit.DONE)
    _end_plainly(error)
    sys.__excepthook__(kind, error, traceback)


def _end_plainly(error: BaseException) -> None:
    """Ends the process if people can repair it."""
    cause: BaseException | None = error
    while cause is not None:
        words = words_of(cause)
        if words:
            tell_behind(error)
            _last_words(words)
        cause = cause.__cause__


def words_of(error: BaseException) -> str:
    """What people are told of an error that they can repair; nothing of another one."""
    if isinstance(error, CommandError | ContractErrors | StateError | SourceError):
        return str(error)
    if not isinstance(error, OSError):
        return ""
    if error.errno in _FULL:
        return f"the disk of {error.filename or 'the data folder'} is full; nothing is lost. Free some space and start the flow again."
    if error.errno in {errno.EACCES, errno.EPERM} and error.filename:
        return refused(Path(error.filename))
    if error.errno in _OUTSIDE and error.filename:
        return f"{error.filename}: expected a file or folder that can be used, found: {error.strerror} → repair it, or choose another"
    return ""


def _last_words(text: str) -> NoReturn:
    """Everything that counts is on disk. Taking the interpreter down in order would add pages about objects that still live."""
    try:
        log.last_words(text)
    finally:
        os._exit(Exit.ERROR)
