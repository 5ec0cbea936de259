"""What is right of files that change, said naively: which records have been read after each look at a file, and whether it stands still."""

from __future__ import annotations

import json
from dataclasses import dataclass, field


@dataclass
class FileModel:
    """One partition over a file of lines; ``follow``: it is looked at by a flow that waits for more.

    ``read`` is the content up to and with the last line that counted; ``torn``: that line had no line break when it did.
    """

    header: bool = False
    """Whether the first line names columns: a last row is whole if it has as many fields."""
    read: bytes = b""
    torn: bool = False
    records: list[bytes] = field(default_factory=list)
    stopped: bool = False

    def look(self, content: bytes, *, follow: bool, ended: bool = False) -> None:
        """The file holds this now. ``ended``: nothing can come behind it (the end mark of gzip)."""
        behind = content[len(self.read) :]
        self.stopped = not content.startswith(self.read) or (self.torn and behind[:1] not in (b"", b"\n"))
        if self.stopped:
            return
        whole, _, last = behind.rpartition(b"\n")
        lines = whole.split(b"\n")
        taken = len(content) - len(last)
        self.torn = self.torn and not behind
        if last and (not follow or ended) and self._is_whole(last):
            lines.append(last)
            taken, self.torn = len(content), True
        first = self.header and not self.read.strip()
        self.records += [line for line in lines if line.strip()][1 if first else 0 :]
        self.read = content[:taken]

    def _is_whole(self, line: bytes) -> bool:
        if self.header:
            return line.count(b",") == 1
        try:
            json.loads(line)
        except ValueError:
            return False
        return True

    def reread(self) -> None:
        """Begin anew: all of it is read."""
        self.read, self.torn, self.stopped = b"", False, False

    def skip(self, content: bytes) -> None:
        """Begin anew behind what the file holds now."""
        kept, self.records = self.records, []
        self.reread()
        self.look(content, follow=False)
        self.records = kept
