"""`skep identity explain`: why two identifiers are one person's, or why they are not and what would join them."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import Any

from contracts.text.times import iso
from operators.records import Link
from operators.stitch.clusters import IDENTIFIERS, LINKS, SHARED, UNLINKED
from skep.answers.identity.counterfactual import Ways
from skep.answers.identity.evidence import Evidence, Near, holder_of, text_of
from skep.answers.identity.likeness import compared_view
from skep.answers.identity.waterfall import show_compared, show_waterfall
from skep.answers.identity.whys import whys
from skep.cli.console import out, table
from skep.cli.layout import ident, moment, number, prose
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import one_space

_RULES = {UNLINKED: "unlink", SHARED: "shared_after", LINKS: "limits.links", IDENTIFIERS: "limits.identifiers"}
_COLUMNS = (
    prose("from"), prose("to"), "kind", "state", moment("first seen"), moment("last seen"), number("events"), ident("first message"),
    number("rules"), prose("why"),
)  # fmt: skip

Told = dict[str, Any]


def explain(settings: Settings, a: str, b: str, space: str | None) -> Told:
    """The evidence between two identifiers ``NS:VALUE``, as JSON has it. Raises CommandError for one that nobody has."""
    with compared_view(settings, one_space(settings, space)) as (view, likeness):
        one, two = holder_of(view, a), holder_of(view, b)
        if one[1].hash == two[1].hash:
            raise CommandError(f"expected two different identifiers, found {a} and {b}, which are the same → name another one")
        evidence = Evidence(view, [one[0], two[0]], likeness)
        return _Explained(evidence, settings, one[1].hash, two[1].hash).told()


class _Explained:
    def __init__(self, evidence: Evidence, settings: Settings, a: bytes, b: bytes) -> None:
        self._evidence = evidence
        self._settings = settings
        self._a, self._b = a, b

    def told(self) -> Told:
        evidence, view = self._evidence, self._evidence.view
        joined = evidence.home[self._a] is evidence.home[self._b]
        steps = path(evidence, self._a, self._b)
        rulings = {id(link): ruling for link in steps if (ruling := evidence.ruling(link)) is not None}
        between = view.identity.ruling(self._a, self._b)
        given = whys(self._settings, view.space, {each.message for each in (*rulings.values(), between) if each is not None})
        links = []
        for link in steps:
            ruling = rulings.get(id(link))
            links.append({**self._link(link), "why": given.get(ruling.message) if ruling is not None else None})
        compared, unlinked = self._compared(), None
        if between is not None and not between.link:
            unlinked = {"at": iso(between.time_us), "message": between.message, "why": given.get(between.message)}
        return {
            "space": view.space,
            "a": evidence.pair(self._a),
            "b": evidence.pair(self._b),
            "joined": joined,
            "profiles": {"a": evidence.profile(self._a), "b": evidence.profile(self._b)},
            "rules": evidence.rules.version,
            "path": links,
            "compared": compared,
            "unlinked": unlinked,
            "reason": None if joined else self._why_not(links, compared),
            "would_join": [] if joined else Ways(evidence, self._a, self._b).told(steps),
        }

    def _link(self, link: Link) -> Told:
        evidence = self._evidence
        refusal = evidence.refusals[id(link)]
        if link.weight is not None:
            return self._alike(link)
        return {
            "a": evidence.pair(link.a),
            "b": evidence.pair(link.b),
            "kind": link.kind,
            "state": "accepted" if refusal is None else "rejected",
            "first_seen": iso(link.first),
            "last_seen": iso(link.last),
            "events": link.count if link.kind == "deterministic" else None,
            "first_message": link.message or None,
            "rules": link.rules,
            "rule": None if refusal is None else self._rule(refusal),
            "reason": evidence.reason(link),
            "clash": self._clash(link, refusal),
        }

    def _alike(self, link: Link) -> Told:
        """A probabilistic link: what it weighs, and how that adds up."""
        evidence = self._evidence
        assert evidence.likeness is not None, "there are none without probabilistic rules"
        fall = evidence.likeness.waterfall(link.a, link.b)
        return {
            "a": evidence.pair(link.a),
            "b": evidence.pair(link.b),
            "kind": link.kind,
            "state": evidence.state(link),
            "first_seen": iso(link.first),
            "last_seen": iso(link.last),
            "events": None,
            "first_message": None,
            "rules": link.rules,
            "rule": None,
            "reason": evidence.reason(link),
            "clash": None,
            "probability": fall["probability"],
            "waterfall": fall,
        }

    def _compared(self) -> Told | None:
        """The records of the two side by side; None if they are one, or nothing is compared."""
        evidence, likeness = self._evidence, self._evidence.likeness
        if likeness is None:
            return None
        a, b = (likeness.record(evidence.home[end], end) for end in (self._a, self._b))
        return None if a == b else {"a": evidence.pair(a), "b": evidence.pair(b), **likeness.compared(a, b)}

    def _rule(self, refusal: int) -> str:
        return _RULES.get(refusal) or ("unique" if self._evidence.rules.most[refusal] == 1 else "limit")

    def _clash(self, link: Link, refusal: int | None) -> Told | None:
        """The values of both profiles that cannot be in one. The profiles hold at least what they held when the link was looked at."""
        if refusal is None or refusal < 0:
            return None
        values = {}
        for end, key in (("a", link.a), ("b", link.b)):
            values[end] = sorted(each.value for each in self._evidence.home[key].identifiers if each.namespace == refusal)
        return {"namespace": self._evidence.rules.names[refusal], **values}

    def _why_not(self, links: list[Told], compared: Told | None) -> str:
        if not links:
            none = "no evidence: no event and no manual link connects them, directly or through others"
            return none if compared is None else f"{none}; by likeness: {compared['why']}"
        return "; ".join(refused_in_words(link) for link in links if link["state"] != "accepted")


def refused_in_words(link: Told) -> str:
    """A refused link, why, and which values clash."""
    said = f"{text_of(link['a'])} with {text_of(link['b'])}: {link['reason']}"
    if link["clash"] is not None:
        ends = (_few(link["clash"]["a"]), _few(link["clash"]["b"]))
        said += f" ({ends[0]} beside {text_of(link['a'])}, {ends[1]} beside {text_of(link['b'])})"
    return f"{said}: {link['why']}" if link["why"] else said


def path(evidence: Evidence, a: bytes, b: bytes) -> list[Link]:
    """The links from ``a`` to ``b`` by as few refused ones as can be, and short; all links of each pair on the way."""
    near = evidence.near(evidence.links)
    way = _way(evidence, near, a, b)
    found: list[Link] = []
    for one, two in pairwise(way):
        found += evidence.sorted(link for other, link in near[one] if other == two)
    return found


def _way(evidence: Evidence, near: Near, a: bytes, b: bytes) -> list[bytes]:
    """Breadth first, layer by layer of how many refused links it takes; empty if nothing connects them."""
    before: dict[bytes, bytes] = {a: a}
    layer = [a]
    while layer and b not in before:
        edge, here = deque(layer), []
        while edge:
            one = edge.popleft()
            here.append(one)
            for other, link in near.get(one, ()):
                if evidence.stands(link) and other not in before:
                    before[other] = one
                    edge.append(other)
        layer = []
        for one in here:
            for other, _ in near.get(one, ()):
                if other not in before:
                    before[other] = one
                    layer.append(other)
    if b not in before:
        return []
    found = [b]
    while found[-1] != a:
        found.append(before[found[-1]])
    return found[::-1]


def show(told: Told) -> None:
    """An explanation for people."""
    a, b = text_of(told["a"]), text_of(told["b"])
    if told["joined"]:
        out.print(f"{a} and {b} are one person: {told['profiles']['a']}")
    else:
        out.print(f"{a} ({told['profiles']['a']}) and {b} ({told['profiles']['b']}) are two people:")
        out.print(told["reason"])
    if told["path"]:
        out.print()
        table(_COLUMNS, [_row(link) for link in told["path"]])
    for link in told["path"]:
        if "waterfall" in link:
            show_waterfall(text_of(link["a"]), text_of(link["b"]), link["waterfall"])
    if told["compared"] is not None and not any("waterfall" in link for link in told["path"]):
        show_compared(told["compared"])
    if told["unlinked"] is not None:
        why = f": {told['unlinked']['why']}" if told["unlinked"]["why"] else ""
        out.print(f"\nthe two were unlinked by hand at {told['unlinked']['at']}{why}")
    if not told["joined"]:
        out.print("\nwould join them:" if told["would_join"] else "\nnothing that one command or one rule changes would join them")
    for way in told["would_join"]:
        out.print(f"  {way}")
    out.print(f"\nby version {told['rules']} of contracts/identity.yaml")


def _row(link: Told) -> tuple[Any, ...]:
    why = link["reason"] or link["why"]
    return (
        text_of(link["a"]), text_of(link["b"]), link["kind"], link["state"],
        link["first_seen"], link["last_seen"], link["events"], link["first_message"], link["rules"], why,
    )  # fmt: skip


def _few(values: list[str]) -> str:
    shown = ", ".join(values[:5]) or "none"
    return f"{shown} and {len(values) - 5:,} more" if len(values) > 5 else shown
