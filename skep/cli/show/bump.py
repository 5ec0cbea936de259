"""`skep contracts bump`: which version number a change deserves, and whether the name of the file claims that much."""

from __future__ import annotations

from msgspec import UNSET

from skep.cli.console import out
from skep.cli.show.compat import shortened
from skep.tools.bump import Report

_TYPED = (
    "is said more of now, but objects of before are open and may hold any value there. It would be an addition, had the old "
    'version "additionalProperties": false; or leave it without a type: {}'
)


def show(report: Report) -> None:
    """What it deserves and why, and what to do about a name that claims less."""
    out.print(f"{report.deserves}{' at least' if report.undecided else ''}: {report.why}")
    if report.stays is not UNSET:
        out.print(f"  stays valid: {shortened(report.stays, 200)}")
    for path in report.typed:
        out.print(f"  {path} {_TYPED}")
    if report.next:
        out.print(f"next: {report.next}")
    if not report.enough:
        claim = f"only a step of {report.claims}" if report.claims else f"no step after {report.old}"
        out.print(f"the number {report.new} claims {claim} → name the file {report.next}.json")
