"""Mappings that change while a file is read: each row is read by that of its position, wherever batches and restarts cut."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from connectors.sources.memory import ALWAYS, Memory
from connectors.sources.reader import DISCOVER_US, Reader
from connectors.sources.source import SourceSpec
from contracts.model.definitions import Mapping

ROWS = b"a,b\n" + b"".join(b"%d,x%d\n" % (at, at) for at in range(1, 8))


def by(column: str) -> Mapping:
    return Mapping("rows", {"columns": {"userId": column}}, "sources/rows.yaml")


class Known(Memory):
    """From which position on which mapping holds; entries of control are applied when the test says so."""

    def __init__(self, *starts: tuple[int, Mapping | None]) -> None:
        self.starts = list(starts)
        self.done = 0

    def mapping(self, spec: SourceSpec, partition: str, position: int) -> tuple[Mapping | None, int]:
        later = [start for start, _ in self.starts if start > position]
        return [mapping for start, mapping in self.starts if start <= position][-1], min(later, default=ALWAYS)

    def applied(self, space: str) -> int:
        return self.done


def reader(path: Path, memory: Known, after: int = 0, *, size: int = 100, follow: bool = False, control: Path | None = None) -> Reader:
    spec = SourceSpec("web", "csv", path, memory.starts[0][1], "shop")
    controls = {"shop": control} if control else {}

    def position(_: str, partition: str) -> int:
        return 0 if partition == "control" else after

    # Every poll of a follower finds that time has passed.
    times = iter(range(0, 1000 * DISCOVER_US, DISCOVER_US))
    return Reader([spec], controls, position, batch_size=size, follow=follow, now_us=lambda: next(times), memory=memory)


def users(source: Reader, polls: int = 12) -> list[str]:
    """Whom the polls find."""
    batches = [batch for _ in range(polls) if not source.done for batch in source.poll() if batch.partition != "control"]
    return [orjson.loads(record)["userId"] for batch in batches for record in batch.records]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("after", [0, 2, 3, 5])
def test_a_row_is_read_by_the_mapping_of_its_position(tmp_path: Path, size: int, after: int) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(ROWS)
    memory = Known((1, by("a")), (4, by("b")), (6, by("a")))
    assert users(reader(path, memory, after, size=size)) == ["1", "2", "3", "x4", "x5", "6", "7"][after:]


def test_definitions_that_take_effect_change_the_next_row(tmp_path: Path) -> None:
    """Nothing is read behind their entry before it is applied."""
    path, control = tmp_path / "rows.csv", tmp_path / "control.jsonl"
    path.write_bytes(ROWS)
    memory = Known((1, by("a")))
    source = reader(path, memory, size=3, follow=True, control=control)
    assert users(source, 1) == ["1", "2", "3"]
    control.write_bytes(b'{"type":"definitions","digest":"d"}\n')
    assert users(source, 3) == []
    memory.starts.append((4, by("b")))
    memory.done = 1
    assert users(source, 3) == ["x4", "x5", "x6", "x7"]


def test_a_source_whose_mapping_is_not_in_force_is_read_when_it_is(tmp_path: Path) -> None:
    path, control = tmp_path / "rows.csv", tmp_path / "control.jsonl"
    path.write_bytes(ROWS)
    memory = Known((1, None))
    source = reader(path, memory, follow=True, control=control)
    [batch] = source.poll()
    assert batch.records == []
    assert b"`skep apply` puts contracts/sources/ in force" in batch.mark
    control.write_bytes(b'{"type":"definitions","digest":"d"}\n')
    source.poll()
    memory.starts[0] = (1, by("a"))
    memory.done = 1
    assert users(source, 3) == ["1", "2", "3", "4", "5", "6", "7"]
