"""Versions of lookups: the rows of one as a Parquet file of keys and values, named by its content."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from state.errors import NoVersion
from state.files import needing_room, replace, replacing

_SCHEMA = pa.schema([("key", pa.string()), ("value", pa.string())])


def put_table(folder: Path, keys: Sequence[str], values: Sequence[bytes]) -> str:
    """Keep rows in order of their keys, each value a JSON object; returns the version, 16 hexadecimal digits of their content.

    Durable when it returns. Raises `DiskFull`.
    """
    version = _digest(keys, values)
    path = folder / f"{version}.parquet"
    if not path.exists():
        table = pa.table({"key": pa.array(keys, pa.string()), "value": pa.array(values, pa.string())}, schema=_SCHEMA)
        with needing_room(folder, "the version in force stays. Free some space and do it again."):
            folder.mkdir(parents=True, exist_ok=True)
            with replacing(path) as fresh:
                pq.write_table(table, fresh, compression="zstd")
    return version


def read_table(folder: Path, version: str) -> tuple[list[str], list[str]]:
    """The keys and values of a version. Raises `NoVersion`."""
    path = folder / f"{version}.parquet"
    try:
        table = pq.read_table(path)
        keys, values = table.column("key").to_pylist(), table.column("value").to_pylist()
    except FileNotFoundError as error:
        raise NoVersion(f"{path} is not there, though a control entry names it: restore it from a backup") from error
    except (pa.ArrowException, OSError, KeyError) as error:
        raise NoVersion(f"{path}: expected the rows of a lookup, found: {error}; restore it from a backup") from error
    if _digest(keys, [value.encode() for value in values]) != version:
        raise NoVersion(f"{path}: expected rows of the digest {version}, found others; restore it from a backup")
    return keys, values


def put_content(folder: Path, content: bytes, suffix: str) -> str:
    """Keep data that is no table as it is; returns its version. Raises `DiskFull`."""
    version = blake2b(content, digest_size=8).hexdigest()
    path = folder / f"{version}{suffix}"
    if not path.exists():
        with needing_room(folder, "the version in force stays. Free some space and do it again."):
            replace(path, content)
    return version


def kept_content(folder: Path, version: str, suffix: str) -> Path:
    """Where what `put_content` kept lies, as it was. Raises `NoVersion`."""
    path = folder / f"{version}{suffix}"
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise NoVersion(f"{path} is not there, though a control entry names it: restore it from a backup") from error
    if blake2b(content, digest_size=8).hexdigest() != version:
        raise NoVersion(f"{path}: expected content of the digest {version}, found another; restore it from a backup")
    return path


def _digest(keys: Sequence[str], values: Sequence[bytes]) -> str:
    total = blake2b(orjson.dumps(keys), digest_size=8)
    for value in values:
        total.update(b"\n" + value)
    return total.hexdigest()
