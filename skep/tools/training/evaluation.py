"""How good clusters are, beside the truth: pairs, B-cubed, and the shares of people merged and split wrongly."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from math import comb
from pathlib import Path

import msgspec
import orjson
from msgspec.structs import asdict

from contracts.model.definitions import IdentityRules
from operators.extract import Identifiers
from operators.match.links import Match
from operators.match.scoring import probability
from skep.project.errors import CommandError
from skep.tools.training.linked import Linked
from skep.tools.training.records import Records

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.99, 0.995, 0.999)
"""The values of ``accept`` at which the measures are told."""
BINS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""The probabilities from which on candidates are counted together."""

Truth = dict[tuple[str, str], str]
"""Identifier, as ``(namespace, normalised value)``, → person."""


def read_truth(path: Path, rules: IdentityRules) -> Truth:
    """Whose each identifier is, from lines of ``{"namespace", "value", "person"}``. Raises `CommandError` with the line."""
    read, found = Identifiers(rules), {}
    names = [namespace.name for namespace in rules.namespaces]
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                body = orjson.loads(line)
                namespace, value, person = str(body["namespace"]), body["value"], str(body["person"])
            except (orjson.JSONDecodeError, KeyError, TypeError):
                raise CommandError(f"{path}:{number}: expected an object with namespace, value and person, found {line[:80]!r}") from None
            if namespace not in names:
                raise CommandError(f"{path}:{number}: expected a namespace of the rules ({', '.join(names)}), found {namespace!r}")
            known = read.normalize(namespace, value)
            if known is not None:
                found[namespace, known[1]] = person
    return found


class Shares(msgspec.Struct, frozen=True):
    """How much of what was found is right, how much of what is right was found, and both in one number."""

    precision: float
    recall: float
    f1: float


class Measures(msgspec.Struct, frozen=True):
    """By pairs and by B-cubed; the shares of people that are merged with others, and that are split.

    ``accept``: where links of at least this probability are accepted.
    """

    accept: float
    pairwise: Shares
    bcubed: Shares
    false_merges: float
    false_splits: float


class Bin(msgspec.Struct, frozen=True):
    """Candidates whose match probability is at least ``least``: how many, what it is in the mean, and the share that is one person's."""

    least: float
    pairs: int
    stated: float
    one_person: float


class Calibration(msgspec.Struct, frozen=True):
    """How true stated probabilities are. ``error``: how far they are from the shares, in the mean of all candidates."""

    error: float
    curve: list[Bin]


def calibration(candidates: Iterable[Match], whose: Mapping[bytes, object]) -> Calibration:
    """How true the match probabilities of these are; ``whose``: the person of each record of which that is known."""
    bins: dict[float, list[tuple[float, bool]]] = defaultdict(list)
    for match in candidates:
        if match.a in whose and match.b in whose:
            stated = probability(match.weight)
            bins[next(least for least in reversed(BINS) if stated >= least)].append((stated, whose[match.a] == whose[match.b]))
    curve = [
        Bin(least, len(rows), sum(each for each, _ in rows) / len(rows), sum(one for _, one in rows) / len(rows))
        for least, rows in sorted(bins.items())
    ]
    pairs = max(sum(each.pairs for each in curve), 1)
    return Calibration(sum(each.pairs * abs(each.stated - each.one_person) for each in curve) / pairs, curve)


class Evaluation(Measures, frozen=True):
    """The measures at the ``accept`` of the rules, of what they were taken, those at every threshold, and how true probabilities are.

    ``known``: identifiers with truth; ``candidates``: pairs compared; ``skipped_blocks``: those larger than `block_limit`.
    """

    records: int
    known: int
    people: int
    candidates: int
    skipped_blocks: int
    thresholds: list[Measures]
    calibration: Calibration


def measure(clusters: Iterable[Collection[str]], accept: float = 0.0) -> Measures:
    """The measures of clusters that were made at ``accept``, each given as the persons of its members."""
    sizes = [Counter(cluster) for cluster in clusters if cluster]
    persons: Counter[str] = Counter()
    places: dict[str, int] = defaultdict(int)
    merged: set[str] = set()
    for counted in sizes:
        persons.update(counted)
        for person in counted:
            places[person] += 1
        if len(counted) > 1:
            merged |= counted.keys()
    total, people = max(persons.total(), 1), max(len(persons), 1)
    right = sum(comb(number, 2) for counted in sizes for number in counted.values())
    said = sum(comb(counted.total(), 2) for counted in sizes)
    true = sum(comb(number, 2) for number in persons.values())
    precision = sum(number * number / counted.total() for counted in sizes for number in counted.values()) / total
    recall = sum(number * number / persons[person] for counted in sizes for person, number in counted.items()) / total
    return Measures(
        accept=accept,
        pairwise=_three(right / said if said else 1.0, right / true if true else 1.0),
        bcubed=_three(precision, recall),
        false_merges=len(merged) / people,
        false_splits=sum(number > 1 for number in places.values()) / people,
    )


def _three(precision: float, recall: float) -> Shares:
    both = precision + recall
    return Shares(precision, recall, 2 * precision * recall / both if both else 0.0)


def evaluate(linked: Linked, records: Records, truth: Truth) -> Evaluation:
    """The measures over the identifiers with truth, at ``accept`` and at every threshold."""
    whose = {key: [truth[one] for one in person.identifiers if one in truth] for key, person in records.people.items()}

    def at(accept: float) -> Measures:
        return measure(([person for key in cluster for person in whose[key]] for cluster in linked.clusters(accept)), accept)

    rows = {threshold: at(threshold) for threshold in sorted({*THRESHOLDS, linked.accept})}
    return Evaluation(
        **asdict(rows[linked.accept]),
        records=len(records.people),
        known=sum(map(len, whose.values())),
        people=len({person for known in whose.values() for person in known}),
        candidates=len(linked.pairs),
        skipped_blocks=linked.skipped,
        thresholds=list(rows.values()),
        calibration=calibration(linked.candidates(), with_truth(truth, records)),
    )


def with_truth(truth: Mapping[tuple[str, str], str], records: Records) -> dict[bytes, str]:
    """The person of each record: the one of most of its identifiers with truth, of equally many the smallest."""
    found = {}
    for key, person in records.people.items():
        counted = Counter(truth[one] for one in person.identifiers if one in truth)
        if counted:
            found[key] = min(counted, key=lambda who: (-counted[who], who))
    return found
