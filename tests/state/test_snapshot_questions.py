"""What each view and macro answers: ``tests/golden/snapshot/NAME.txt`` has queries and their rows; REWRITE=1 rewrites these."""

from __future__ import annotations

import os
import re
from pathlib import Path

import duckdb
import pytest

from state.snapshot.defined import Defined
from state.snapshot.publish import publish, sql
from state.snapshot.questions import macros, views
from state.snapshot.tables.segments import SegmentRow
from tests.state.test_snapshot import FakeRows, archived, change, write_archive

GOLDEN = Path(__file__).parents[1] / "golden" / "snapshot"
WEEK = [
    ("anna", 5, 9, 0, "product_viewed", {"device": "ios"}, "email"), ("anna", 5, 9, 10, "product_added", {"device": "ios"}, None),
    ("anna", 7, 9, 0, "order_completed", {"device": "web", "revenue": 40}, "cpc"),
    ("ben", 5, 10, 0, "product_viewed", {"device": "web"}, "cpc"), ("ben", 5, 10, 20, "product_viewed", {"device": "web"}, None),
    ("ben", 5, 10, 25, "product_added", {}, None), ("cleo", 6, 12, 0, "product_viewed", {}, "direct"),
    ("cleo", 13, 12, 0, "order_completed", {"revenue": 60}, None), ("cleo", 20, 12, 0, "order_completed", {"revenue": 20}, None),
    ("dora", 6, 8, 0, "product_added", {}, None),
]  # fmt: skip
"""Who did what in January 2026: day, hour, minute, event, properties, channel."""
SAID = [("anna", 8, {"plan": "free", "city": "Bonn"}), ("anna", 12, {"plan": "pro", "city": None}), ("ben", 9, {"plan": "free"})]
"""What identify calls wrote, and on which day of January."""
DAY_S = 86_400
JANUARY_S = 1_767_225_600


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop of four people, with two segments of which one was left, on the 31st of January."""
    folder = tmp_path_factory.mktemp("questions")
    events = [
        archived(
            at,
            f"m{at:02}",
            {"properties": properties, "context": {"campaign": {"medium": channel, "name": f"{channel}_1"} if channel else {}}},
            at=JANUARY_S + (day - 1) * DAY_S + hour * 3600 + minute * 60,
            event=event,
        )
        for at, (_, day, hour, minute, event, properties, channel) in enumerate(WEEK)
    ]
    events += [
        archived(50 + at, f"t{at}", {"traits": traits}, at=JANUARY_S + (day - 1) * DAY_S, event=None, type="identify")
        for at, (_, day, traits) in enumerate(SAID)
    ]
    told = [
        change(1, "segment.entered", "vips", "2026-01-05T00:00:00.000000Z", profile="anna"),
        change(2, "segment.entered", "news", "2026-01-05T00:00:00.000000Z", profile="ben"),
        change(3, "segment.entered", "vips", "2026-01-06T00:00:00.000000Z", profile="cleo"),
        change(4, "segment.exited", "vips", "2026-01-06T12:00:00.000000Z", "timer", profile="anna"),
        change(5, "segment.entered", "news", "2026-01-08T00:00:00.000000Z", "link", profile="cleo"),
    ]
    rows = FakeRows(
        clock_us=(JANUARY_S + 30 * DAY_S) * 1_000_000,
        rows={
            "attributions": [
                *((f"m{at:02}", who, 1.0) for at, (who, *_) in enumerate(WEEK)),
                *((f"t{at}", who, 1.0) for at, (who, *_) in enumerate(SAID)),
            ],
            "consents": [("anna", "marketing", False, 0), ("ben", "ads", True, 0)],
            "profiles": [(who, None, None, {"name": who}, 1.0) for who in ("anna", "ben", "cleo", "dora")],
            "quarantine": [
                (f"q-{at}", reason, "as it is", None, None, "web", at, None, b"{}")
                for at, reason in enumerate(("invalid", "envelope", "invalid"), 90)
            ],
            "changes": told,
        },
    )
    report = publish(
        folder / "skep.duckdb",
        archives={"shop": write_archive(folder / "shop", *events)},
        rows={"shop": rows},
        personal=None,
        defined=Defined(
            segments=[SegmentRow(name, 3, None, None, None) for name in ("vips", "news", "empty")],
            purposes={"marketing": True, "ads": False},
        ),
    )
    return report.target


def answer(target: Path, query: str) -> str:
    """The names of the columns and the rows, a line each; or what is wrong."""
    try:
        names, rows = sql(target, query)
    except duckdb.Error as error:
        return f"{str(error).splitlines()[0]}\n"
    return "".join(" | ".join(map(str, row)) + "\n" for row in (names, *rows))


def test_every_view_and_macro_has_a_golden_answer_and_every_macro_an_example_there() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.txt")) == sorted(one.name for one in (*views(), *macros()))
    assert {one.name: one.example for one in macros()} == {one.name: _queries(GOLDEN / f"{one.name}.txt")[0] for one in macros()}


def _queries(path: Path) -> list[str]:
    return re.findall(r"(.+)\n----\n", path.read_text())


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.txt")), ids=lambda path: path.stem)
def test_it_answers_as_before(target: Path, path: Path) -> None:
    found = "\n".join(f"{query}\n----\n{answer(target, query)}" for query in _queries(path))
    if os.environ.get("REWRITE"):
        path.write_text(found)
    else:
        assert found == path.read_text()
