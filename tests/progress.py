"""What `make test` says: how far it is, what failed as it fails, and at the end which promises were held and what was skipped.

python -m pytest -p tests.progress

A promise is held against many seeds. `make test` takes every other one of them, `make promises`, with compiled modules, the ones between;
whoever names a file without this plugin runs all of it.
"""

from __future__ import annotations

import ast
import time
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from skep.compiled import form

ROOT = Path(__file__).resolve().parent.parent
PROMISES = {
    "Convergence": (
        "tests/promises/test_converge.py",
        "tests/promises/test_definitions.py",
        "tests/promises/test_dense.py",
        "tests/promises/test_emitted.py",
        "tests/promises/test_history.py",
        "tests/promises/test_lives.py",
        "tests/promises/test_lookups.py",
        "tests/promises/test_newcomers.py",
        "tests/promises/test_past.py",
        "tests/promises/test_past_sources.py",
        "tests/promises/test_sealing.py",
        "tests/promises/test_timeline.py",
        "tests/promises/test_timers.py",
        "tests/promises/test_trait_input.py",
        "tests/promises/test_versions.py",
        "tests/test_model.py",
        "tests/operators/test_hubs.py",
        "tests/skep/test_backfill.py",
    ),
    "Nothing lost, nothing doubled": (
        "tests/crash/",
        "tests/connectors/",
        "tests/promises/test_bad_input.py",
        "tests/promises/test_quarantine.py",
        "tests/promises/test_redelivery.py",
    ),
    "Reversible identity": (
        "tests/promises/test_identity_graphs.py",
        "tests/promises/test_recompute.py",
        "tests/promises/test_truth.py",
        "tests/promises/test_unlink.py",
        "tests/test_identity_scenarios.py",
        "tests/test_model_matching.py",
    ),
    "One meaning": ("tests/promises/test_meaning.py", "tests/promises/test_one_meaning.py", "tests/operators/test_segments_sql.py"),
    "Consent first": (
        "tests/operators/test_consents.py",
        "tests/operators/test_denials.py",
        "tests/promises/test_floors.py",
        "tests/promises/test_personal_places.py",
    ),
}
"""The promises of README.md, and the tests that hold them before all others: files, and folders."""
REST = "everything else"
STEP = 0.05
"""Where no terminal shows a line that moves, a line is written each time that this share of the tests is done."""
SLOWEST = 5
SEVERAL = 8
"""From so many seeds on each form runs a half of them."""


def promise_of(test: str) -> str:
    """What a test holds, by its id."""
    return next((name for name, places in PROMISES.items() if test.startswith(places)), REST)


class Progress:
    """Counts what the processes of a test run report."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal
        self._width = terminal._tw.fullwidth - 1
        self._begun = time.monotonic()
        self._of = 0
        self._told = 0.0
        self._done: dict[str, str] = {}
        self._seconds: Counter[str] = Counter()
        self._skipped: Counter[tuple[str, str]] = Counter()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self._of = len(ids)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._of = self._of or len(session.items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str]:
        """What is counted of a report, without the letters and words that pytest would print."""
        if report.when != "call" and not report.skipped:
            return "error" if report.failed else "", "", ""
        return report.outcome, "", ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file = report.nodeid.partition("::")[0]
        self._seconds[file] += report.duration
        if report.skipped and isinstance(report.longrepr, tuple):
            self._skipped[file, report.longrepr[2].removeprefix("Skipped: ")] += 1
        if report.failed:
            self._terminal.ensure_newline()
            self._terminal.write_line(f"FAILED {report.nodeid}", red=True)
        if report.when == "call" or not report.passed:
            self._done[report.nodeid] = report.outcome
            self._tell(file)

    def _tell(self, file: str) -> None:
        done = len(self._done)
        line = f"{done:>6,} of {self._of:,} tests · {_minutes(time.monotonic() - self._begun)} · {title(file)}"
        if self._terminal.isatty:
            self._terminal.rewrite(line[: self._width], erase=True)
        elif done >= self._told * self._of:
            self._told = done / max(1, self._of) + STEP
            self._terminal.write_line(line)

    def pytest_terminal_summary(self) -> None:
        tell = self._terminal.write_line
        self._terminal.ensure_newline()
        self._terminal.section(f"what was promised, {form()}", sep="─")
        for name in (*PROMISES, REST):
            mine = [outcome for test, outcome in self._done.items() if promise_of(test) == name]
            broken = mine.count("failed")
            tell(f"{name:<30} {mine.count('passed'):>6,} tests held" + (f", {broken} BROKEN" if broken else ""), red=bool(broken))
        self._terminal.section("where the time went", sep="─")
        for file, seconds in self._seconds.most_common(SLOWEST):
            tell(f"{seconds:>5,.0f} s  {file:<42} {title(file)}"[: max(100, self._width)])
        self._terminal.section("what was skipped, and why", sep="─")
        for (file, why), count in sorted(self._skipped.items()):
            tell(f"{count:>7}  {file:<42} {why}")
        if not self._skipped:
            tell("nothing")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the seeds of promises to this form that are its own."""
    drawn: dict[str, list[pytest.Item]] = {}
    for item in items:
        seeds = getattr(item, "callspec", None)
        if seeds is not None and seeds.params.keys() in ({"seed"}, {"group"}) and promise_of(item.nodeid) != REST:
            drawn.setdefault(item.nodeid.partition("[")[0], []).append(item)
    first = int(form() == "compiled")
    others = [item for mine in drawn.values() if len(mine) >= SEVERAL for item in mine[1 - first :: 2]]
    left = {*others}
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=others)


@cache
def title(file: str) -> str:
    """What a file of tests is about: the first line of its docstring."""
    try:
        text = ast.get_docstring(ast.parse((ROOT / file).read_text()))
    except FileNotFoundError:
        return file
    return text.splitlines()[0] if text else file


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Only in the process that people look at."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Progress(terminal))
