"""The one stateful step: stitch, profile and segments over one store, with one commit."""
