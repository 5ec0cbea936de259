"""What a running flow does for commands: it alone has the shards open. Between two batches it looks for a question, a thread does it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event, Thread
from typing import IO, Any

import msgspec

from skep.project.asking import give, taken
from skep.project.log import logger
from state.shard import Shard
from state.sizes import stalls

LOOK_SECONDS = 1.0
"""How often it is looked whether somebody asks."""


class Asked:
    """``shards``: by space, what the flow has open; ``seconds`` a clock that never goes back."""

    def __init__(self, folder: Path, shards: Mapping[str, Shard], seconds: Callable[[], float] = time.monotonic) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._shards, self._seconds = folder, shards, seconds
        self._looked = -LOOK_SECONDS
        self._thread: Thread | None = None
        self._stop = Event()
        self._does: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "stalls": self._stalls,
            "compact": self._compact,
            "checkpoint": self._checkpoint,
        }

    def look(self) -> None:
        """Take a question, if there is one and none is under way; looks at most every `LOOK_SECONDS`."""
        now = self._seconds()
        if now - self._looked < LOOK_SECONDS or (self._thread is not None and self._thread.is_alive()):
            return
        self._looked = now
        found = taken(self._folder)
        if found is not None:
            # The end of the process does not wait for it by itself, but in `close`.
            self._thread = Thread(target=self._answer, args=found, name="asked", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """The flow ends: what is under way is given up."""
        self._stop.set()
        if self._thread is not None and self._thread.is_alive():
            for shard in self._shards.values():
                shard.db.cancel_all_background(False)
            self._thread.join()

    def _answer(self, asked: IO[bytes], question: dict[str, Any]) -> None:
        what = str(question.get("what"))
        try:
            answer = self._does[what](question)
        except Exception as error:  # noqa: BLE001 - it is the command's, and must not end the flow
            logger().warning(f"{what}: not done, which a command has asked for", because=str(error))
            answer = {"error": f"the flow could not do it: {error}"}
        give(asked, answer)

    # ---- what can be asked

    def _stalls(self, _question: dict[str, Any]) -> dict[str, Any]:
        return {space: msgspec.to_builtins(stalls(shard)) for space, shard in self._shards.items()}

    def _compact(self, question: dict[str, Any]) -> dict[str, Any]:
        begun = self._seconds()
        for space in question["spaces"]:
            logger().info("compacting", space=space)
            for family in self._shards[space].families.values():
                if self._stop.is_set():
                    return {"error": "the flow was stopped meanwhile; what is compacted stays so → once more"}
                family.compact()
        return {"seconds": round(self._seconds() - begun, 1)}

    def _checkpoint(self, question: dict[str, Any]) -> dict[str, Any]:
        for space in question["spaces"]:
            self._shards[space].checkpoint(Path(question["folder"]) / space)
            logger().info("checkpoint", space=space, folder=question["folder"])
        return {}
