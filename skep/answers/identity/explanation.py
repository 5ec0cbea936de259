"""Why two identifiers are one person's, or why they are not and what would join them."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import msgspec
from msgspec.structs import replace

from contracts.text.times import iso
from operators.records import Link
from operators.refusal import Refusal
from skep.answers.decisions import reasons
from skep.answers.identity.counterfactual import Ways
from skep.answers.identity.evidence import Evidence, Near, Pair, holder_of, text_of
from skep.answers.identity.likeness import SideBySide, Waterfall, compared_view
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import one_space


class Clash(msgspec.Struct, frozen=True):
    """The values of a namespace that the profiles of both ends have, which cannot be in one."""

    namespace: str
    a: list[str]
    b: list[str]


class PathLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link on the way between two identifiers, whether it stands, and by which rule and in which words it does not.

    Times are ISO 8601. ``events`` and ``first_message`` are of links that events made, ``probability`` and ``waterfall`` of those by
    likeness; ``why``: the reason that was given with a manual one.
    """

    a: Pair
    b: Pair
    kind: str
    state: str
    first_seen: str
    last_seen: str
    events: int | None = None
    first_message: str | None = None
    rules: int
    rule: str | None = None
    reason: str | None
    clash: Clash | None = None
    probability: float | msgspec.UnsetType = msgspec.UNSET
    waterfall: Waterfall | msgspec.UnsetType = msgspec.UNSET
    why: str | None = None


class Unlinked(msgspec.Struct, frozen=True):
    """The entry that keeps two identifiers apart: when (ISO 8601), its message id, and the reason that was given with it."""

    at: str
    message: str
    why: str | None


class Explanation(msgspec.Struct, frozen=True):
    """Whether two identifiers are one person's, the evidence between them, and if they are not, why, and what would join them.

    ``profiles``: of ``a`` and of ``b``; ``compared``: their records by likeness, None if there is nothing to compare.
    """

    space: str
    a: Pair
    b: Pair
    joined: bool
    profiles: dict[str, str]
    rules: int
    path: list[PathLink]
    compared: SideBySide | None
    unlinked: Unlinked | None
    reason: str | None
    would_join: list[str]


def explain(settings: Settings, a: str, b: str, space: str | None) -> Explanation:
    """The evidence between two identifiers ``NS:VALUE``. Raises CommandError for one that nobody has."""
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

    def told(self) -> Explanation:
        evidence, view = self._evidence, self._evidence.view
        joined = evidence.home[self._a] is evidence.home[self._b]
        steps = path(evidence, self._a, self._b)
        rulings = {id(link): ruling for link in steps if (ruling := evidence.ruling(link)) is not None}
        between = view.identity.ruling(self._a, self._b)
        given = reasons(self._settings, view.space, {each.message for each in (*rulings.values(), between) if each is not None})
        links = [self._link(link, given.get(rulings[id(link)].message) if id(link) in rulings else None) for link in steps]
        compared, unlinked = self._compared(), None
        if between is not None and not between.link:
            unlinked = Unlinked(iso(between.time_us), between.message, given.get(between.message))
        profiles = {"a": evidence.profile(self._a), "b": evidence.profile(self._b)}
        return Explanation(
            view.space, evidence.pair(self._a), evidence.pair(self._b), joined, profiles, evidence.rules.version, links, compared, unlinked,
            reason=None if joined else self._why_not(links, compared),
            would_join=[] if joined else Ways(evidence, self._a, self._b).told(steps),
        )  # fmt: skip

    def _link(self, link: Link, why: str | None) -> PathLink:
        evidence, refusal = self._evidence, self._evidence.refusals[id(link)]
        told = PathLink(
            a=evidence.pair(link.a),
            b=evidence.pair(link.b),
            kind=link.kind,
            state=evidence.state(link),
            first_seen=iso(link.first),
            last_seen=iso(link.last),
            rules=link.rules,
            reason=evidence.reason(link),
            why=why,
        )
        if link.weight is not None:
            assert evidence.likeness is not None, "there are none without probabilistic rules"
            fall = evidence.likeness.waterfall(link.a, link.b)
            return replace(told, probability=fall.probability, waterfall=fall)
        events = link.count if link.kind == "deterministic" else None
        rule = None if refusal is None else refusal.rule
        return replace(told, events=events, first_message=link.message or None, rule=rule, clash=self._clash(link, refusal))

    def _compared(self) -> SideBySide | None:
        """The records of the two side by side; None if they are one, or nothing is compared."""
        evidence, likeness = self._evidence, self._evidence.likeness
        if likeness is None:
            return None
        a, b = (likeness.record(evidence.home[end], end) for end in (self._a, self._b))
        return None if a == b else likeness.compared(a, b, evidence.pair)

    def _clash(self, link: Link, refusal: Refusal | None) -> Clash | None:
        """The values of both profiles that cannot be in one. The profiles hold at least what they held when the link was looked at."""
        if refusal is None or refusal.rule not in {"unique", "limit"}:
            return None
        home, namespace = self._evidence.home, self._evidence.rules.position[refusal.namespace]
        a, b = (sorted(each.value for each in home[end].identifiers if each.namespace == namespace) for end in (link.a, link.b))
        return Clash(refusal.namespace, a, b)

    def _why_not(self, links: list[PathLink], compared: SideBySide | None) -> str:
        if not links:
            none = "no evidence: no event and no manual link connects them, directly or through others"
            return none if compared is None else f"{none}; by likeness: {compared.why}"
        return "; ".join(refused_in_words(link) for link in links if link.state != "accepted")


def refused_in_words(link: PathLink) -> str:
    """A refused link, why, and which values clash."""
    a, b = text_of(link.a), text_of(link.b)
    said = f"{a} with {b}: {link.reason}"
    if link.clash is not None:
        said += f" ({_few(link.clash.a)} beside {a}, {_few(link.clash.b)} beside {b})"
    return f"{said}: {link.why}" if link.why else said


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


def _few(values: list[str]) -> str:
    shown = ", ".join(values[:5]) or "none"
    return f"{shown} and {len(values) - 5:,} more" if len(values) > 5 else shown
