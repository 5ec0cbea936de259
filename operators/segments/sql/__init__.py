"""The SQL twin of the stream; it shares no code with it. Its tables go by the names of the language, too."""
