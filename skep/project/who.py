"""Who runs a command, for the control partition."""

from __future__ import annotations

import getpass
import os
import socket
from contextlib import suppress


def who() -> str:
    """``SKEP_USER``, else ``user@host`` as far as the system knows names."""
    said = os.environ.get("SKEP_USER", "").strip()
    if said:
        return said
    user = f"uid {os.getuid()}"
    with suppress(KeyError, OSError):
        user = getpass.getuser()
    return f"{user}@{socket.gethostname()}"
