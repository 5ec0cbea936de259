"""`skep report`: every macro as a table with a drawing, as JSON, as a picture and as a page; what is wrong is said in words."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from math import erfc, sqrt
from pathlib import Path
from typing import Any

import pytest

from skep.cli.reports.drawings import DRAWINGS
from skep.cli.reports.shown import Shown, report
from skep.project.errors import CommandError
from skep.project.settings import Settings
from state.snapshot.questions import Macro, macros
from tests.skep.test_cli import skep
from tests.state.test_snapshot_questions import target  # noqa: F401 - the ten events of the documentation

pictured = pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed: it comes with skep[plot] only")
GIVEN = {
    "steps": "product_viewed,product_added,order_completed", "start_event": "product_viewed", "event_name": "order_completed",
    "conversion_event": "order_completed", "order_event": "order_completed", "amount": "revenue", "segment_name": "vips",
    "segment_names": "vips,news", "one": "vips", "other": "news", "space_name": "shop", "profile": "cleo", "trait_name": "plan",
    "moment": "2026-01-12",
}  # fmt: skip
BY_NAME = {one.name: one for one in macros()}


@pytest.fixture(scope="module")
def shop(target: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:  # noqa: F811
    folder = tmp_path_factory.mktemp("reports")
    (folder / "skep.yaml").write_text("spaces: [shop]\n")
    (folder / "data").mkdir()
    shutil.copy(target, folder / "data" / "skep.duckdb")
    return Settings.load(folder)


def given(macro: Macro, **more: str) -> dict[str, str]:
    return {**{one.name: GIVEN[one.name] for one in macro.parameters if not one.default}, **more}


def said(capfd: pytest.CaptureFixture[str], settings: Settings, name: str, wanted: Shown = Shown(), **more: str) -> str:  # noqa: B008
    report(settings, BY_NAME[name], given(BY_NAME[name], **more), wanted)
    sys.stdout.flush()
    return capfd.readouterr().out


def test_every_table_has_a_drawing() -> None:
    assert {name for name, one in BY_NAME.items() if not one.is_scalar} - set(DRAWINGS) == {"known_segment"}


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_macro_is_a_report(shop: Settings, capfd: pytest.CaptureFixture[str], name: str) -> None:
    shown = said(capfd, shop, name)
    rows = json.loads(said(capfd, shop, name, Shown(json=True)))
    if name == "known_segment":
        assert rows == []
        return
    there = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    assert (there or list(rows[0])) == shown.splitlines()[0].split()
    drawn = shown.partition("\n\n")[2]
    assert bool(drawn) == (name in DRAWINGS)


@pictured
@pytest.mark.parametrize("name", ["funnel", "retention", "path_steps", "segment_history", "was_member"])
def test_pictures_and_pages(shop: Settings, tmp_path: Path, name: str) -> None:
    png, html = tmp_path / "a.png", tmp_path / "a.html"
    wanted = Shown(png=png if name in DRAWINGS else None, html=html)
    report(shop, BY_NAME[name], given(BY_NAME[name]), wanted)
    if name in DRAWINGS:
        assert png.read_bytes()[16:24] == (1500).to_bytes(4) + (750).to_bytes(4)
    page = html.read_text()
    assert ("<svg" in page) == (name in DRAWINGS)
    assert re.findall(r"""(?:src|href)=["'](?!#|data:)|@import|url\((?!#)""", page) == []
    report(shop, BY_NAME[name], given(BY_NAME[name]), Shown(html=html))
    assert html.read_text() == page


@pictured
def test_a_browser_opens_a_page(shop: Settings, tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium here: apt install chromium")
    report(shop, BY_NAME["retention"], given(BY_NAME["retention"]), Shown(html=tmp_path / "a.html"))
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", f"file://{tmp_path}/a.html"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "<title>Retention</title>" in done.stdout
    assert "2026-01-05" in done.stdout


def test_what_a_sender_wrote_is_text_in_a_page(shop: Settings, tmp_path: Path) -> None:
    steps = {"steps": "<script>alert(1)</script>"}
    report(shop, BY_NAME["funnel_people"], steps, Shown(html=tmp_path / "b.html"))
    assert "<script>" not in (tmp_path / "b.html").read_text()


def test_two_segments_are_compared_with_a_probability(shop: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    [row] = json.loads(said(capfd, shop, "compare_segments", Shown(json=True), event_name="product_viewed", moment="2026-01-06 06:00"))
    assert (row["one_people"], row["z"], row["p_value"]) == (2, None, None)
    [row] = json.loads(said(capfd, shop, "compare_segments", Shown(json=True), event_name="product_added", moment="2026-01-06 06:00"))
    assert row["p_value"] == pytest.approx(erfc(abs(row["z"]) / sqrt(2)))


@pytest.mark.parametrize(
    ("name", "more", "words"),
    [
        ("funnel", {"within": "a week"}, "skep report funnel: expected within to be an interval such as '7 days', found 'a week'"),
        ("retention", {"periods": "x"}, "--periods: expected a whole number, found x → write it in digits"),
        ("retention", {"rolling": "yes"}, "--rolling: expected true or false, found yes"),
        ("retention", {"brackets": "0,4,2"}, "skep report retention: expected brackets to be two or more ascending numbers"),
        ("segment_history", {"segment_name": "vip"}, "skep report segment_history: expected the name of a segment, found 'vip'"),
    ],
)
def test_what_is_wrong_is_said(shop: Settings, name: str, more: dict[str, str], words: str) -> None:
    with pytest.raises(CommandError, match=re.escape(words)):
        report(shop, BY_NAME[name], given(BY_NAME[name], **more), Shown())


def test_what_can_be_asked_is_listed_with_examples_that_run(shop: Settings) -> None:
    listed: list[dict[str, Any]] = json.loads(skep("report", "--json", project=shop.root).stdout)
    assert [one["name"] for one in listed] == sorted(BY_NAME)
    text = skep("report", project=shop.root).stdout
    example = next(one["example"] for one in listed if one["name"] == "funnel")
    assert example in text
    done = skep(*example.split()[1:], "--json", project=shop.root)
    assert [row["step"] for row in json.loads(done.stdout)] == [1, 2, 3]
    assert "--split-by" in skep("report", "funnel", "--help", project=shop.root).stdout
    wrong = skep("report", "funnel", "--tiles", "3", project=shop.root)
    assert (wrong.returncode, "No such option: --tiles" in wrong.stderr) == (2, True)
