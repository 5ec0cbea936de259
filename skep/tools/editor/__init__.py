"""JSON Schemas of the YAML files, for editors."""
