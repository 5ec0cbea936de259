"""Promise 2: ``kill -9`` at any moment changes nothing. Every test prints its seed when it fails; so does `perf.crash`."""

from __future__ import annotations

from pathlib import Path

from tests.crash.round import Round, play


def _good(found: Round, kills: int) -> None:
    assert not found.problems, f"seed {found.seed}, killed {found.kills}:\n" + "\n".join(found.problems)
    assert (found.lost, found.doubled) == (0, 0)
    assert len(found.kills) >= kills, f"seed {found.seed}: only {found.kills}"
    assert found.changes > 1000


def test_one_partition_gives_the_same_bytes(tmp_path: Path) -> None:
    """Dump, counts, archive, quarantine, change log and destination; killed while starting, committing, flushing."""
    _good(play(tmp_path, seed=11, kills=10, events=6_000), 8)


def test_with_bytewax_recovery(tmp_path: Path) -> None:
    """``-r DIR -s 1 -b 0``: what Bytewax resumes from is ignored, the stores know better."""
    _good(play(tmp_path, seed=12, kills=6, events=5_000, bytewax_recovery=True), 5)


def test_three_partitions_give_the_same_state(tmp_path: Path) -> None:
    """They interleave in another way after a restart, so the log may tell another story; it folds to the same state."""
    _good(play(tmp_path, seed=13, kills=8, events=5_000, partitions=3), 7)
