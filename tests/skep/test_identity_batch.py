"""What `train` and `evaluate` make of a file is what a flow makes of the same events, in any order of its lines."""

from __future__ import annotations

from collections import defaultdict
from random import Random

import orjson
import pytest

from contracts import load
from operators.match import model as trained
from skep.tools.training.linked import Linked
from skep.tools.training.records import records_of
from tests import model
from tests.engine import HASHER
from tests.generator import to_events
from tests.graphs import likenesses

GROUPS, SEEDS = 5, 25


@pytest.mark.parametrize("group", range(GROUPS))
def test_clusters_of_a_file_are_the_people_of_the_model(group: int) -> None:
    """With manual entries, shared devices, windowed lines, blocks that are too large, limits and support."""
    for seed in range(group * SEEDS, (group + 1) * SEEDS):
        scenario = likenesses(seed)
        definitions = load(scenario.definitions_files)
        rules, settings = definitions.identity, definitions.identity.probabilistic
        assert settings is not None
        events = to_events(scenario.events, definitions)
        people = defaultdict(list)
        for line in map(orjson.loads, model.dump(events, scenario.control, definitions, scenario.at(events), hasher=HASHER)):
            if line["kind"] == "identifier":
                people[line["profile"]].append((line["namespace"], line["value"]))
        lines = [orjson.dumps(body) for body in [*scenario.events, *scenario.control]]
        records = records_of(Random(seed).sample(lines, len(lines)), rules)
        weights = trained.load(definitions.files[settings.model].encode(), settings.compare, settings.model)
        found = Linked(records, rules, settings, weights).clusters(settings.accept)
        clusters = sorted(sorted(each for key in cluster for each in records.people[key].identifiers) for cluster in found)
        assert clusters == sorted(sorted(each) for each in people.values()), seed
