"""`skep segments test`: cases for people, and as JUnit XML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from skep.answers.segment_tests import CaseResult, Differs
from skep.cli.console import mark, out
from skep.cli.show.membership import reason_lines
from skep.project.errors import CommandError


def show(found: Sequence[CaseResult]) -> None:
    """A line a case; below one that fails what differs, with the conditions."""
    for case in found:
        out.print(f"{mark(not case.differs)} {case.segment}: {case.name}")
        for one in case.differs:
            for line in _lines(case, one):
                out.print(f"  {line}")
    failed = sum(bool(one.differs) for one in found)
    out.print(
        f"{len(found):,} case{'s' * (len(found) != 1)}, {failed:,} failed"
        if found
        else "no cases: contracts/segments/tests/ has no YAML file with any"
    )


def _lines(case: CaseResult, one: Differs) -> list[str]:
    said = f"{case.file}:{one.line}: {one.who} at {one.at}: expected {one.expected}, found {one.found}"
    first = [] if one.first is None else [f"the first condition that differs: {one.first}"]
    return [said, *first, *(line for reason in (one.why.of if one.why else ()) for line in reason_lines(reason, 0))]


def write_junit(path: Path, found: Sequence[CaseResult]) -> None:
    """One suite a file of cases. Raises CommandError where it cannot be written."""
    root = ElementTree.Element("testsuites")
    for file in dict.fromkeys(case.file for case in found):
        cases = [case for case in found if case.file == file]
        failures = str(sum(bool(case.differs) for case in cases))
        suite = ElementTree.SubElement(root, "testsuite", name=file, tests=str(len(cases)), failures=failures, errors="0")
        for case in cases:
            element = ElementTree.SubElement(suite, "testcase", classname=case.segment, name=case.name, file=file, line=str(case.line))
            if case.differs:
                said = [_lines(case, one) for one in case.differs]
                failure = ElementTree.SubElement(element, "failure", message=said[0][0])
                failure.text = "\n".join(line for lines in said for line in lines)
    try:
        ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise CommandError(f"--junit {path}: {error.strerror}") from None
