"""What the schemas for editors cost: their size, and the time to make and write them, of a shop of many events.

    python -m perf.editor [--events 200] [--properties 50] --json

`load_s` is the time to load the contracts, for comparison; `bytes` the size of the largest schema. Seconds are of CPU.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from contracts import load
from perf.processes import show
from skep.tools.editor.schemas import schemas, write

_KINDS: tuple[dict[str, Any], ...] = (
    {"type": "number", "description": "an amount of this event"},
    {"type": "string", "description": "a text of this event"},
    {"type": "boolean"},
    {"enum": ["red", "green", "blue"]},
    {"type": ["integer", "null"]},
)


def measure(events: int, properties: int) -> dict[str, Any]:
    """Times in seconds, the size in bytes."""
    schema = {"type": "object", "properties": {f"property_{n}": _KINDS[n % len(_KINDS)] for n in range(properties)}}
    files = {f"events/event_number_{n}/1-0-0.json": json.dumps(schema) for n in range(events)}
    times = [time.process_time()]
    definitions = load(files)
    times.append(time.process_time())
    made = schemas(definitions)
    times.append(time.process_time())
    with TemporaryDirectory() as folder:
        write(Path(folder), made)
        times.append(time.process_time())
        size = max(path.stat().st_size for path in Path(folder).iterdir())
    seconds = dict(zip(("load_s", "make_s", "write_s"), (round(end - start, 3) for start, end in pairwise(times)), strict=True))
    return {"events": events, "properties": properties, "bytes": size, **seconds}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--properties", type=int, default=50)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    show(measure(options.events, options.properties), as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
