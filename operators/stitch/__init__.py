"""Who is it: links, clusters, sessions of devices, and whose an anonymous event is. Pure functions on plain data."""
