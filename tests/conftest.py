"""What all tests share: how hypothesis draws its examples, in which form they run, and that bytecode is kept."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Drawn from the test itself and not from the clock: a failure at one desk is a failure at every desk.
settings.register_profile("project", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

# Compiled modules cannot be patched, and screens say which form runs: `make promises` runs what holds in both.
os.environ.setdefault("SKEP_COMPILED", "0")
# It is none of Skep's own variables, which everything that is started would say.
os.environ["KAFKA_OF_TESTS"] = os.environ.pop("SKEP_KAFKA", "")
# Hundreds of processes are started: without bytecode each of them would compile all of our modules again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# pytest-xdist tells its workers how wide the terminal is, and what prints tables would believe it.
os.environ.pop("COLUMNS", None)
