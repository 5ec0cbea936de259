"""How tables fit a screen: what is left out, shortened, wrapped, and what becomes a record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from skep.cli.layout import Column, figure, ident, in_full, laid_out, moment, number, prose, wrapped

DAY = "2026-03-06T"


def test_what_says_nothing_is_left_out_and_what_is_the_same_is_said_once() -> None:
    columns = [Column("space"), Column("name"), number("records"), Column("state"), prose("reason")]
    rows = [["shop", name, "1", state, "–"] for name, state in (("a", "new"), ("b", "old"))]
    laid = laid_out(columns, rows, 80)
    assert (laid.above, laid.head) == ([], ["space  name  records  state"]), "two columns would be too few to be a table"
    laid = laid_out([*columns, Column("by")], [[*row, by] for row, by in zip(rows, "xy", strict=True)], 80)
    assert laid.above == ["every row: space shop, records 1"]
    assert [*laid.head, *laid.lines] == ["name  state  by", "a     new    x", "b     old    y"]


def test_one_row_keeps_what_it_has() -> None:
    assert laid_out([Column("space"), Column("name"), Column("by")], [["shop", "a", "x"]], 80).lines == ["shop   a     x"]


@pytest.mark.parametrize(
    ("times", "above", "shown"),
    [
        ([DAY + "10:00:00Z", DAY + "11:30:00Z"], ["times of 2026-03-06, UTC"], ["10:00", "11:30"]),
        ([DAY + "10:00:00Z", DAY + "11:30:01Z"], ["times of 2026-03-06, UTC"], ["10:00:00", "11:30:01"]),
        ([DAY + "10:00:00Z", "2026-04-01T10:00:00Z"], ["times of 2026, UTC"], ["03-06 10:00", "04-01 10:00"]),
        ([DAY + "10:00:00Z", "2025-04-01T10:00:07Z"], [], ["2026-03-06T10:00:00Z", "2025-04-01T10:00:07Z"]),
        ([DAY + "10:00:00Z", "soon"], [], [DAY + "10:00:00Z", "soon"]),
        ([DAY + "10:00:00Z", "–"], [], [DAY + "10:00:00Z", "–"]),
    ],
)
def test_times_to_what_differs(times: list[str], above: list[str], shown: list[str]) -> None:
    laid = laid_out([Column("name"), moment("at")], [[name, time] for name, time in zip("ab", times, strict=True)], 80)
    assert laid.above == above
    assert [line.split(maxsplit=1)[1] for line in laid.lines] == shown


def test_ids_to_a_prefix_that_differs_where_there_is_no_room() -> None:
    ids = ["p_0123456789ab0000", "p_0123456789ac0000", "p_9"]
    columns, rows = [ident("profile"), prose("who")], [[one, "somebody with a name of some length"] for one in ids]
    assert [line.split()[0] for line in laid_out(columns, rows, 80).lines] == ids
    assert [line.split()[0] for line in laid_out(columns, rows, 52).lines] == ["p_0123456789ab", "p_0123456789ac", "p_9"]


def test_only_texts_are_wrapped_and_numbers_stand_right() -> None:
    columns = [number("records"), prose("detail"), figure("share")]
    rows = [["7", "expected one of track, identify, page, found another", "100 %"], ["1,000", "short", "5 %"]]
    assert laid_out(columns, rows, 44).lines == [
        "      7  expected one of track,        100 %",
        "         identify, page, found",
        "         another",
        "  1,000  short                           5 %",
    ]


def test_records_where_nothing_else_fits() -> None:
    columns = [Column("event"), Column("reason"), prose("detail"), Column("by")]
    rows = [["order_completed_again", "unknown_event", "a text that is too long for the line that is left", "–"], ["b", "c", "", "jo"]]
    assert laid_out(columns, rows, 50).lines == [
        "event   order_completed_again",
        "reason  unknown_event",
        "detail  a text that is too long for the line that",
        "        is left",
        "",
        "event   b",
        "reason  c",
        "by      jo",
    ]


def test_in_full_nothing_is_left_out() -> None:
    laid = in_full([Column("space"), moment("at"), prose("why")], [["shop", DAY + "10:00:00Z", "–"], ["shop", DAY + "10:00:00Z", "–"]], 240)
    assert laid.above == []
    assert laid.lines == ["shop   2026-03-06T10:00:00Z  –"] * 2


TEXTS = st.text(st.sampled_from("ab 漢é/,:_x.-"), max_size=80)


@given(TEXTS, st.integers(4, 40))
def test_wrapping_loses_nothing_and_keeps_to_the_width(said: str, width: int) -> None:
    lines = wrapped(said, width)
    assert "".join("".join(lines).split()) == "".join(said.split())
    assert cell_len(said) <= width or all(cell_len(line) <= width for line in lines)


@given(st.lists(st.tuples(TEXTS, TEXTS, st.integers(0, 10**9)), min_size=1, max_size=6), st.integers(40, 130))
def test_no_line_of_a_table_is_wider_than_the_screen(rows: list[tuple[str, str, int]], width: int) -> None:
    laid = laid_out([Column("name"), prose("what"), number("much")], [[a, b, str(n)] for a, b, n in rows], width)
    assert [line for line in [*laid.head, *laid.lines] if cell_len(line) > width] == []


def test_seconds_go_before_an_id_is_broken() -> None:
    """A device's id of 36 characters, of which two would stand in a line of their own."""
    device = "406797b6-1281-47ea-a090-bc84f8ecae24"
    rows = [
        ["anonymous_id", device, "2026-10-10T21:41:03Z", "2026-11-28T16:19:47Z"],
        ["user_id", "42", DAY + "10:00:05Z", DAY + "10:00:06Z"],
    ]
    laid = laid_out([Column("identifier"), prose("value"), moment("first seen"), moment("last seen")], rows, 80)
    assert laid.lines[0] == f"anonymous_id  {device}  10-10 21:41  11-28 16:19"
