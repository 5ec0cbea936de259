"""What a flow knows of files that were read before: from the shards of its spaces."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import orjson

from connectors import control
from connectors.sources import marks
from connectors.sources.memory import ALWAYS, Memory
from connectors.sources.source import SourceSpec
from contracts.model.definitions import Definitions, Mapping
from contracts.model.partitions import generation
from operators.epochs import CONTROL, spans
from operators.people.space import Space
from skep.answers.sources import SourceFile, refusal
from skep.project.log import logger
from skep.project.settings import Settings
from skep.project.spaces import control_path
from state.keys import mark_key


class Remembered(Memory):
    """Of the spaces of one flow."""

    def __init__(self, settings: Settings, spaces: dict[str, Space], load: Callable[[str], Definitions]) -> None:
        self._settings, self._spaces, self._load = settings, spaces, load
        self._mappings = {source.name: source.mapping for source in settings.sources}
        self._asked: set[tuple[str, str]] = set()
        """Space and partition of files that are to be read anew."""

    def mark(self, space: str, partition: str) -> bytes:
        return self._spaces[space].shard.meta.get(mark_key(partition)) or b""

    def generation(self, space: str, file: str) -> int:
        return self._spaces[space].meta.generations.get(file, 1)

    def mapping(self, spec: SourceSpec, partition: str, position: int) -> tuple[Mapping | None, int]:
        name, epochs = self._mappings.get(spec.name), self._spaces[spec.space].meta.epochs
        if name is None or not epochs:
            return super().mapping(spec, partition, position)
        digest, _, last = next(spans(epochs, partition, position, ALWAYS - 1))
        return self._load(digest).mappings.get(name), last + 1

    def applied(self, space: str) -> int:
        return self._spaces[space].meta.applied.get(CONTROL, 0)

    def stopped(self, space: str, partition: str, why: str) -> None:
        if self._settings.follow:
            logger().error("partition stopped: `skep sources` says what to do", space=space, partition=partition, because=why)

    def waiting(self, space: str, source: str, why: str) -> None:
        logger().warning("source out of reach: it is waited for", space=space, source=source, because=why)

    def heard(self, space: str, source: str) -> None:
        logger().info("source is within reach again", space=space, source=source)

    def reread(self, spec: SourceSpec, file: str, why: str) -> None:
        space, number = spec.space, self.generation(spec.space, file) + 1
        partition = generation(file, number)
        if (space, partition) in self._asked:
            return
        self._asked.add((space, partition))
        log = logger()
        fault = refusal(self._settings, self._file(spec, file))
        if fault:
            log.error("a changed file is not read anew", partition=file, because=fault)
            return
        log.warning("a changed file is read anew", partition=partition, because=why)
        if not self._is_asked(space, file, number):
            entry = {"type": "reread", "file": file, "generation": number, "by": f"skep.yaml: changed of source {spec.name}", "why": why}
            control.append(control_path(self._settings, space), entry)

    def _file(self, spec: SourceSpec, file: str) -> SourceFile:
        meta = self._spaces[spec.space].meta
        partition = meta.partition(file)
        mark = marks.decode(self.mark(spec.space, partition))
        return SourceFile(spec.space, spec.name, file, partition, None, meta.applied.get(partition, 0), finished=False, mark=mark)

    def _is_asked(self, space: str, file: str, number: int) -> bool:
        """Whether an entry that says so waits already, of a run that ended before it was applied."""
        path = control_path(self._settings, space)
        for line in path.read_bytes().splitlines() if path.exists() else ():
            if b'"reread"' in line or b'"skip"' in line:
                with suppress(orjson.JSONDecodeError):
                    entry = orjson.loads(line)
                    if (entry.get("file"), entry.get("generation")) == (file, number):
                        return True
        return False
