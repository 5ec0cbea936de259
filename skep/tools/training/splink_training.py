"""The first part of training, with Splink on DuckDB: how often values agree among records of one person, and among those of two."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import duckdb
import pyarrow as pa

from contracts.model.probabilistic import BlockField, BlockLine, Compare, Probabilistic
from operators.match.comparisons import canonical, columns, levels, prepare, term
from operators.match.model import TERMS_MAX, Model, Terms, Weights, shares
from operators.match.values import value_at

SEED = 1
U_PAIRS = 2_000_000
"""Random pairs from which the shares among two people are estimated."""
EM_PAIRS_MAX = 2_000_000
"""Pairs of one line from which the shares among one person are estimated; of more, a sample."""
EM_PAIRS_MIN = 50
"""A line that makes fewer pairs trains nothing."""
ROUNDS_MAX = 25
FIRST_PRIOR = 1e-4
"""Where the maximisation begins; its result depends on it little."""

Traits = Mapping[str, Any]


class TrainingImpossible(Exception):  # noqa: N818 - named for what it is
    """The records cannot train a model; the message says why, and what to do."""


def table(records: Sequence[Traits], rules: Probabilistic, people: Sequence[str | None] | None = None) -> pa.Table:
    """The records as Splink reads them: ``unique_id`` counts from 0, ``c<n>`` is the text of comparison n, ``b<n>`` a
    block's field that no comparison has; ``person`` is the label, if there are labels."""
    found: dict[str, list[Any]] = {"unique_id": list(range(len(records)))}
    types: dict[str, pa.DataType] = {"unique_id": pa.int64()}
    for at, compare in enumerate(rules.compare):
        texts = [value_at(record, compare.trait) for record in records]
        found[f"c{at}"] = [None if text is None else canonical(compare.how, text) for text in texts]
        types[f"c{at}"] = pa.string()
        for suffix, first in columns(compare.how, "").items():
            rows = [columns(compare.how, text)[suffix] for text in found[f"c{at}"]]
            found[f"c{at}{suffix}"] = rows
            types[f"c{at}{suffix}"] = pa.string() if isinstance(first, str) else pa.int64()
    for name, path in _extra(rules).items():
        found[name] = [value_at(record, path) for record in records]
        types[name] = pa.string()
    if people is not None:
        found["person"], types["person"] = list(people), pa.string()
    return pa.table({name: pa.array(values, types[name]) for name, values in found.items()})


def _extra(rules: Probabilistic) -> dict[str, str]:
    compared = {compare.trait for compare in rules.compare}
    paths = dict.fromkeys(field.path for line in rules.block if line.within_us is None for field in line.fields)
    return {f"b{at}": path for at, path in enumerate(path for path in paths if path not in compared)}


def settings(model: Model) -> dict[str, Any]:
    """The model as Splink's settings over the columns of `table`: what it scores, we score."""
    return _settings([weights.compare for weights in model.comparisons], model.chance, model)


def _settings(compares: Sequence[Compare], prior: float, model: Model | None = None) -> dict[str, Any]:
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": prior,
        "max_iterations": ROUNDS_MAX,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "blocking_rules_to_generate_predictions": [],
        "comparisons": [_comparison(at, compare, model.comparisons[at] if model else None) for at, compare in enumerate(compares)],
    }


def _comparison(at: int, compare: Compare, weights: Weights | None) -> dict[str, Any]:
    column = f"c{at}"
    rows: list[dict[str, Any]] = [
        {"sql_condition": f'"{column}_l" IS NULL OR "{column}_r" IS NULL', "label_for_charts": "nothing to compare", "is_null_level": True}
    ]
    for number, level in enumerate(levels(compare)):
        row: dict[str, Any] = {"sql_condition": level.sql.replace("{c}", column), "label_for_charts": level.label}
        if number == 0 and compare.term_frequency:
            row["tf_adjustment_column"] = column
        if weights:
            row |= {"m_probability": weights.m[number], "u_probability": weights.u[number]}
        rows.append(row)
    return {"output_column_name": column, "comparison_levels": rows}


class Trainer:
    """Splink over one table of records."""

    def __init__(self, records: Sequence[Traits], rules: Probabilistic, people: Sequence[str | None] | None = None) -> None:
        self._rules = rules
        self._rows = table(records, rules, people)
        self._total = len(records)
        if self._total < 2:
            raise TrainingImpossible(f"expected at least two records to train with, found {self._total}")
        self._quiet()
        from splink import DuckDBAPI  # noqa: PLC0415 - two seconds that only training pays

        self._con = duckdb.connect()
        self._api = DuckDBAPI(connection=self._con)
        self._registered = self._api.register(self._rows, table_name="records")

    @staticmethod
    def _quiet() -> None:
        logging.getLogger("splink").setLevel(logging.ERROR)

    def _linker(self, prior: float, model: Model | None = None) -> Any:
        from splink import Linker  # noqa: PLC0415

        return Linker(self._registered, _settings(self._rules.compare, prior, model), log_level=None, validate_settings=False)

    def lines(self) -> list[tuple[str, str, int, bool]]:
        """``(words, SQL, pairs, is it the rules' own)`` of the lines that can train: those of the rules, then every compared trait."""
        found: dict[str, tuple[str, str, int, bool]] = {}
        plain = [line.fields for line in self._rules.block if line.within_us is None]
        singles = [(BlockField(compare.trait),) for compare in self._rules.compare]
        for at, fields in enumerate((*plain, *singles)):
            columns_of = [(column, field.first) for field in fields for column in self._columns(field.path)]
            ends = [[_prefix(f'{side}."{column}"', first) for column, first in columns_of] for side in "lr"]
            sql = " AND ".join(f"{one} = {two}" for one, two in zip(*ends, strict=True))
            pairs = self._pairs([_prefix(f'"{column}"', first) for column, first in columns_of])
            found.setdefault(sql, (BlockLine(fields).text, sql, pairs, at < len(plain)))
        return list(found.values())

    def _columns(self, path: str) -> list[str]:
        compared = [f"c{at}" for at, compare in enumerate(self._rules.compare) if compare.trait == path]
        return compared or [name for name, extra in _extra(self._rules).items() if extra == path]

    def _pairs(self, terms: list[str]) -> int:
        there = " AND ".join(f"{term} IS NOT NULL" for term in terms)
        counted = f'SELECT count(*) AS n FROM "records" WHERE {there} GROUP BY {", ".join(terms)}'
        return int(self._con.execute(f"SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM ({counted})").fetchall()[0][0])

    def fit(self) -> tuple[Model, list[str]]:
        """The model by random pairs (u) and expectation maximisation (m), and the lines that trained it."""
        linker = self._linker(FIRST_PRIOR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            linker.training.estimate_u_using_random_sampling(max_pairs=U_PAIRS, seed=SEED, min_count_per_level=None, num_chunks=1)
        return self._maximised(linker)

    def again(self, model: Model) -> Model:
        """The model with m maximised anew, from its prior and its u on."""
        return self._maximised(self._linker(model.prior, model))[0]

    def _maximised(self, linker: Any) -> tuple[Model, list[str]]:
        from splink.internals.exceptions import EMTrainingException, SplinkException  # noqa: PLC0415

        used, untrained = [], set(range(len(self._rules.compare)))
        for words, sql, pairs, own in self.lines():
            trains = {number for number in range(len(self._rules.compare)) if f'"c{number}"' not in sql}
            if pairs < EM_PAIRS_MIN or not trains or not (own or trains & untrained):
                continue
            most = EM_PAIRS_MAX if pairs > EM_PAIRS_MAX else None
            with warnings.catch_warnings(), suppress(EMTrainingException, SplinkException):
                warnings.simplefilter("ignore")
                train = linker.training.estimate_parameters_using_expectation_maximisation
                train(sql, estimate_without_term_frequencies=True, max_pairs=most)
                used.append(words)
                untrained -= trains
        return self._model(linker), used

    def _model(self, linker: Any) -> Model:
        found = linker.misc.save_model_to_json()
        weights = []
        for at, compare in enumerate(self._rules.compare):
            rows = found["comparisons"][at]["comparison_levels"][1:]
            m, u = (shares([_trained(row.get(key)) for row in rows]) for key in ("m_probability", "u_probability"))
            weights.append(Weights(compare, m, u, self._terms(at) if compare.term_frequency else None))
        return Model(float(found["probability_two_random_records_match"]), tuple(weights))

    def _terms(self, at: int) -> Terms:
        """How often each value occurs; the keys are as the scoring asks for them."""
        counted = Counter(text for text in self._rows.column(f"c{at}").to_pylist() if text is not None)
        how = self._rules.compare[at].how
        often = {term(how, prepare(how, text)): number for text, number in counted.most_common(TERMS_MAX) if number > 1}
        return Terms(counted.total(), often)


def _trained(value: object) -> float | None:
    """The share of a level; None for one that Splink did not observe."""
    return float(value) if isinstance(value, int | float) else None


def _prefix(column: str, first: int | None) -> str:
    return column if first is None else f"substr({column}, 1, {first})"
