"""Lookups: what reference data says of an event when it is accepted, and by which version of the data."""
