"""A profile's identifiers and the evidence between them, as a picture that a person can read."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from pathlib import Path

import msgspec

from contracts.model.hashing import profile_id
from contracts.text.times import iso
from operators.match.scoring import probability
from operators.records import Identifier, Link, Person
from skep.answers.identity.drawing import Group, Line, Node, Picture, draw, page
from skep.answers.identity.evidence import Evidence, profile_of, text_of
from skep.answers.identity.likeness import compared_view
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import one_space

SHOWN = 40
"""Identifiers of one namespace that are drawn, those seen last; the others are one node."""


class Drawn(msgspec.Struct, frozen=True):
    """The file of a picture, the profile, and how many identifiers and links, accepted and refused, are on it."""

    path: str
    profile: str
    identifiers: int
    accepted: int
    refused: int


def write_graph(settings: Settings, profile: str, target: Path, space: str | None) -> Drawn:
    """Draw ``p_…`` or the holder of ``NS:VALUE`` into an SVG file or a page; returns what is on it. Raises CommandError."""
    if target.suffix not in {".svg", ".html"}:
        raise CommandError(f"--out: expected a file that ends in .svg or .html, found {target} → name one")
    with compared_view(settings, one_space(settings, space)) as (view, likeness):
        person = profile_of(view, profile)
        if not person.identifiers:
            raise CommandError(
                f"{profile_id(person.key)} has no identifiers: it holds the events of a shared device → name another profile"
            )
        evidence = Evidence(view, [person], likeness)
        picture = picture_of(evidence, evidence.people[person.key])
        refused = len(view.identity.refused_of(person))
    drawn = draw(picture)
    try:
        target.write_text(page(picture.title, drawn) if target.suffix == ".html" else drawn, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--out: {target} cannot be written: {error.strerror} → name a file in a folder that is there") from error
    return Drawn(str(target), profile_id(person.key), len(person.identifiers), len(person.links), refused)


def picture_of(evidence: Evidence, person: Person) -> Picture:
    """Persons' namespaces in the middle, devices around them, what refused links lead to outside."""
    rules, mine = evidence.rules, {each.hash for each in person.identifiers}
    links = [link for link in evidence.links if link.a in mine or link.b in mine]
    others = {end for link in links for end in (link.a, link.b)} - mine
    nodes: dict[bytes, Node] = {}
    middle: list[Group] = []
    left: list[Group] = []
    right: list[Group] = []
    for at, name in enumerate(rules.names):
        drawn = _nodes(
            nodes, [each for each in person.identifiers if each.namespace == at], "person" if rules.person[at] else "device", evidence
        )
        if rules.person[at]:
            middle += [Group(name, drawn)] if drawn else []
        else:
            half = (len(drawn) + 1) // 2
            left += [Group(name, drawn[:half])] if drawn else []
            right += [Group(name, drawn[half:])] if drawn[half:] else []
    on_the_left = {node for group in left for node in group.nodes}
    beside = {_end(link, mine, other=True) for link in links if nodes.get(_end(link, mine, other=False)) in on_the_left} & others
    far_left, far_right = (_outside(nodes, ends, evidence) for ends in (beside, others - beside))
    return Picture(
        title=f"{profile_id(person.key)} · space {evidence.view.space}",
        subtitle=_subtitle(person, len(evidence.view.identity.refused_of(person))),
        columns=[far_left, left, *([group] for group in middle), right, far_right],
        lines=_lines(evidence, links, nodes),
    )


def _end(link: Link, mine: set[bytes], *, other: bool) -> bytes:
    """The end of a link that is outside the profile, or the one that is in it."""
    return link.b if (link.a in mine) == other else link.a


def _outside(nodes: dict[bytes, Node], ends: set[bytes], evidence: Evidence) -> list[Group]:
    found = []
    for at, name in enumerate(evidence.rules.names):
        theirs = [evidence.identifiers[end] for end in ends if evidence.identifiers[end].namespace == at]
        if theirs:
            found.append(Group(f"{name} of others", _nodes(nodes, theirs, "other", evidence)))
    return found


def _nodes(nodes: dict[bytes, Node], identifiers: list[Identifier], kind: str, evidence: Evidence) -> list[Node]:
    """A node for each identifier, in the order of texts, at most `SHOWN`; `nodes` learns which one is whose."""
    shown = heapq.nlargest(SHOWN, identifiers, key=lambda each: (each.last, each.value))
    drawn = []
    for each in sorted(shown, key=lambda each: each.value):
        node = nodes[each.hash] = Node(each.value, _title(each, evidence), kind)
        drawn.append(node)
    rest = {each.hash for each in identifiers} - {each.hash for each in shown}
    if rest:
        times = [evidence.identifiers[end] for end in rest]
        first, last = min(each.first for each in times), max(each.last for each in times)
        more = Node(f"+{len(rest):,}", f"{len(rest):,} more, seen from {iso(first)} to {iso(last)}", "more")
        nodes.update(dict.fromkeys(rest, more))
        drawn.append(more)
    return drawn


def _title(each: Identifier, evidence: Evidence) -> str:
    times = f"seen from {iso(each.first)} to {iso(each.last)}"
    return f"{text_of(evidence.pair(each.hash))}\n{times}\nprofile {evidence.profile(each.hash)}"


def _lines(evidence: Evidence, links: Iterable[Link], nodes: dict[bytes, Node]) -> list[Line]:
    """A line for all links of two nodes that fare alike."""
    found: dict[tuple[Node, Node, str, str, str | None], list[Link]] = {}
    for link in links:
        key = nodes[link.a], nodes[link.b], link.kind, evidence.state(link), _rule(evidence, link) if link.weight is None else None
        found.setdefault(key, []).append(link)
    lines = []
    for (a, b, kind, state, _), some in found.items():
        rule = _rule(evidence, some[0])
        ends = " – ".join(text_of(evidence.pair(end)) for end in (some[0].a, some[0].b))
        said = ends if len(some) == 1 else f"{len(some):,} links"
        times = f"seen from {iso(min(link.first for link in some))} to {iso(max(link.last for link in some))}"
        why = evidence.reason(some[0]) if len(some) == 1 else rule
        title = "\n".join([said, f"{kind}, {_STATES[state]}", times, *([why] if why else [])])
        weights = [link.weight for link in some if link.weight is not None]
        sure = probability(max(weights)) if weights else None
        candidate = state == "candidate"
        lines.append(Line(a, b, title, None if candidate else rule, kind == "manual", len(some), sure, candidate))
    return lines


_STATES = {"accepted": "accepted", "rejected": "refused", "candidate": "candidate, not applied"}


def _rule(evidence: Evidence, link: Link) -> str | None:
    """What refuses a link and others alike, without the figures of this one; None: it stands."""
    refusal = evidence.refusals[id(link)]
    if refusal is None:
        return None
    return refusal.in_general() if link.weight is None else f"by likeness, {(evidence.reason(link) or '').partition(':')[0]}"


def _subtitle(person: Person, refused: int) -> str:
    first, last = min(each.first for each in person.identifiers), max(each.last for each in person.identifiers)
    seen = f"identifiers seen from {iso(first)[:10]} to {iso(last)[:10]}"
    return f"{len(person.identifiers):,} {seen}, {len(person.links):,} links accepted, {refused:,} refused"
