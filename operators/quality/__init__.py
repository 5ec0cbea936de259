"""Quality of what the sources hand over: scored by the hour, kept beside the state, held against expectations."""
