"""Which definitions judge which record: *epochs*, each with the position of every partition from which it holds."""

from __future__ import annotations

from collections.abc import Iterator

CONTROL = "control"
"""The partition of control entries; there is one in every space."""

Epoch = tuple[str, dict[str, int]]
"""A digest of definitions and, by partition, the first position that they judge (all of it, if the partition is not named)."""


def append_epoch(epochs: list[Epoch], digest: str, holds_from: dict[str, int], control_position: int) -> None:
    """Adds what a control entry declares; reading the same entry again after a restart changes nothing.

    An epoch holds for the control entries after its own.
    """
    declared = {**holds_from, CONTROL: control_position + 1}
    for known, known_from in epochs:
        if known_from.get(CONTROL) == declared[CONTROL] or (known == digest and known_from == holds_from):
            return
    epochs.append((digest, declared))


def spans(epochs: list[Epoch], partition: str, first: int, last: int) -> Iterator[tuple[str, int, int]]:
    """``(digest, first, last)`` of the runs of positions that one epoch judges; a tick (``last < first``) is one run."""
    starts = [(holds_from.get(partition, 1), digest) for digest, holds_from in epochs]
    cuts = sorted({start for start, _ in starts if first < start <= last})
    for begin, end in zip([first, *cuts], [*(cut - 1 for cut in cuts), last], strict=True):
        holding = [digest for start, digest in starts if start <= begin]
        # A tick may come before the first position that any epoch names; the oldest then stands for it.
        yield (holding[-1] if holding else starts[0][1]), begin, end
