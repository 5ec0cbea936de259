"""What links by likeness cost: comparing a new record, a whole stream of new records, and `skep identity evaluate`.

The records are those of `perf.matching_data.Historical`, in the rules of `perf.matching`. Comparing is done as a stream does it,
one record after the other: its values, its blocks, who is in them, the weight of each candidate, and into the index. Its floor
is the two calls of rapidfuzz that a pair of names needs. The stream is the whole people step (`Space.apply` of judged batches).
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rapidfuzz.distance import JaroWinkler

from operators.match.evidence import Evidence
from operators.match.scoring import Prepared, Scorer
from operators.meta import Meta
from operators.people.blocks import BlockIndex
from perf.matching import HISTORICAL, read_rules
from perf.matching_data import Historical, PersonRecord, events, truth
from perf.stream import BATCH, Stream
from skep.tools.training.commands import evaluate_file, read_model, train_file
from state.shard import Shard

NEW = 0.1
"""The share of the records, the last ones, over which the cost of a new one is taken."""


def likeness(folder: Path, number: int) -> dict[str, Any]:
    """Figures of so many records; the model is trained with them first."""
    folder.mkdir(parents=True)
    records = Historical(1).records(number)
    files = [folder / name for name in ("identity.yaml", "events.jsonl", "_truth.jsonl")]
    told = [line.replace(b'"anonymous_id"', b'"record"') for line in truth(records)]
    for file, lines in zip(files, ([HISTORICAL.encode()], events(records), told), strict=True):
        file.write_bytes(b"".join(lines))
    began = time.perf_counter()
    train_file(files[0], files[1], None, None)
    trained = time.perf_counter()
    measured = evaluate_file(files[0], files[1], files[2], None)
    found = {"records": number, "train_s": trained - began, "evaluate_s": time.perf_counter() - trained, "f1": measured.pairwise.f1}
    return {**found, "comparing": comparing(files[0], records), "stream": streaming(folder, files[1])}


def comparing(rules_file: Path, records: list[PersonRecord]) -> dict[str, Any]:
    """Records compared in a second of CPU, when nearly all others are in the index."""
    settings = read_rules(HISTORICAL).probabilistic
    assert settings is not None
    shard = Shard(rules_file.parent / "index")
    scorer, evidence = Scorer(read_model(rules_file, settings)), Evidence(settings)
    index = BlockIndex(shard.blocks, settings.block_limit, Meta())
    known: dict[bytes, Prepared] = {}
    pairs, first, began = 0, len(records) - max(1, int(len(records) * NEW)), 0.0
    for number, (traits, _) in enumerate(records):
        if number == first:
            pairs, began = 0, time.process_time()
        key, new, blocks = number.to_bytes(16, "big"), scorer.prepare(traits), evidence.blocks(traits, ())
        for other in {each for block in blocks for each in index.members(block) or ()}:
            scorer.weight(new, known[other])
            pairs += 1
        for block in blocks:
            index.add(block, key)
        known[key] = new
        if number % BATCH == 0:
            shard.commit()
            index.committed()
    spent, new_records = time.process_time() - began, len(records) - first
    shard.close()
    return {"pairs_per_record": pairs / new_records, "records_per_s": new_records / spent, "ratio": _floor(records, pairs) / spent}


def _floor(records: list[PersonRecord], pairs: int) -> float:
    """CPU in seconds of two similarities of texts for each pair."""
    texts = [next(iter(traits.values()), "") for traits, _ in records]
    similarity, size = JaroWinkler.similarity, len(texts)
    began = time.process_time()
    for at in range(pairs):
        similarity(texts[at % size], texts[(at * 7 + 1) % size])
        similarity(texts[(at * 3) % size], texts[(at * 5 + 1) % size])
    return time.process_time() - began


def streaming(folder: Path, file: Path) -> dict[str, Any]:
    """Records that the people step takes in a second of CPU: of all, and of the last ones."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.suffix in {".yaml", ".json"}}
    stream = Stream(folder / "shard", texts)
    judged = stream.judged(file.read_bytes().splitlines())
    spent, sizes = [], []
    for at in range(0, len(judged), BATCH):
        batch = judged[at : at + BATCH]
        began = time.process_time()
        stream.apply(batch)
        spent.append(time.process_time() - began)
        sizes.append(len(batch))
    people = stream.space.meta.people
    stream.close()
    last = max(1, round(len(sizes) * NEW))
    return {"people": people, "records_per_s": sum(sizes) / sum(spent), "at_the_end_per_s": sum(sizes[-last:]) / sum(spent[-last:])}


def rounded(value: Any) -> Any:
    """Figures as they are printed."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return value if not isinstance(value, float) else round(value, 3 if value < 100 else 0)
