"""Everything that can be wrong with what is stored.

StateError
├── NoState            nothing has run here yet
│   └── NoSnapshot     none has been published yet
├── StateLocked        another process writes this shard
├── FormatMismatch     the shard is of another format version
├── Gap                a batch does not begin right behind what was applied
├── DiskFull           the disk refused a write
├── NoVersion          the data of a lookup that is in force is lost or broken
└── BeforeClock        a question about a time that the state has already passed
"""

from __future__ import annotations

import os
from pathlib import Path


class StateError(Exception):
    """Base of all errors of stored state; the message is for people and says what to do."""


class NoState(StateError):
    """Nothing has run here yet."""


class NoSnapshot(NoState):
    """No snapshot has been published yet."""

    @classmethod
    def at(cls, target: Path) -> NoSnapshot:
        """The error of whoever looks for one there."""
        return cls(f"there is no snapshot at {target} yet: run `skep snapshot` to publish one (`skep run` does so again and again)")


class StateLocked(StateError):
    """Another process writes this shard."""


class FormatMismatch(StateError):
    """The shard was written by a version of Skep with another format."""


class Gap(StateError):
    """A batch does not begin right behind what was applied."""


class DiskFull(StateError):
    """The disk refused a write; nothing of the commit is there."""


class NoVersion(StateError):
    """A version of a lookup is not there, or is not what it was."""


class BeforeClock(StateError):
    """Asked for a time before the clock."""


def explained(path: Path, error: Exception, locked: str) -> StateError:
    """What RocksDB says of a store. ``locked``: what to do where another process has it."""
    text = str(error)
    if "lock" in text.lower():
        return StateLocked(f"{path} is written by another process. {locked}")
    if "No space left" in text:
        return DiskFull(f"the disk of {path} is full; nothing of this commit was written. Free some space and start the flow again.")
    if "Permission denied" in text:
        user = os.geteuid()
        return StateError(f"{path}: user {user} may not write there, which RocksDB needs also to read → chown -R {user} {path.parents[1]}")
    return StateError(f"{path} cannot be used: {text}")
