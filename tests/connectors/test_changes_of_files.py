"""Files that are appended to, torn, cut, replaced, packed again, touched: the reader equals the model of `tests.model_files`."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from random import Random

import msgspec
import orjson
import pytest

from connectors.sources.marks import decode, encode
from connectors.sources.memory import Memory
from connectors.sources.reader import DISCOVER_US, Reader
from connectors.sources.source import SourceSpec, open_records
from contracts.model.batches import SourceBatch
from contracts.model.definitions import Mapping
from contracts.model.partitions import generation
from tests.model_files import FileModel

MAPPING = Mapping("rows", {"columns": {"userId": "a", "properties.b": "b"}, "message_id": {"columns": ["a", "b"]}}, "rows.yaml")
FILE = "web/{}"


class Stores(Memory):
    """What a flow would have stored, and the files that have begun anew."""

    def __init__(self, folder: Path, kind: str, name: str) -> None:
        self.folder, self.name = folder, name
        self.spec = SourceSpec("web", kind, folder / name, MAPPING, "shop")  # type: ignore[arg-type]
        self.positions: dict[str, int] = {}
        self.marks: dict[str, bytes] = {}
        self.number = 1
        self.us = 0
        self.records: list[bytes] = []
        self.reader: Reader | None = None

    def mark(self, space: str, partition: str) -> bytes:
        return self.marks.get(partition, b"")

    def generation(self, space: str, file: str) -> int:
        return self.number

    @property
    def partition(self) -> str:
        return generation(f"web/{self.name}", self.number)

    @property
    def stands(self) -> bool:
        """Whether nothing more is read of the file."""
        mark = decode(self.marks.get(self.partition))
        return mark is not None and bool(mark.stopped)

    def open(self, *, follow: bool, size: int) -> Reader:
        # The archive may be behind what people have applied.
        behind = size % 2
        return Reader([self.spec], {}, lambda _, part: max(0, self.positions.get(part, 0) - behind), batch_size=size, follow=follow,
                      now_us=lambda: self.us, memory=self)  # fmt: skip

    def keep(self, batch: SourceBatch) -> None:
        """As the people step: position and mark in one commit."""
        done = self.positions.get(batch.partition, 0)
        assert batch.first <= done + 1
        assert batch.last == batch.first + len(batch.records) - 1
        self.records += batch.records[done + 1 - batch.first :]
        self.positions[batch.partition] = max(done, batch.last)
        if batch.mark:
            self.marks[batch.partition] = batch.mark

    def once(self, rng: Random) -> None:
        """A run to the end of the input, which is killed now and then and started again."""
        self.reader = None
        while True:
            reader = self.open(follow=False, size=rng.choice((1, 2, 100)))
            killed = rng.random() < 0.3
            while not reader.done:
                for batch in reader.poll():
                    self.keep(batch)
                if killed and rng.random() < 0.5:
                    break
            if reader.done:
                return

    def follow(self, rng: Random) -> None:
        """A flow that follows has caught up; now and then it is another one."""
        if self.reader is None or rng.random() < 0.2:
            self.reader = self.open(follow=True, size=rng.choice((1, 100)))
        for _ in range(2):
            self.us += DISCOVER_US
            while batches := [batch for batch in self.reader.poll() if batch.records or batch.mark]:
                for batch in batches:
                    self.keep(batch)


def line(rng: Random, kind: str) -> bytes:
    number = rng.randrange(1000)
    return b"%d,%d" % (number, rng.randrange(1000)) if kind == "csv" else orjson.dumps({"n": number, "t": "x" * rng.randrange(20)})


def changed(rng: Random, kind: str, content: bytes, header: bytes) -> bytes:
    """What somebody has made of the file; a file of rows keeps its names of columns, or is empty."""
    content = content or header

    def lines(count: int) -> bytes:
        return b"".join(line(rng, kind) + rng.choice((b"\n", b"\n", b"\n\n")) for _ in range(count))

    def torn() -> bytes:
        whole = line(rng, kind)
        return whole[: rng.randrange(1, len(whole) + 1)]

    do: list[Callable[[], bytes]] = [
        lambda: content + lines(rng.randrange(4)),
        lambda: content + torn(),
        lambda: content + b"\n" + lines(rng.randrange(3)),
        lambda: content,
        lambda: content[: rng.randrange(len(header), len(content) + 1)],
        lambda: header + lines(rng.randrange(6)),
        lambda: header + content[len(header) :].replace(b"1", b"2"),
        lambda: b"",
    ]
    return rng.choices(do, (5, 4, 3, 2, 1, 1, 1, 0.3))[0]()


def write(rng: Random, path: Path, content: bytes) -> None:
    packed = gzip.compress(content, rng.choice((1, 9)), mtime=rng.randrange(9)) if path.suffix == ".gz" else content
    if rng.random() < 0.3 or not path.exists():
        fresh = path.with_name("fresh.tmp")
        fresh.write_bytes(packed)
        fresh.replace(path)
    elif packed.startswith(path.read_bytes()):
        with path.open("ab") as stream:
            stream.write(packed[path.stat().st_size :])
    else:
        path.write_bytes(packed)
    # Somebody who writes twice within the clock's grain of the file system is not tested.
    os.utime(path, ns=(0, rng.randrange(1 << 60)))


@pytest.mark.parametrize("follow", [0.0, 1.0, 0.5], ids=["once", "follow", "both"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.csv", "a.csv.gz"])
def test_the_reader_equals_the_model(tmp_path: Path, name: str, follow: float) -> None:
    for seed in range(30):
        rng = Random(f"{name}:{follow}:{seed}")
        kind = name.split(".")[1]
        folder = tmp_path / str(seed)
        folder.mkdir()
        header = b"a,b\n" if kind == "csv" else b""
        stores, model, content = Stores(folder, kind, name), FileModel(header=kind == "csv"), header
        packed = name.endswith(".gz")
        for step in range(8):
            content = changed(rng, kind, content, header)
            write(rng, folder / name, content)
            follows = rng.random() < follow
            (stores.follow if follows else stores.once)(rng)
            model.look(content, follow=follows, ended=packed)
            found = stores.stands, [shown(record, kind) for record in stores.records]
            # What a row that has too many or too few fields becomes is another matter: here it counts.
            expected = [there if kind == "csv" and row.count(b",") != 1 else row for row, there in zip_longest(model.records, found[1])]
            assert found == (model.stopped, expected), (seed, step, content)
            if model.stopped and rng.random() < 0.6:
                stores.number, stores.reader = stores.number + 1, None
                if rng.random() < 0.5:
                    model.reread()
                else:
                    stores.marks[stores.partition] = skipped(stores, content)
                    model.skip(content)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "cp1252"])
@pytest.mark.parametrize("follow", [0.0, 1.0, 0.5], ids=["once", "follow", "both"])
def test_files_of_wide_characters_grow_too(tmp_path: Path, encoding: str, follow: float) -> None:
    """A line break is more than one byte there."""
    rng = Random(f"{encoding}:{follow}")
    mapping = Mapping("rows", {**MAPPING.spec, "csv": {"encoding": encoding}}, "rows.yaml")
    stores = Stores(tmp_path, "csv", "a.csv")
    stores.spec = SourceSpec("web", "csv", tmp_path / "a.csv", mapping, "shop")
    text = "a,b\n1,2\n"
    for more in ("", "3,4", "\n5,6\n", "7,8\n9,10\n"):
        text += more
        write(rng, tmp_path / "a.csv", text.encode(encoding))
        (stores.follow if rng.random() < follow else stores.once)(rng)
    assert ([shown(record, "csv") for record in stores.records], stores.stands) == ([b"1,2", b"3,4", b"5,6", b"7,8", b"9,10"], False)


def skipped(stores: Stores, content: bytes) -> bytes:
    """The mark of a command that counts what is in the file."""
    records = open_records(stores.spec, stores.folder / stores.name, skip=0, follow=False)
    count = len(records.take(10_000)) if content else 0
    assert records.peek() is None
    return encode(msgspec.structs.replace(records.mark(), behind=count, waiting=0))


def shown(record: bytes, kind: str) -> bytes:
    """The line that a record is made of."""
    if kind == "jsonl":
        return record
    event = orjson.loads(record)
    return f"{event.get('userId', '')},{event.get('properties', {}).get('b', '')}".encode()
