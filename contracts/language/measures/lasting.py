"""How long: since an event, between events, in sessions."""

from contracts.language.measures.beside import TRUE, choice
from contracts.language.measures.measure import Measure, count, seconds

SINCE_FIRST = Measure(
    "since_first", "seconds since the first", "how long ago the earliest match was", seconds, asks="inside", trait="since_first",
    takes=TRUE, passing=True, session=False,
)  # fmt: skip
SINCE_LAST = Measure(
    "since_last", "seconds since the last", "how long ago the latest match was", seconds, asks="inside", trait="since_last", takes=TRUE,
    passing=True, session=False,
)  # fmt: skip
INTERVAL_MEAN = Measure(
    "interval_mean", "mean seconds between", "how many seconds lie between two matching events in the mean", seconds,
    trait="interval_mean", takes=TRUE,
)  # fmt: skip
SESSION_COUNT = Measure(
    "session_count", "sessions with", "how many sessions the matching events make: a silence longer than session_gap ends one", count,
    trait="session_count", takes=TRUE,
)  # fmt: skip
SESSION_LENGTH = Measure(
    "session_length", "length of sessions with", "how many seconds the sessions of the matching events last: mean, last or total", seconds,
    trait="session_length", takes=choice("how", "mean", "last", "total"),
)  # fmt: skip
