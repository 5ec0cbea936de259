"""A trained model: how often records of one person, and of two people, are at each level of each comparison."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import orjson

from contracts.model.definitions import Definitions
from contracts.model.probabilistic import Compare
from contracts.reading import identity
from contracts.text.problems import Problem
from contracts.text.yaml_tree import Reader
from operators.match.comparisons import levels

FORMAT = 1
SMALLEST = 1e-6
"""No share of a level is smaller: what was never seen among so many pairs is unlikely, not impossible."""
TERMS_MAX = 200_000
"""Values of one comparison whose frequency is kept; the rarest beyond it count as seen once."""


class UnusableModel(Exception):  # noqa: N818 - named for what it is
    """A model file that cannot be used; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How often values occur among ``total`` records that have one. A value that is not in ``counts`` occurs once."""

    total: int
    counts: dict[str, int]

    def share(self, value: str) -> float:
        return self.counts.get(value, 1) / max(self.total, 1)


@dataclass(frozen=True, slots=True)
class Weights:
    """A comparison with the share of its levels, in order, among pairs of one person (``m``) and of two people (``u``)."""

    compare: Compare
    m: tuple[float, ...]
    u: tuple[float, ...]
    terms: Terms | None = None

    @property
    def bits(self) -> tuple[float, ...]:
        """The match weight of each level: log2(m / u)."""
        return tuple(math.log2(m / u) for m, u in zip(self.m, self.u, strict=True))


@dataclass(frozen=True, slots=True)
class Model:
    """``prior``: the probability that two records taken at random are one person's. ``alone``: the probability that a record has no
    other one of its person within reach. ``trained``: figures of the training."""

    prior: float
    comparisons: tuple[Weights, ...]
    trained: dict[str, Any] = field(default_factory=dict)
    alone: float = 1.0

    @property
    def chance(self) -> float:
        """The probability that a candidate is of one person with a record, before the two are compared: against its being alone."""
        return self.prior / (self.prior + (1 - self.prior) * self.alone)


def shares(found: list[float | None]) -> tuple[float, ...]:
    """Shares that are at least `SMALLEST` and add up to 1; None is one that could not be estimated."""
    kept = [SMALLEST if share is None or not share > SMALLEST else share for share in found]
    return tuple(share / sum(kept) for share in kept)


def dump(model: Model) -> bytes:
    """The bytes of the model file."""
    comparisons = []
    for each in model.comparisons:
        rows = zip(levels(each.compare), each.m, each.u, each.bits, strict=True)
        comparisons.append(
            {
                **_named(each.compare),
                "levels": [{"level": level.label, "m": m, "u": u, "weight": weight} for level, m, u, weight in rows],
                **({"terms": {"total": each.terms.total, "counts": each.terms.counts}} if each.terms else {}),
            }
        )
    content = {"format": FORMAT, "prior": model.prior, "alone": model.alone, "comparisons": comparisons, "trained": model.trained}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n"


def model_of(definitions: Definitions) -> Model:
    """The model that the rules name, out of the definitions' files. Raises `UnusableModel` if it is missing or cannot be used."""
    rules = definitions.identity.probabilistic
    assert rules is not None, "only rules with `probabilistic` have a model"
    text = definitions.files.get(rules.model)
    if text is None:
        raise UnusableModel(f"{rules.model}: expected the model that identity.yaml names, found nothing → run `skep identity train`")
    return load(text.encode("utf-8", "surrogatepass"), rules.compare, rules.model)


def check(definitions: Definitions) -> list[Problem]:
    """What is wrong with the model that the rules name, if they have probabilistic links."""
    if definitions.identity.probabilistic is None:
        return []
    try:
        model_of(definitions)
    except UnusableModel as error:
        tree = Reader([]).parse(identity.FILE, definitions.files[identity.FILE])
        part = tree.value["probabilistic"] if tree is not None else None
        line = part.value["model"].line if part is not None and "model" in part.value else part.line if part is not None else 1
        said, _, hint = str(error).partition(" → ")
        expected, _, found = said.partition(": ")[2].partition(", found ")
        return [Problem(identity.FILE, line, "probabilistic.model", expected.removeprefix("expected "), found, hint)]
    return []


def load(raw: bytes, compares: tuple[Compare, ...], name: str) -> Model:
    """The model in a file of that ``name``. Raises `UnusableModel` if it is none, of another format, or for other comparisons."""
    try:
        content = orjson.loads(raw)
        version = content["format"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise UnusableModel(f"{name}: expected a model written by `skep identity train`, found {error or 'something else'}") from None
    if version != FORMAT:
        raise UnusableModel(f"{name}: expected a model of format {FORMAT}, found {version!r} → run `skep identity train` again")
    try:
        return _model(content, compares, name)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnusableModel(f"{name}: expected the model as `skep identity train` wrote it, found it damaged: {error!r}") from None


def _model(content: dict[str, Any], compares: tuple[Compare, ...], name: str) -> Model:
    found = content["comparisons"]
    _same(found, compares, name)
    weights = tuple(_weights(one, compare) for one, compare in zip(found, compares, strict=True))
    prior = float(content["prior"])
    if not 0 < prior < 1:
        raise ValueError(f"prior {prior}")
    # A model of before this was estimated weighs its pairs against all others.
    alone = float(content.get("alone", 1.0))
    if not 0 < alone <= 1:
        raise ValueError(f"alone {alone}")
    return Model(prior, weights, dict(content.get("trained", {})), alone)


def _same(found: list[dict[str, Any]], compares: tuple[Compare, ...], name: str) -> None:
    asked = [_named(compare) for compare in compares]
    trained = [{key: one[key] for key in ("trait", "how", "at", "term_frequency")} for one in found]
    for at in range(max(len(asked), len(trained))):
        ours, theirs = (rows[at] if at < len(rows) else None for rows in (asked, trained))
        if ours != theirs:
            raise UnusableModel(
                f"{name}: expected a model for the comparisons of the rules, found one for others: "
                f"compare[{at}] is {_words(ours)}, the model's {_words(theirs)} → run `skep identity train` again"
            )


def _named(compare: Compare) -> dict[str, Any]:
    return {"trait": compare.trait, "how": compare.how, "at": list(compare.at), "term_frequency": compare.term_frequency}


def _words(row: dict[str, Any] | None) -> str:
    if row is None:
        return "missing"
    at = f" at {row['at']}" if row["at"] else ""
    return f"{row['how']} of {row['trait']}{at}" + (" with term frequency" if row["term_frequency"] else "")


def _weights(one: dict[str, Any], compare: Compare) -> Weights:
    labels = [level.label for level in levels(compare)]
    if [row["level"] for row in one["levels"]] != labels:
        raise ValueError(f"levels of {compare.trait}")
    m, u = (tuple(float(row[key]) for row in one["levels"]) for key in "mu")
    if not all(0 < share <= 1 for share in (*m, *u)):
        raise ValueError(f"shares of {compare.trait}")
    terms = one["terms"] if compare.term_frequency else None
    if terms is None:
        return Weights(compare, m, u)
    return Weights(compare, m, u, Terms(int(terms["total"]), {key: int(number) for key, number in terms["counts"].items()}))
