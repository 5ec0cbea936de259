"""The file destination and its cursor."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.destinations.destination import Cursor
from connectors.destinations.engine import OPENERS
from connectors.destinations.file import FileDestination
from contracts.model.destinations import BUILT_IN


@pytest.mark.parametrize("torn", [b"", b'{"half', b"x" * 200_000])
def test_changes_are_appended_and_a_torn_line_is_removed(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "out" / "changes.jsonl"
    first = FileDestination(path)
    first.deliver([(1, b"1"), (2, b"2")])
    first.close()
    with path.open("ab") as stream:
        stream.write(torn)
    again = FileDestination(path)
    again.deliver([(3, b"3")])
    again.close()
    assert path.read_bytes() == b"1\n2\n3\n"


def test_a_cursor_remembers(tmp_path: Path) -> None:
    cursor = Cursor(tmp_path / "cursors" / "file.json")
    assert cursor.load() == 0
    cursor.store(7)
    assert Cursor(tmp_path / "cursors" / "file.json").load() == 7
    (tmp_path / "cursors" / "file.json").write_text("?")
    with pytest.raises(ValueError, match="delete the file"):
        cursor.load()


def test_what_is_opened_is_a_kind_that_is_built_in() -> None:
    assert set(OPENERS) <= set(BUILT_IN)
