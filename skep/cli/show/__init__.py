"""Answers as people read them: tables, lines and colours of what `skep.answers` returns."""
