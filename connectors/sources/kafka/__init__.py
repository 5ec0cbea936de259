"""Topics of a Kafka cluster as sources: one consumer for each source, positions held by the stores, nothing ever passed over in silence."""
