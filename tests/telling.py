"""What `test_processes` starts: tells of the process that it is, and ends as it is told."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

print(
    json.dumps(
        {
            "id": os.getpid(),
            "folder": str(Path.cwd()),
            "user": os.environ.get("SKEP_USER"),
            "words": sys.argv[1:],
            "order": hash("skep"),
            "group": os.getpgid(0) == os.getpgid(os.getppid()),
            "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
            "terminate": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
            "child": signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL,
            "files": sorted(one.name for one in Path("/proc/self/fd").iterdir()),
            "encoding": [(one.encoding, one.errors, one.isatty()) for one in (sys.stdin, sys.stdout, sys.stderr)],
        }
    ),
    flush=True,
)
print("said", file=sys.stderr)
sys.exit(sys.stdin.read() or 7)
