"""What lookups cost: an event that finds something, loading a version, and the memory that it takes.

    python -m perf.lookups [--rows 1000000] [--events 200000] --json

A CSV file of so many rows, each with a text and a number of its own and one of a hundred regions, is loaded as `skep lookups refresh`
does (`refresh_s`) and as a flow does (`load_s`, `bytes_per_row` of resident memory). `us_per_event` is what looking it up adds to an
event, of which a batch of 2,000 is enriched at a time; `stored_bytes` what is stored with each.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from connectors.lookups.data import Loaded, load_lookup
from contracts.model.event import Event
from contracts.model.lookup import Lookup
from operators.lookups.enrich import Enricher
from operators.lookups.found import LookupTable
from perf.processes import show
from state.lookup_data import put_table, read_table

BATCH = 2_000


def measure(rows: int, events: int) -> dict[str, Any]:
    """One table, and events that find one of its rows each."""
    lookup = Lookup("product", "csv", "products.csv", "sku", ("properties.sku",))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / lookup.path
        path.write_text("sku,region\n" + "".join(f"A-{number},region {number % 100}\n" for number in range(rows)))
        began = time.process_time()
        loaded = load_lookup(lookup, Path(folder))
        assert isinstance(loaded, Loaded)
        version = put_table(Path(folder), *loaded)
        refresh = time.process_time() - began
        del loaded
        before, began = psutil.Process().memory_info().rss, time.process_time()
        table = LookupTable(lookup, version, *read_table(Path(folder), version))
        load = time.process_time() - began
        size = psutil.Process().memory_info().rss - before
    enricher = Enricher([(lookup, table.look)])
    spent, stored = 0.0, 0
    for first in range(0, events, BATCH):
        batch = [_event(number, rows) for number in range(first, min(first + BATCH, events))]
        began = time.process_time()
        for event in batch:
            enricher.enrich(event)
        spent += time.process_time() - began
        stored += sum(len(event.lookup) for event in batch)
    return {
        "rows": rows,
        "events": events,
        "us_per_event": round(spent / events * 1e6, 2),
        "stored_bytes": round(stored / events, 1),
        "refresh_s": round(refresh, 2),
        "load_s": round(load, 2),
        "bytes_per_row": round(size / rows),
    }


def _event(number: int, rows: int) -> Event:
    properties = {"sku": f"A-{number * 7919 % rows}"}
    body = {"type": "track", "event": "paid", "properties": properties, "context": {"ip": "10.0.0.1"}}
    return Event(number, number, f"m{number}", "track", "paid", "", (), properties, None, None, None, body, b"")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    show(measure(options.rows, options.events), as_json=options.json)


if __name__ == "__main__":
    main()
