"""Charts of `skep sql`: what suits an answer, exact values beside bars, and nothing that a terminal obeys."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

from skep.cli.sql import charts
from skep.cli.sql.plot import WIDEST, draw
from skep.cli.sql.session import Answer, Session
from skep.project.errors import CommandError

NASTY = "a' || chr(27) || '[2J' || chr(10) || '"
DAYS = "select date '2026-05-01' + i::int as day, i * 100 as orders, i as refunds from range(30) t(i) order by i desc"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    path = tmp_path_factory.mktemp("charts") / "snapshot"
    duckdb.connect(str(path)).close()
    with Session(path) as opened:
        yield opened


def drawn(answer: Answer, kind: str, capfd: pytest.CaptureFixture[str]) -> list[str]:
    draw(answer, kind, None)
    sys.stdout.flush()
    return capfd.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        (DAYS, "line"), ("select 1 as x, 2 as y", "line"), ("select 'a' as name, 2 as y", "bar"), ("select 2 as y, 'a' as name", "bar"),
        ("select now() as at, 1.5 as v", "line"), ("select 3 as n", "spark"), ("select true as yes, 1::hugeint as n", "bar"),
    ],
)  # fmt: skip
def test_what_suits_an_answer(session: Session, query: str, kind: str) -> None:
    assert charts.chart_of(session.ask(query), "auto").kind == kind


def test_bars_are_as_long_as_values_are_large(session: Session, capfd: pytest.CaptureFixture[str]) -> None:
    """In the order of the rows, with the values to the digit; what is negative is hollow, NULL is nothing."""
    query = "select * from (values ('b', 100.10::decimal(9, 2)), ('long name', 50.05), ('c', -50.05), ('none', null), ('nil', 0)) t(x, v)"
    lines = drawn(session.ask(query), "bar", capfd)
    assert [line.split()[0] for line in lines] == ["b", "long", "c", "none", "nil"]
    assert [line.split()[-1] for line in lines] == ["100.10", "50.05", "-50.05", "–", "0.00"]
    full = lines[0].count("█")
    assert lines[1].count("█") in {full // 2, full // 2 + 1}
    assert lines[2].count("░") == full // 2
    assert not set("█░▏") & set(lines[3] + lines[4])
    assert max(map(len, lines)) <= WIDEST


def test_several_series(session: Session, capfd: pytest.CaptureFixture[str]) -> None:
    assert [line.split("  ")[0].strip() for line in drawn(session.ask("select 'a' as x, 1 as m, 2 as n"), "bar", capfd)] == ["a m", "a n"]
    lines = drawn(session.ask(DAYS), "line", capfd)
    assert len(lines) == charts.HEIGHT
    assert all(name in "\n".join(lines) for name in ("orders", "refunds", "2026-05-01", "2026-05-30", "2,900"))
    assert [line.split()[0] for line in drawn(session.ask(DAYS), "spark", capfd)] == ["orders", "refunds"]


def test_lines_run_in_the_order_of_x(session: Session) -> None:
    chart = charts.chart_of(session.ask(DAYS), "line")
    assert chart.labels[0] == "2026-05-01"
    assert chart.series[0].values == [at * 100.0 for at in range(30)]


@pytest.mark.parametrize("kind", ["bar", "line", "spark"])
def test_what_cannot_be_drawn(session: Session, capfd: pytest.CaptureFixture[str], kind: str) -> None:
    """No values, values that are not finite, one value, control characters in names and labels."""
    for query in (
        "select 1 as x, null::int as v",
        "select 'x' as x, 'nan'::double as v, 'inf'::double as w",
        f"select '{NASTY}' as x, 1 as v",
        "select 'nan'::double as x, 1 as v union all select 1, 2",
        "select -1.7e308::double as x, 1.7e308::double as v union all select 1.7e308::double, -1.7e308::double",
        "select 1 as x, 170141183460469231731687303715884105727::hugeint as v",
    ):
        assert "\x1b" not in "\n".join(drawn(session.ask(query), kind, capfd))
    assert "\x1b" not in "\n".join(drawn(session.ask('select 1 as x, 2 as "\x1b[2J"'), kind, capfd))


def test_a_bar_without_a_place_in_time_is_drawn(session: Session) -> None:
    assert charts.chart_of(session.ask("select null::date as day, 3 as n"), "bar").labels == ["–"]


def test_more_than_can_be_drawn_is_told(session: Session, capfd: pytest.CaptureFixture[str]) -> None:
    draw(session.ask("select 'n' || range as x, range as v from range(100)"), "bar", None)
    sys.stdout.flush()
    said = capfd.readouterr()
    assert (len(said.out.splitlines()), "the first 40 rows are drawn" in said.err) == (charts.BARS, True)


def test_png_without_matplotlib_says_what_to_install(session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(CommandError, match=r"pip install 'skep\[plot\]'"):
        draw(session.ask(DAYS), "auto", tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed: it comes with skep[plot] only")
def test_png(session: Session, tmp_path: Path) -> None:
    for query in (DAYS, "select 'a$b$' as x, 1 as \"$m$\", null::int as n", "select 1 as n"):
        path = tmp_path / "a.png"
        draw(session.ask(query), "auto", path)
        assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(CommandError, match="--png: expected a file that can be written"):
        draw(session.ask(DAYS), "auto", Path("/nowhere/a.png"))
