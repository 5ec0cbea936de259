"""What would join two identifiers that are two people's: tried out on their evidence, by the rules themselves."""

from __future__ import annotations

import copy
import shlex
import time
from collections.abc import Callable

from operators.components import Components
from operators.records import Link
from operators.refusal import UNLINKED, Refusal
from operators.stitch.clusters import accepted
from operators.stitch.rules import Rules
from skep.answers.identity.evidence import Evidence, text_of

_MANY = 1 << 62


class _Trial:
    """Rules and evidence that a change may alter."""

    def __init__(self, evidence: Evidence) -> None:
        self.rules = copy.copy(evidence.rules)
        self.links = [link for link in evidence.links if link.weight is None]
        self.alike = [link for link in evidence.links if link.weight is not None and evidence.stands(link)]
        self.shared = set(evidence.shared)


Change = Callable[[_Trial], None]


class Ways:
    """Changes that join two identifiers; each is said only if it does."""

    def __init__(self, evidence: Evidence, a: bytes, b: bytes) -> None:
        self._evidence = evidence
        self._a, self._b = a, b

    def told(self, steps: list[Link]) -> list[str]:
        """In words, manual evidence first; ``steps``: the evidence on the way between the two."""
        found = [self._linked(self._a, self._b)]
        for link in steps:
            refusal = self._evidence.refusals[id(link)]
            if refusal is not None and link.weight is None:
                found.append(self._linked(link.a, link.b) if refusal == UNLINKED else self._rule(refusal))
        changes = dict(found)
        ways = [said for said, change in changes.items() if self._joins([change])]
        rules = [said for said in changes if said not in ways and not said.startswith("skep ")]
        if not ways and len(rules) > 1 and self._joins([changes[said] for said in rules]):
            ways.append(" together with ".join(rules))
        if not steps:
            ways.append("an event that carries both")
        return ways

    def _joins(self, changes: list[Change]) -> bool:
        trial = _Trial(self._evidence)
        for change in changes:
            change(trial)
        links = [*accepted(self._evidence.identifiers, trial.links, trial.shared, trial.rules), *trial.alike]
        joined = Components(links=((link.a, link.b) for link in links))
        return joined.root(self._a) == joined.root(self._b)

    def _linked(self, a: bytes, b: bytes) -> tuple[str, Change]:
        a, b = sorted((a, b), key=self._evidence.rank)
        now = time.time_ns() // 1000

        def change(trial: _Trial) -> None:
            trial.links.append(Link(a, b, manual=True, first=now, last=now))

        ends = " ".join(shlex.quote(text_of(self._evidence.pair(end))) for end in (a, b))
        return f"skep identity link {ends} --why …", change

    def _rule(self, refusal: Refusal) -> tuple[str, Change]:
        """Without the rule that refuses a link."""
        if refusal.rule == "shared_after":
            return f"a higher `shared_after` of {refusal.namespace} in contracts/identity.yaml", lambda trial: trial.shared.clear()
        if refusal.rule == "limits.links":
            return "a higher `limits.links` in contracts/identity.yaml", lambda trial: setattr(trial.rules, "links_max", _MANY)
        if refusal.rule == "limits.identifiers":
            return "a higher `limits.identifiers` in contracts/identity.yaml", lambda trial: setattr(trial.rules, "identifiers_max", _MANY)
        what = "no `unique: true`" if refusal.rule == "unique" else "a higher `limit`"
        return f"{what} of {refusal.namespace} in contracts/identity.yaml", lambda trial: _without_limit(trial.rules, refusal.namespace)


def _without_limit(rules: Rules, namespace: str) -> None:
    rules.most = tuple(None if name == namespace else most for name, most in zip(rules.names, rules.most, strict=True))
