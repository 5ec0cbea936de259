"""Why a link does not stand: the rule that refuses it, and what people are told."""

from __future__ import annotations

from typing import Literal, NamedTuple

Rule = Literal["unlink", "shared_after", "limits.links", "limits.identifiers", "unique", "limit", "support", "accept"]
"""``unlink``: a manual one; the others are keys of contracts/identity.yaml."""


class Refusal(NamedTuple):
    """``namespace``: the name of the one of which there would be too many values, or of the shared device; ``limit``: what the rules
    file says; ``figure``: the probability that falls short of it; ``by``: the order in which links count (empty: by weight), or
    ``together``: the probability is of all pairs together, not their mean."""

    rule: Rule
    namespace: str = ""
    limit: float = 0
    figure: float = 0.0
    by: str = ""

    def words(self, a: str, b: str) -> str:
        """What refuses one link; ``a`` and ``b`` are its ends as people know them, the first the shared device if there is one."""
        return _template(self).format(**self._asdict(), a=a, b=b)

    def in_general(self) -> str:
        """What refuses several links alike."""
        return _IN_GENERAL.get(self.rule, _WORDS[self.rule]).format(**self._asdict())


UNLINKED = Refusal("unlink")

_WORDS: dict[Rule, str] = {
    "unlink": "unlinked by hand",
    "shared_after": "shared_after: {limit} persons or more were identified on {a}",
    "limits.links": "limits.links: not among the {limit} {by} links of {a} and of {b}",
    "limits.identifiers": "limits.identifiers: the profile would have more than {limit} identifiers",
    "unique": "unique: the profile would have two values of {namespace}",
    "limit": "limit: the profile would have more than {limit} values of {namespace}",
    "support": "support: the mean probability over all pairs between the two clusters is {figure:.4f}, below {limit:g}",
    "accept": "probability {figure:.4f}: below accept",
}
_BY_WEIGHT = "limits.links: one of the two has {limit} links that come before"
_TOGETHER = "support: all pairs between the two clusters come to a probability of {figure:.4f}, below accept, {limit:g}"
_IN_GENERAL: dict[Rule, str] = {
    "shared_after": "shared_after: too many persons were identified on the device",
    "limits.links": "limits.links: an identifier has more than {limit:,}",
    "limits.identifiers": "limits.identifiers: the profile would have more than {limit:,}",
    "unique": "unique: it would have two values of {namespace}",
    "limit": "limit: it would have more than {limit} values of {namespace}",
}


def _template(refusal: Refusal) -> str:
    if refusal.rule == "limits.links" and not refusal.by:
        return _BY_WEIGHT
    if refusal.rule == "support" and refusal.by == "together":
        return _TOGETHER
    return _WORDS[refusal.rule]


def state(refusal: Refusal | None) -> str:
    """What became of a link, by what refuses it: ``accepted``, ``rejected``, or of one by likeness below `accept` ``candidate``."""
    if refusal is None:
        return "accepted"
    return "candidate" if refusal.rule == "accept" else "rejected"
