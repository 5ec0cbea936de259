"""Files as people write them: YAML and JSON with their lines, what is wrong with them, durations, times, numbers, names."""
