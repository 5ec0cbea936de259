"""CSV that is not quite CSV: every line is a row as it stands, or a refused record that says where it stands."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import SourceError
from connectors.sources import csv_text
from connectors.sources.csv_rows import CsvForm, CsvRows, Unreadable
from contracts.model.unreadable import KEY

HEAD = "id,at,name\n"
Patch = pytest.MonkeyPatch


def read(text: str | bytes, *, follow: bool = False, **form: Any) -> list[Any]:
    """Rows as lists, refused ones as ``(place, text)``."""
    content = text if isinstance(text, bytes) else text.encode()
    rows = CsvRows(Path("a.csv"), io.BytesIO(content), CsvForm.of({"csv": form}), follow=follow)
    found: list[Any] = []
    while block := rows.block():
        found += [_shown(row) for row in block]
    return found


def _shown(row: Any) -> Any:
    if not isinstance(row, Unreadable):
        return row
    said = orjson.loads(row.record)[KEY]
    assert said["file"] == "a.csv"
    return said["at"], said["text"]


FINE = [
    ("", []),
    ("\n \n\n", []),
    (HEAD, []),
    ("\n\n" + HEAD + "1,2,3\n", [["1", "2", "3"]]),
    (HEAD + "1,2,3", [["1", "2", "3"]]),
    (HEAD.replace("\n", "\r\n") + "1,2,3\r\n\r\n4,5,6\r\n", [["1", "2", "3"], ["4", "5", "6"]]),
    (HEAD.replace("\n", "\r") + "1,2,3\r4,5,6\r", [["1", "2", "3"], ["4", "5", "6"]]),
    (HEAD + '1,2,"say ""hi"", Bob"\n', [["1", "2", 'say "hi", Bob']]),
    (HEAD + '1,2,5" pipe\n', [["1", "2", '5" pipe']]),
    (HEAD + '1,2,"1 Main St, Apt 4\nSpringfield, IL"\n2,3,x\n', [["1", "2", "1 Main St, Apt 4\nSpringfield, IL"], ["2", "3", "x"]]),
    (HEAD + '1,2,a\n2,3,"Dear Bob,\r\n\r\nyours"\n', [["1", "2", "a"], ["2", "3", "Dear Bob,\r\n\r\nyours"]]),
    (
        'id,name,at\n1,x,2026\n2,"1 Main St, Apt 4\nSpringfield, IL",2026\n',
        [["1", "x", "2026"], ["2", "1 Main St, Apt 4\nSpringfield, IL", "2026"]],
    ),
]
BROKEN = [
    # A quote that is never closed, with and without a line break behind it.
    (HEAD + '1,2,a\n2,3,"Bob\n3,4,c\n4,5,d\n', [["1", "2", "a"], ("line 3", '2,3,"Bob'), ["3", "4", "c"], ["4", "5", "d"]]),
    (HEAD + '1,2,a\n2,3,"Bob', [["1", "2", "a"], ("line 3", '2,3,"Bob')]),
    # One that closes in a later row, by chance.
    (HEAD + '1,2,a\n2,3,"Bob\n3,4,c\n4,5,d"\n5,6,e\n',
     [["1", "2", "a"], ("line 3", '2,3,"Bob'), ["3", "4", "c"], ("line 5", '4,5,d"'), ["5", "6", "e"]]),
    (HEAD + '2,3,"Bob\n3,"4",c\n4,5,d\n', [("line 2", '2,3,"Bob'), ["3", "4", "c"], ["4", "5", "d"]]),
    # Text behind a closing quote.
    (HEAD + '1,2,"a"b\n2,3,c\n', [("line 2", '1,2,"a"b'), ["2", "3", "c"]]),
    (HEAD + '1,2,"a" \n2,3,c\n', [("line 2", '1,2,"a" '), ["2", "3", "c"]]),
    # Too many fields, too few.
    (HEAD + "1,2,3,4\n1,2\n5,6,7\n", [("line 2", "1,2,3,4"), ("line 3", "1,2"), ["5", "6", "7"]]),
    (HEAD + '1,2,"a\nb",x\n5,6,7\n', [("line 2", '1,2,"a'), ("line 3", 'b",x'), ["5", "6", "7"]]),
    # Bytes of another encoding.
    (HEAD.encode() + b"1,2,caf\xe9\n2,3,caf\xc3\xa9\n", [("line 2", "1,2,caf\\xe9"), ["2", "3", "café"]]),
    (HEAD.encode() + b'1,2,"caf\xe9\nx"\n', [("lines 2 to 3", '1,2,"caf\\xe9\nx"')]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "rows"), [*FINE, *BROKEN])
@pytest.mark.parametrize("block", [1, 7, 1 << 16])
def test_every_line_is_a_row_or_refused_by_its_place(
    text: str | bytes, rows: list[Any], block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much is read at once."""
    monkeypatch.setattr(csv_text, "BLOCK_BYTES", block)
    assert read(text) == rows


def test_what_a_header_cannot_be() -> None:
    with pytest.raises(SourceError, match=r"a\.csv: line 2: expected a line of column names, found a quote that is never closed"):
        read('\n"id,at\n1,2\n')
    with pytest.raises(SourceError, match="cp1252"):
        read(b"id,stra\xdfe\n")


@pytest.mark.parametrize(("encoding", "written"), [("utf-8", "utf-8-sig"), ("utf-8", "utf-16"),
                                               ("utf-8", "utf-32"), ("utf-16-le", "utf-16-le"),
                                               ("cp1252", "cp1252"), ("latin-1", "utf-8-sig"), ("utf-16", "utf-16-le")])  # fmt: skip
def test_encodings(encoding: str, written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte order mark says more than the mapping."""
    monkeypatch.setattr(csv_text, "BLOCK_BYTES", 5)
    assert read((HEAD + "1,2,Zoë\n").encode(written), encoding=encoding) == [["1", "2", "Zoë"]]


def test_forms() -> None:
    assert read("id;at\n1;2,5\n", delimiter=";") == [["1", "2,5"]]
    assert read("id\tat\n\t\n1\t'a\tb'\n", delimiter="\t", quote="'") == [["", ""], ["1", "a\tb"]]
    assert read('id,at\n1,"2\n', quote="") == [["1", '"2']]
    assert read("sep=;\r\nid;at\r\n1;2\r\n1;2;3\r\n") == [["1", "2"], ("line 4", "1;2;3")]
    assert read("sep=\t\n1\t2\n", header=["a", "b"]) == [["1", "2"]]
    assert read("sep=x\n1\n") == [["1"]]
    assert read("1,2\n3,4\n", header=False) == [["1", "2"], ["3", "4"]]
    assert read("1,2\n3,4,5\n", header=["a", "b"]) == [["1", "2"], ("line 2", "3,4,5")]


def test_followed_files_wait_for_what_may_come() -> None:
    """For the end of a line, and for that of a text of several lines; not for a quote that nothing closes."""
    assert read(HEAD + "1,2,3\n4,5,6", follow=True) == [["1", "2", "3"]]
    assert read(HEAD + '1,2,"Dear Bob,\n', follow=True) == []
    assert read(HEAD + '1,2,"Bob\n3,4,c\n', follow=True) == [("line 2", '1,2,"Bob'), ["3", "4", "c"]]


PIECES = st.sampled_from(["1", "22", "Ann", "", '"', '""', ",", "\n", "\r\n", "\r", " ", '"a,b"', '"a\nb"', "é", "\ud800"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=7), max_size=12), st.integers(1, 40))
def test_blocks_change_nothing_and_no_line_is_lost(rows: list[list[str]], block: int) -> None:
    """Rows and refused records together hold every line that is not blank, in order."""
    content = (HEAD + "\n".join(",".join(row) for row in rows)).encode("utf-8", "surrogatepass")
    with pytest.MonkeyPatch.context() as patch:
        whole = read(content)
        patch.setattr(csv_text, "BLOCK_BYTES", block)
        assert read(content) == whole
    lines = list(io.StringIO(content.decode("utf-8", "replace"), newline=""))[1:]
    letters = sum(line.count("A") for line in lines)
    found = sum((row[1] if isinstance(row, tuple) else "".join(row)).count("A") for row in whole)
    assert found == letters


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 99), st.text("ab\",;' é", max_size=6), st.text("ab\",\n é", max_size=9)), max_size=20),
       st.sampled_from(["\n", "\r\n"]))  # fmt: skip
def test_what_a_writer_writes_is_read(rows: list[tuple[int, str, str]], end: str) -> None:
    """All of it, except texts of several lines that look like rows by themselves."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end)
    writer.writerows([("id", "a", "b"), *rows])
    expected = [[str(number), a, b] for number, a, b in rows]
    found = read(out.getvalue())
    if not any("\n" in b and "," in b for _, _, b in rows):
        assert found == expected
    assert [row for row in found if isinstance(row, list) and row in expected] == [row for row in found if isinstance(row, list)]
