"""What is between two versions of a contract: what changed, which number it deserves, how old events are read."""
