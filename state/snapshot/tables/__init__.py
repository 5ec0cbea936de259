"""The snapshot's tables, each in a file of its own: its columns, which are its rows' fields, and what is particular about filling it."""
