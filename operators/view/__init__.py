"""Reading a space's state, by noun. Never writes."""
