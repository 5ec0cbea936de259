"""A project folder and its flow: settings, definitions in force, entries of the control partition and their answers."""
