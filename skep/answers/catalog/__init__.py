"""The catalog: every event, trait, segment and destination with owner, meaning, volume, quality, personal class, and who uses it."""
