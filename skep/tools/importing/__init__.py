"""Segments of other platforms, as ours: a file a platform, with a note wherever the meaning differs."""
