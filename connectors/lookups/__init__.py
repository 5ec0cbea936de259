"""The data of lookups, as it is outside: read whole, checked, and turned into rows of keys and values."""
