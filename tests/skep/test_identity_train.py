"""`skep identity train` and `evaluate`: the score is Splink's, the model is refused when it is another's, the measures are as defined."""

from __future__ import annotations

import random
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from contracts.model.probabilistic import MODEL_FILE
from operators.match.links import Match
from operators.match.model import FORMAT, UnusableModel, dump, load
from operators.match.scoring import Scorer, probability, weight
from perf.matching import FAKE, FEBRL, HEAD, HISTORICAL, read_rules, run
from perf.matching_copies import COMPARED, Copies
from perf.matching_data import Historical, PersonRecord, events, fake_1000, truth
from skep.cli.show.training import show_training
from skep.tools.training.charts import thresholds_chart, weights_chart
from skep.tools.training.commands import Told, evaluate_file, train_file
from skep.tools.training.evaluation import Bin, Calibration, Measures, Shares, calibration, measure
from skep.tools.training.fit import Trained, train
from skep.tools.training.records import records_of
from skep.tools.training.splink_training import settings, table
from tests.skep.test_cli import refused, skep

FAKE_1000 = Path(__file__).parents[3] / "shared/data/fake_1000/fake_1000.csv"
PEOPLE = Historical(5).records(700)


def _files(folder: Path, rules: str, people: list[PersonRecord]) -> tuple[Path, Path, Path]:
    files = folder / "identity.yaml", folder / "events.jsonl", folder / "_truth.jsonl"
    files[0].write_text(rules)
    files[1].write_bytes(b"".join(events(people)))
    files[2].write_bytes(b"".join(truth(people)).replace(b"anonymous_id", b"record"))
    return files


def _equals_splink(people: list[PersonRecord], text: str) -> None:
    from splink import DuckDBAPI, Linker  # noqa: PLC0415 - a second that only this test pays

    rules = read_rules(text)
    assert rules.probabilistic is not None
    records = records_of(events(people), rules)
    model = train(records, rules, rules.probabilistic).model
    rows = [person.traits for person in records.people.values()]
    asked = settings(model) | {"blocking_rules_to_generate_predictions": ["1 = 1"]}
    linker = Linker(DuckDBAPI().register(table(rows, rules.probabilistic)), asked, log_level=None)
    theirs = linker.inference.predict().as_record_list()
    assert len(theirs) == len(rows) * (len(rows) - 1) // 2
    scorer = Scorer(model)
    prepared = [scorer.prepare(row) for row in rows]
    for at, row in enumerate(theirs):
        one, two = prepared[row["unique_id_l"]], prepared[row["unique_id_r"]]
        bits = scorer.weight(one, two)
        assert abs(bits - row["match_weight"]) < 1e-6
        assert abs(probability(bits) - row["match_probability"]) < 1e-6
        if at % 100 == 0:
            assert scorer.prior + sum(part.weight + part.frequency for part in scorer.explain(one, two)) == pytest.approx(bits)


def test_the_score_is_splinks() -> None:
    """Every pair of 400 generated records, some with values beyond ASCII, to 1e-6 of a bit."""
    people = [({**traits, "birth_place": "Žatec"} if at % 9 == 0 else traits, who) for at, (traits, who) in enumerate(PEOPLE[:400])]
    _equals_splink(people, HISTORICAL)


@pytest.mark.skipif(not FAKE_1000.exists(), reason="the data set fake_1000 is not beside the checkout")
def test_the_score_is_splinks_on_fake_1000() -> None:
    _equals_splink(fake_1000(FAKE_1000), FAKE)


@pytest.mark.skipif(not FAKE_1000.exists(), reason="the data set fake_1000 is not beside the checkout")
def test_clusters_of_fake_1000() -> None:
    """Pairwise F1 of at least 0.94, and nobody merged with another person."""
    found = run(fake_1000(FAKE_1000), FAKE)["with_support"]
    assert found["f1"] >= 0.94
    assert found["false_merges"] == 0


def test_support_keeps_families_apart() -> None:
    """700 records of historical persons: support gives more than connected components, and 0.9 in all."""
    found = run(PEOPLE, HISTORICAL)
    assert found["with_support"]["f1"] >= 0.9
    assert found["with_support"]["precision"] > found["connected_components"]["precision"]


def test_records_that_say_little_find_their_person() -> None:
    """2,000 records that were copied with errors: what speaks for a cluster finds them, and what is stated is nearly true."""
    found = run(Copies(3).records(200), HEAD + COMPARED["edits"])
    assert found["with_support"]["f1"] >= 0.93
    assert found["with_support"]["precision"] >= 0.98
    assert 0.01 < found["alone"] < 0.15
    assert found["calibration_error"] < 0.04


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Rules, events and truth, with the model written beside them."""
    files = _files(tmp_path_factory.mktemp("trained"), HISTORICAL, PEOPLE)
    done = skep("identity", "train", "--rules", str(files[0]), "--events", str(files[1]), "--json")
    told = orjson.loads(done.stdout)
    assert Path(told["model"]) == files[0].parent / MODEL_FILE
    assert Path(told["chart"]).read_text().startswith("<svg")
    kept = orjson.loads(Path(told["model"]).read_bytes())
    assert (told["prior"], told["alone"], told["trained"]) == (kept["prior"], kept["alone"], kept["trained"])
    assert {row["trait"] for row in told["weights"]} == {compare.trait for compare in _compares(HISTORICAL)}
    return files


def test_evaluate_tells_measures_by_threshold(trained: tuple[Path, Path, Path]) -> None:
    chart = trained[0].parent / "thresholds.svg"
    asked = ("--rules", str(trained[0]), "--events", str(trained[1]), "--truth", str(trained[2]), "--chart", str(chart), "--json")
    told = orjson.loads(skep("identity", "evaluate", *asked).stdout)
    assert told["accept"] == 0.95
    for one in (told, *told["thresholds"]):
        assert set(one["pairwise"]) == set(one["bcubed"]) == {"precision", "recall", "f1"}
    precisions = [row["pairwise"]["recall"] for row in told["thresholds"]]
    assert precisions[0] > precisions[-1]
    assert chart.read_text().count("<polyline") == 3
    curve = told["calibration"]["curve"]
    assert sum(row["pairs"] for row in curve) == told["candidates"]
    assert all(row["least"] <= row["stated"] <= 1 for row in curve)
    off = sum(row["pairs"] * abs(row["stated"] - row["one_person"]) for row in curve) / told["candidates"]
    assert told["calibration"]["error"] == pytest.approx(off)


def test_train_says_how_true_probabilities_are_by_its_own_clusters(trained: tuple[Path, Path, Path]) -> None:
    """Nearly all who are surely alike are in one cluster, nearly nobody who is surely not."""
    figures = orjson.loads((trained[0].parent / MODEL_FILE).read_bytes())["trained"]
    curve = figures["calibration"]["curve"]
    assert sum(row["pairs"] for row in curve) == figures["candidates"]
    assert curve[-1]["least"] == 0.99
    assert curve[-1]["one_person"] > 0.95
    assert curve[0]["least"] == 0
    assert curve[0]["one_person"] < 0.1


def test_training_is_shown(trained: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Prior, the share that is alone, and how true probabilities are, as the model file has them."""
    file = trained[0].parent / MODEL_FILE
    model = load(file.read_bytes(), _compares(HISTORICAL), "m")
    found = msgspec.convert(model.trained["calibration"], Calibration)
    show_training(Told(Trained(model, found, ["[first_name]"]), file, file.with_suffix(".svg")))
    said = capsys.readouterr().out
    assert f"alone: {model.alone:.4f} of the records, so a candidate has {weight(model.chance):+.2f} bits" in said
    assert f"calibration error: {found.error:.4f}" in said
    for row in found.curve:
        assert re.search(rf"\b{row.least:g} +{row.pairs:,} +{row.stated:.4f} +{row.one_person:.4f}\b", said)


def test_calibration_counts_pairs_by_what_is_stated_of_them() -> None:
    """By hand: of two stated at 0.5 one is right, of one at 0.8 none; who is not known counts nowhere."""
    whose = {b"a": "x", b"b": "x", b"c": "y"}
    pairs = [Match(b"a", b"b", 0.0), Match(b"a", b"c", 0.0), Match(b"b", b"c", 2.0), Match(b"a", b"d", 9.0)]
    found = calibration(pairs, whose)
    assert found.curve == [Bin(0.5, 2, 0.5, 0.5), Bin(0.8, 1, 0.8, 0.0)]
    assert found.error == pytest.approx(0.8 / 3)
    assert calibration([], whose).error == 0


def test_what_cannot_be_measured_or_drawn_is_refused(trained: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """A truth about nobody in the events, and a picture of another kind."""
    nobody = tmp_path / "nobody.jsonl"
    nobody.write_text('{"namespace": "record", "value": "no such record", "person": "p"}\n')
    asked = ("--rules", str(trained[0]), "--events", str(trained[1]), "--truth")
    assert "found none of them" in refused(skep("identity", "evaluate", *asked, str(nobody)))
    assert "--chart: expected a file that ends in .svg" in refused(
        skep("identity", "evaluate", *asked, str(trained[2]), "--chart", str(tmp_path / "chart.png"))
    )


def test_training_twice_gives_the_same_model(trained: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """And the order of the events does not matter to the records."""
    again = train_file(trained[0], trained[1], tmp_path / "again.json", None)
    first, second = (orjson.loads(path.read_bytes()) for path in (trained[0].parent / MODEL_FILE, again.model))
    assert second["prior"] == pytest.approx(first["prior"], rel=1e-6)
    lines = trained[1].read_bytes().splitlines()
    random.Random(1).shuffle(lines)
    rules = read_rules(HISTORICAL)
    told, shuffled = (records_of(some, rules).people for some in (trained[1].read_bytes().splitlines(), lines))
    assert {key: (one.traits, sorted(one.blocks)) for key, one in told.items()} == {
        key: (one.traits, sorted(one.blocks)) for key, one in shuffled.items()
    }


def test_labels_are_used(trained: tuple[Path, Path, Path], tmp_path: Path) -> None:
    told = train_file(trained[0], trained[1], tmp_path / "m.json", trained[2])
    assert told.trained.labels == len(PEOPLE)
    pairs = sum(a == b for (_, a), (_, b) in combinations(PEOPLE, 2))
    assert told.trained.model.prior == pytest.approx(pairs / (len(PEOPLE) * (len(PEOPLE) - 1) / 2))


def test_models_that_do_not_fit_are_refused(trained: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """Another format, other comparisons, other thresholds, a damaged file, no file: each with what to do."""
    raw = (trained[0].parent / MODEL_FILE).read_bytes()
    content: dict[str, Any] = orjson.loads(raw)
    compares = _compares(HISTORICAL)
    assert dump(load(raw, compares, "m")) == raw
    older = {key: value for key, value in content.items() if key != "alone"}
    assert load(orjson.dumps(older), compares, "m").alone == 1
    for changed, words in (
        ({**content, "format": FORMAT + 1}, f"expected a model of format {FORMAT}, found {FORMAT + 1}"),
        ({**content, "prior": 2}, "damaged"),
        ({**content, "alone": 0}, "damaged"),
        ({**content, "comparisons": content["comparisons"][:-1]}, "compare[6] is exact of gender, the model's missing"),
        ([], "expected a model written by"),
    ):
        with pytest.raises(UnusableModel) as refusal:
            load(orjson.dumps(changed), compares, "m.json")
        assert words in str(refusal.value)
    with pytest.raises(UnusableModel, match="edit_distance of postcode_fake at"):
        load(raw, _compares(HISTORICAL.replace("at: [1, 2]", "at: [1]")), "m.json")
    with pytest.raises(UnusableModel, match="for the comparisons"):
        load(raw, _compares(FEBRL), "m.json")
    files = _files(tmp_path, HISTORICAL, PEOPLE[:10])
    told = refused(skep("identity", "evaluate", "--rules", str(files[0]), "--events", str(files[1]), "--truth", str(files[2])))
    assert "expected the model that" in told
    assert "skep identity train" in told


def _compares(text: str) -> Any:
    rules = read_rules(text).probabilistic
    assert rules is not None
    return rules.compare


def test_records_that_share_nothing_train_nothing(tmp_path: Path) -> None:
    files = _files(tmp_path, HISTORICAL, [({"name": "a"}, "1"), ({"name": "b"}, "2")])
    assert "found none among 2" in refused(skep("identity", "train", "--rules", str(files[0]), "--events", str(files[1])))
    files[0].write_text("version: 1\n")
    assert "expected a `probabilistic` part" in refused(skep("identity", "train", "--rules", str(files[0]), "--events", str(files[1])))


def test_identifiers_without_truth_are_left_out(trained: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """With the truth of half of the records, the other half counts for nothing; a bad line is named."""
    half = tmp_path / "half.jsonl"
    half.write_bytes(b"".join(trained[2].read_bytes().splitlines(keepends=True)[::2]))
    assert evaluate_file(trained[0], trained[1], half, None).known == len(PEOPLE) // 2
    half.write_text('{"namespace": "record"}\n')
    told = refused(skep("identity", "evaluate", "--rules", str(trained[0]), "--events", str(trained[1]), "--truth", str(half)))
    assert f"{half}:1: expected an object with namespace, value and person" in told


def test_measures() -> None:
    """By hand: {a a b} {b b} {c} {c} has 2 right pairs of 4 said and of 5 true."""
    found = measure([["a", "a", "b"], ["b", "b"], ["c"], ["c"]])
    assert msgspec.structs.astuple(found.pairwise) == pytest.approx((2 / 4, 2 / 5, 4 / 9))
    assert found.bcubed.precision == pytest.approx((2 * 2 / 3 + 1 / 3 + 2 + 1 + 1) / 7)
    assert found.bcubed.recall == pytest.approx((2 * 1 + 1 / 3 + 2 * 2 / 3 + 1 / 2 + 1 / 2) / 7)
    assert (found.false_merges, found.false_splits) == pytest.approx((2 / 3, 2 / 3))
    assert measure([]).pairwise.f1 == 1.0


def test_charts_hold_what_is_told(trained: tuple[Path, Path, Path]) -> None:
    """Every level has its bar; names cannot break the picture."""
    model = load((trained[0].parent / MODEL_FILE).read_bytes(), _compares(HISTORICAL), "m")
    chart = weights_chart(model)
    assert chart.count("<rect") == 2 + sum(len(each.m) for each in model.comparisons)
    all_right = Shares(1.0, 1.0, 1.0)
    rows = [Measures(accept, all_right, all_right, 0.0, 0.0) for accept in (0.5, 0.95)]
    assert "<svg" in thresholds_chart(rows, 0.95)


def test_probability_of_extreme_weights() -> None:
    assert probability(-5000) < 1e-300
    assert probability(5000) == 1.0
