"""JSON Schema and the patterns of ECMA, reasoned about: what is valid, what a path can be, what includes what. Imports nothing of ours."""
