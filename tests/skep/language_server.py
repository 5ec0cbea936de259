"""The YAML language server that editors run, from npm, and a client that asks it what an editor would."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

VERSION = "1.19.2"
"""The last one known to run on Node 18 and 20."""
CACHE = Path(__file__).resolve().parents[1] / ".cache"
INSTALL_S = 120


def installed() -> list[str]:
    """How to start the server; it is installed into a hidden folder once. Skips the test where that cannot be."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("the YAML language server needs node and npm, which are not installed")
    target = CACHE / f"yaml-language-server-{VERSION}"
    server = target / "node_modules/yaml-language-server/bin/yaml-language-server"
    if not server.exists():
        CACHE.mkdir(exist_ok=True)
        (CACHE / ".gitignore").write_text("*\n")
        _install(npm, target)
    return [node, str(server), "--stdio"]


def _install(npm: str, target: Path) -> None:
    # Tests beside this one may do the same: each fills a folder of its own, and the first one keeps its place.
    fresh = Path(mkdtemp(dir=CACHE))
    words = [npm, "install", "--prefix", str(fresh), "--no-audit", "--no-fund", "--ignore-scripts", f"yaml-language-server@{VERSION}"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install the YAML language server within {INSTALL_S} s")
    if done.returncode:
        pytest.skip(f"npm cannot install the YAML language server: {done.stderr.strip()[-200:]}")
    try:
        fresh.rename(target)
    except OSError:
        shutil.rmtree(fresh)


class LanguageServer:
    """A server that knows one project, and one file at a time that is open in it."""

    def __init__(self, root: Path) -> None:
        self._process = subprocess.Popen(installed(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._number = 0
        self._told: dict[str, list[Any]] = {}
        self.root = root
        folder = {"uri": root.as_uri(), "name": root.name}
        abilities = {
            "workspace": {"configuration": True},
            "textDocument": {"publishDiagnostics": {}, "hover": {"contentFormat": ["plaintext"]}},
        }
        self._ask("initialize", {"processId": None, "rootUri": root.as_uri(), "workspaceFolders": [folder], "capabilities": abilities})
        self._tell("initialized", {})

    def close(self) -> None:
        """End the server."""
        self._ask("shutdown", None)
        self._tell("exit", None)
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def problems(self, file: str, text: str) -> list[tuple[str, str]]:
        """What is underlined, and why, in a file of the project with this text."""
        uri = self._open(file, text)
        while uri not in self._told:
            self._read()
        lines = text.splitlines()
        found = []
        for one in self._told[uri]:
            start, end = one["range"]["start"], one["range"]["end"]
            stop = end["character"] if end["line"] == start["line"] else None
            found.append((lines[start["line"]][start["character"] : stop], one["message"]))
        return found

    def completions(self, file: str, text: str) -> set[str]:
        """What is offered where ``|`` stands in the text."""
        uri, at = self._cursor(file, text)
        found = self._ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": at})
        return {one["label"] for one in (found["items"] if isinstance(found, dict) else found)}

    def hover(self, file: str, text: str) -> str:
        """What is shown of the word before which ``|`` stands in the text."""
        uri, at = self._cursor(file, text)
        found = self._ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": at})
        return str(found["contents"]["value"]) if found else ""

    def _cursor(self, file: str, text: str) -> tuple[str, dict[str, int]]:
        before = text.partition("|")[0]
        at = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
        return self._open(file, text.replace("|", "", 1)), at

    def _open(self, file: str, text: str) -> str:
        uri = (self.root / file).as_uri()
        self._told.pop(uri, None)
        # What the server knows of a file it keeps as long as its version is the same.
        self._number += 1
        self._tell("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "yaml", "version": self._number, "text": text}})
        return uri

    def _tell(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _ask(self, method: str, params: Any) -> Any:
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while True:
            answer = self._read()
            if answer.get("id") == self._number and "method" not in answer:
                assert "error" not in answer, answer
                return answer["result"]

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        """The next message; what the server itself asks is answered, and what it says of files is kept."""
        assert self._process.stdout is not None
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the language server has ended"
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self._told[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            self._send({"id": message["id"], "result": _answer(message)})
        return message


def _answer(message: dict[str, Any]) -> Any:
    """The settings of an editor that are other than the server's own: no schemas from elsewhere."""
    if message["method"] != "workspace/configuration":
        return None
    settings = {"yaml": {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}}
    return [settings.get(item.get("section", ""), {}) for item in message["params"]["items"]]
