"""What the machine can do without us: decode each event, one RocksDB get and one put for it, in write batches of the same size.

    python -m perf.floor EVENTS.jsonl [--batch 2000] [--key user|message]

The key is a 16-byte hash of the event's userId (or, with `--key message`, of its messageId, as a store of events would
have it), the value the event's own bytes. JSON is decoded by the faster of orjson
and msgspec, found out on the first records. RocksDB has the options of the flow's own point reads (bloom filters, LZ4,
64 MB write buffers), its write-ahead log on, no fsync, as the flow by default. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Callable
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import orjson
from rocksdict import AccessType, Cache, Rdict, WriteBatch

from perf.meter import cpu_seconds
from state.shard import _family_options, _options

CACHE_BYTES = 64_000_000
_KEYS = {"user": "userId", "message": "messageId"}


def fastest(sample: list[bytes]) -> tuple[str, Callable[[bytes], Any]]:
    """The faster decoder, by what it costs on a sample."""
    decoders: dict[str, Callable[[bytes], Any]] = {"orjson": orjson.loads, "msgspec": msgspec.json.Decoder().decode}
    costs: dict[str, float] = {}
    for _ in range(3):
        for name, decode in decoders.items():
            began = time.thread_time()
            for line in sample:
                decode(line)
            costs[name] = min(costs.get(name, 1e9), time.thread_time() - began)
    best = min(costs, key=lambda name: costs[name])
    return best, decoders[best]


def run(path: Path, folder: Path, size: int, field: str) -> dict[str, Any]:
    """Read, decode, get, put, write; returns what it cost."""
    with path.open("rb") as stream:
        name, decode = fastest(list(islice(stream, 2000)))
    gc.collect()
    gc.freeze()
    gc.disable()
    cpu, wall, events = cpu_seconds(), time.perf_counter(), 0
    families = {"rows": _family_options("people", Cache(CACHE_BYTES))}
    db = Rdict(str(folder), _options(), column_families=families, access_type=AccessType.read_write())
    rows = db.get_column_family("rows")
    handle, get = db.get_column_family_handle("rows"), rows.get
    with path.open("rb") as stream:
        while batch := list(islice(stream, size)):
            writes = WriteBatch(raw_mode=True)
            put = writes.put
            for line in batch:
                key = blake2b(decode(line)[field].encode(), digest_size=16).digest()
                get(key)
                put(key, line, handle)
            db.write(writes)
            events += len(batch)
    del handle, put, get
    rows.close()
    db.close()
    cpu, wall = cpu_seconds() - cpu, time.perf_counter() - wall
    per_event = round(cpu * 1e6 / max(1, events), 3)
    return {"events": events, "decoder": name, "cpu_us_per_event": per_event, "events_per_s": round(events / wall)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("events", type=Path)
    parser.add_argument("--batch", type=int, default=2000)
    parser.add_argument("--key", choices=sorted(_KEYS), default="user")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="skep-floor-") as folder:
        print(orjson.dumps(run(options.events, Path(folder) / "db", options.batch, _KEYS[options.key])).decode())


if __name__ == "__main__":
    main()
