"""`skep segments test`: cases that hold and that do not, their first condition, JUnit, and what is wrong with a file."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft7Validator

from contracts.text.yaml_tree import Reader
from skep.project.settings import Settings, load_definitions
from skep.tools.editor.schemas import schemas
from tests.skep.test_cli import refused, skep

CASES = """\
cases:
  - name: a cart left alone
    segment: abandoned
    events:
      - {type: track, event: Product Added, userId: "42", timestamp: 2026-06-01T10:00:00Z}
      - {type: track, event: Order Completed, userId: "43", timestamp: 2026-06-01T10:00:00Z}
    expect:
      - {at: 2026-06-01T10:00:00Z, who: "user_id:42", is: entered}
      - {at: 2026-06-02T09:59:59Z, who: "user_id:42", is: in}
      - {at: 2026-06-02T10:00:00Z, who: "user_id:42", is: left}
      - {at: 2026-06-01T12:00:00Z, who: "user_id:43", is: out}
      - {at: 2026-06-01T12:00:00Z, who: "user_id:44", is: out}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one segment and no contracts of events."""
    folder = tmp_path / "p"
    (folder / "contracts" / "segments" / "tests").mkdir(parents=True)
    (folder / "skep.yaml").write_text("unknown_events: accept\nsources: [{name: s, kind: jsonl, path: s.jsonl, space: shop}]\n")
    who = "{all: [{did: product_added, within: 1d}, {not: {did: order_completed, within: 1d}}]}"
    (folder / "contracts" / "segments" / "abandoned.yaml").write_text(f"segment: abandoned\nwho: {who}\n")
    return folder


def given(project: Path, text: str) -> Path:
    file = project / "contracts" / "segments" / "tests" / "cart.yaml"
    file.write_text(text)
    return file


def test_cases_that_hold_are_no_part_of_the_definitions(project: Path) -> None:
    before = load_definitions(Settings.load(project)).digest
    given(project, CASES)
    assert load_definitions(Settings.load(project)).digest == before
    done = skep("segments", "test", project=project)
    assert (done.returncode, done.stdout) == (0, "✓ abandoned: a cart left alone\n1 case, 0 failed\n"), done.stderr
    assert skep("check", project=project).returncode == 0


def test_a_case_that_fails_says_which_condition_differs(project: Path) -> None:
    """On the screen, in JSON and as JUnit XML."""
    text = CASES.replace('"user_id:43", is: out', '"user_id:43", is: in').replace(
        '09:59:59Z, who: "user_id:42", is: in', '09:59:59Z, who: "user_id:42", is: out'
    )
    given(project, text.replace('"user_id:42", is: left', '"user_id:42", is: entered'))
    junit = project / "out.xml"
    done = skep("segments", "test", "--junit", str(junit), project=project)
    assert done.returncode == 1
    assert "contracts/segments/tests/cart.yaml:9: user_id:42 at 2026-06-02T09:59:59.000000Z: expected out, found in" in done.stdout
    assert "cart.yaml:10: user_id:42 at 2026-06-02T10:00:00.000000Z: expected entered, found out" in done.stdout
    assert "✗ did product_added within 1d, times at least 1: 0" in done.stdout
    (suite,) = ElementTree.parse(junit).getroot()
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("1", "1")
    (case,) = json.loads(skep("segments", "test", "--json", project=project).stdout)
    assert [(one["line"], one["expected"], one["found"]) for one in case["differs"]] == [
        (9, "out", "in"),
        (10, "entered", "out"),
        (11, "in", "out"),
    ]
    assert all(one["first"].startswith("did product_added") for one in case["differs"])


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("is: left", "is: gone", "cart.yaml:10: cases[0].expect[2].is: expected in, out, entered or left, found 'gone'"),
        ("segment: abandoned", "segment: abandond", "cart.yaml:3: cases[0].segment: expected the name of a segment in segments/"),
        ("timestamp: 2026-06-01T10:00:00Z", "time: 1", "cart.yaml:5: events: expected an event that is accepted, found envelope"),
        ("2026-06-02T09:59:59Z", "soon", "cart.yaml:9: cases[0].expect[1].at: expected a time such as"),
        ('"user_id:44"', "ann", "cart.yaml:12: cases[0].expect[4].who: expected NAMESPACE:VALUE such as user_id:42"),
        ("cases:", "case:", "cart.yaml:1: "),
    ],
)
def test_what_is_wrong_names_file_and_line(old: str, new: str, says: str, project: Path) -> None:
    given(project, CASES.replace(old, new, 1))
    assert says in refused(skep("segments", "test", project=project))


def test_without_cases_there_is_nothing_to_fail(project: Path) -> None:
    assert skep("segments", "test", project=project).stdout.startswith("no cases: contracts/segments/tests/")


def test_editors_know_the_files() -> None:
    tree = Reader([]).parse("x", CASES)
    assert tree is not None
    schema = schemas()["segment_tests"]
    assert list(Draft7Validator(schema).iter_errors(tree.plain())) == []
    assert list(Draft7Validator(schema).iter_errors({"cases": [{"name": "x"}]}))
